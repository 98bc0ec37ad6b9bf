"""`manifest.csv` or `manifest.parquet` in the folder: a row per video, folder of pictures, or picture.

Columns: `path,label[,identity,source,method,split]`. `path` is relative to the folder. An empty `label` is
one that nobody told. `identity` separates people by `;`; a name is the same person in every dataset.
`source` separates recordings by `;`: another video's path (its suffix may be left out), or any name, which
ties no videos but those of this dataset. `split` may be train, val, test or trainval.

The file is the last word on what belongs to the dataset: videos under real/ and fake/ that it does not list
are reported and left out, since nobody said who is in them and a guess could put a person on both sides of
a split.
"""

from collections.abc import Iterable, Iterator
from posixpath import normpath, splitext
from typing import NamedTuple, get_args

import pyarrow as pa
import pyarrow.parquet as pq

from components.errors import DataError
from components.ingest.layouts import folders
from components.ingest.layouts.annotations import Cells, check_cells, check_header, read_csv
from components.ingest.layouts.base import (
    GENUINE_METHOD,
    LABELS,
    Entry,
    Label,
    Listing,
    Prescribed,
    Split,
    default_method,
    some,
)
from components.ingest.tree import Tree

NAME = "manifest"
TITLE = "any videos, listed in manifest.csv or manifest.parquet: path,label[,identity,source,method,split]"

FILES = ("manifest.csv", "manifest.parquet")
REQUIRED = ("path", "label")
OPTIONAL = ("identity", "source", "method", "split")
SPLITS: dict[str, Prescribed] = {**{split: split for split in get_args(Split)}, "trainval": "trainval"}

# A column of nothing but missing values is of the type null.
_TEXT_TYPES = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null)


class Row(NamedTuple):
    """One video's cells, and where they stand: "line 3", and "data/manifest.csv:3" for messages."""

    place: str
    where: str
    cells: Cells


def recognises(tree: Tree) -> bool:
    """Tell whether there is a manifest."""
    return any(_present(tree))


def read(tree: Tree) -> Listing:
    """List the videos that the file names, in its order.

    Raises:
        DataError: there are two manifests, or none; a column is missing; a label or split is not one of
            those known; a label contradicts the folder or the method; a path leaves the folder or stands
            there twice.
    """
    name = _only(tree)
    header, rows = _read_csv(tree, name) if name.casefold() == FILES[0] else _read_parquet(tree, name)
    entries: dict[str, Entry] = {}
    seen: dict[str, str] = {}
    sources = _Sources(tree, (row.cells["path"] for row in rows))
    for row in rows:
        entry = _entry(row, tree, sources)
        if entry.path in entries:
            raise DataError(f"{row.where}: {entry.path} stands in {seen[entry.path]} already; remove one")
        entries[entry.path], seen[entry.path] = entry, row.place
    unlisted = [path for label in LABELS for path in tree.clips(label) if path not in entries]
    return Listing(tuple(entries.values()), tuple(_notes(name, header, unlisted)), (name,))


def _present(tree: Tree) -> Iterator[str]:
    return (path for name in FILES if (path := tree.find(name)))


def _only(tree: Tree) -> str:
    present = list(_present(tree))
    if not present:
        raise DataError(
            f"{tree.root}: neither {' nor '.join(FILES)} is there; write one, or name another layout"
        )
    if len(present) > 1:
        raise DataError(f"{tree.root}: both {' and '.join(present)} are there; remove the older one")
    return present[0]


def _read_csv(tree: Tree, name: str) -> tuple[list[str], list[Row]]:
    header, lines = read_csv(tree, name, REQUIRED, OPTIONAL)
    file = tree.root / name
    return header, [Row(f"line {number}", f"{file}:{number}", cells) for number, cells in lines]


def _read_parquet(tree: Tree, name: str) -> tuple[list[str], list[Row]]:
    file = tree.root / name
    try:
        # Not `pq.read_table`, which makes columns out of folders that are called "key=value".
        with pq.ParquetFile(file) as parquet:
            schema = parquet.schema_arrow
            header = [name.strip().casefold() for name in schema.names]
            check_header(header, REQUIRED, str(file))
            columns = zip(header, schema.names, strict=True)
            known = {name: column for name, column in columns if name in {*REQUIRED, *OPTIONAL}}
            _check_types(schema, known.values(), str(file))
            table = parquet.read(columns=list(known.values()))
        values = [map(_text, table.column(column).to_pylist()) for column in known.values()]
        rows = [dict(zip(known, cells, strict=True)) for cells in zip(*values, strict=True)]
    except (pa.ArrowException, OSError, ValueError) as error:  # ValueError where text is not UTF-8
        why = some([" ".join(str(error).split())])
        raise DataError(f"{file}: not a Parquet file ({why}); write it again") from error
    places = (f"row {index}" for index in range(1, len(rows) + 1))
    return header, [_row(place, f"{file}: {place}", cells) for place, cells in zip(places, rows, strict=True)]


def _row(place: str, where: str, cells: Cells) -> Row:
    check_cells(cells, where)
    return Row(place, where, cells)


def _check_types(schema: pa.Schema, columns: Iterable[str], where: str) -> None:
    for column in columns:
        found = schema.field(column).type
        if not _is_text(found):
            raise DataError(f"{where}: column {some([column])} holds {found}; write its values as strings")


def _is_text(found: pa.DataType) -> bool:
    if pa.types.is_list(found) or pa.types.is_large_list(found):
        found = found.value_type
    if pa.types.is_dictionary(found):
        found = found.value_type
    return any(fits(found) for fits in _TEXT_TYPES)


def _text(value: str | list[str | None] | None) -> str:
    """A cell as CSV would hold it; lists, as in the column `identity`, are those of several names."""
    if isinstance(value, list):
        return ";".join(name for name in value if name)
    return (value or "").strip()


class _Sources:
    """Full names of recordings: a video's path inside `data/`, or a name that no other dataset has."""

    def __init__(self, tree: Tree, listed: Iterable[str]) -> None:
        self._tree = tree
        paths = [*tree.clips(), *map(normpath, listed)]
        self._by_stem = {splitext(path)[0]: path for path in reversed(paths)}
        self._paths = frozenset(paths)

    def full_name(self, source: str) -> str:
        path = normpath(source)
        return self._tree.inside(path if path in self._paths else self._by_stem.get(path, source))


def _entry(row: Row, tree: Tree, sources: _Sources) -> Entry:
    cells, where = row.cells, row.where
    path = _path(cells["path"], tree, where)
    label = _label(cells["label"], path, where)
    return Entry(
        path=path,
        label=label,
        method=_method(cells.get("method", ""), label, where),
        identities=_names(cells.get("identity", "")),
        sources=tuple(sources.full_name(name) for name in _names(cells.get("source", ""))),
        split=_split(cells.get("split", ""), where),
    )


def _path(value: str, tree: Tree, where: str) -> str:
    if not value or set(value) <= {".", "/"}:
        raise DataError(f"{where}: no path; name a file, relative to the data folder")
    if value.startswith("/") or ".." in value.split("/"):
        raise DataError(f"{where}: path {value!r} leaves the data folder; give it relative to that folder")
    path = normpath(value)
    return tree.find(path) or tree.find_clip(path) or path


def _label(value: str, path: str, where: str) -> Label | None:
    if not value:
        return None
    label = next((label for label in LABELS if value.casefold() == label), None)
    if label is None:
        raise DataError(f"{where}: label {value!r}; write real or fake, or leave it empty")
    if folders.folder_label(path) not in {None, label}:
        raise DataError(f"{where}: {path} is labelled {label}; move the file or correct the label")
    return label


def _method(value: str, label: Label | None, where: str) -> str:
    if label is None and value:
        raise DataError(f"{where}: method {value!r} on a video without a label; add the label")
    method = value or default_method(label)
    if label and (label == "real") != (method == GENUINE_METHOD):
        raise DataError(f"{where}: method {method!r} on a {label} video; correct the method or the label")
    return method


def _names(value: str) -> tuple[str, ...]:
    return tuple(sorted({name.strip() for name in value.split(";")} - {""}))


def _split(value: str, where: str) -> Prescribed | None:
    if value and value.casefold() not in SPLITS:
        raise DataError(f"{where}: split {value!r}; write {', '.join(SPLITS)}, or leave it empty")
    return SPLITS.get(value.casefold())


def _notes(file: str, header: list[str], unlisted: list[str]) -> Iterator[str]:
    unknown = [name for name in header if name not in {*REQUIRED, *OPTIONAL}]
    if unknown:
        yield f"{file}: columns not used: {some(unknown)}"
    if unlisted:
        yield f"{file}: {len(unlisted)} videos are not listed and left out: {some(unlisted)}"
