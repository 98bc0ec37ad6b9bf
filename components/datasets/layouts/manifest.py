"""`manifest.csv` or `manifest.parquet` in the folder: a row per video, folder of pictures, or picture.

Columns: `path,label[,identity,source,method,split]`. `path` is relative to the folder. An empty `label` is
one that nobody told. `identity` separates people by `;`; a name is the same person in every dataset.
`source` separates recordings by `;`: another video's path (its suffix may be left out), or any name, which
ties no videos but those of this dataset. `split` may be train, val, test or trainval; without that column,
folders may name the split (`components.datasets.layouts.folders`). How names and paths are written does not
matter: see `components.datasets.naming`.

The file is the last word on what belongs to the dataset: videos under real/ and fake/ that it does not list
are reported and left out, since nobody said who is in them and a guess could put a person on both sides of
a split.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from posixpath import normpath, splitext
from typing import NamedTuple, get_args

import pyarrow as pa
import pyarrow.parquet as pq

from components.datasets.layouts import folders
from components.datasets.layouts.annotations import Cells, check_cells, check_header, read_csv
from components.datasets.layouts.base import (
    GENUINE_METHOD,
    LABELS,
    SPLIT_NAMES,
    UNKNOWN_METHOD,
    Entry,
    Label,
    Listing,
    Prescribed,
    Split,
    default_method,
    some,
)
from components.datasets.naming import normalised
from components.datasets.tree import Tree
from components.errors import DataError
from components.video.picture_files import is_picture_name

NAME = "manifest"
TITLE = "any videos, listed in manifest.csv or manifest.parquet: path,label[,identity,source,method,split]"

FILES = ("manifest.csv", "manifest.parquet")
REQUIRED = ("path", "label")
OPTIONAL = ("identity", "source", "method", "split")
SPLITS: dict[str, Prescribed] = {**SPLIT_NAMES, "trainval": "trainval"}
RESERVED_METHODS = (GENUINE_METHOD, UNKNOWN_METHOD)
"""Words in the column `method` that mean no method's name."""

# A column of nothing but missing values is of the type null.
_TEXT_TYPES = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null)


class Row(NamedTuple):
    """One video's cells, and where they stand: "line 3", and "data/manifest.csv:3" for messages."""

    place: str
    where: str
    cells: Cells


class Table(NamedTuple):
    """All rows, the names of all columns in lower case, and notes on how the file was read."""

    header: list[str]
    rows: list[Row]
    notes: tuple[str, ...] = ()


def recognises(tree: Tree) -> bool:
    """Tells whether there is a manifest."""
    return any(_present(tree))


def read(tree: Tree) -> Listing:
    """Lists the videos that the file names, in its order.

    Raises:
        DataError: there are two manifests, or none; a column is missing; a label or split is not one of
            those known; a label contradicts the folder or the method; a path leaves the folder or stands
            there twice; nothing ties labelled pictures to each other.
    """
    name = _only(tree)
    table = _read_csv(tree, name) if normalised(name) == FILES[0] else _read_parquet(tree, name)
    entries: dict[str, Entry] = {}
    rows: dict[str, Row] = {}
    sources = _Sources(tree, (row.cells["path"] for row in table.rows))
    for row in table.rows:
        entry = _entry(row, tree, sources)
        if entry.path in entries:
            raise DataError(
                f"{row.where}: {entry.path} stands in {rows[entry.path].place} already; remove one"
            )
        entries[entry.path], rows[entry.path] = entry, row
    _check_pictures(entries.values(), tree, name)
    places = {} if "split" in table.header else {path: f for path in entries if (f := folders.place(path))}
    splits = folders.prescribed_splits(places)
    notes = (
        *table.notes,
        *_column_notes(name, table.header),
        *_path_notes(name, tree, rows),
        *folders.split_notes(places),
    )
    placed = (replace(entry, split=splits.get(path, entry.split)) for path, entry in entries.items())
    return Listing(tuple(placed), notes, (name,))


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


def _read_csv(tree: Tree, name: str) -> Table:
    table = read_csv(tree, name, REQUIRED, OPTIONAL)
    file = tree.root / name
    rows = [Row(f"line {number}", f"{file}:{number}", cells) for number, cells in table.lines]
    return Table(table.header, rows, table.notes)


def _read_parquet(tree: Tree, name: str) -> Table:
    file = tree.root / name
    try:
        # Not `pq.read_table`, which makes columns out of folders that are called "key=value".
        with pq.ParquetFile(file) as parquet:
            schema = parquet.schema_arrow
            header = [normalised(name) for name in schema.names]
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
    located = zip(places, rows, strict=True)
    return Table(header, [_row(place, f"{file}: {place}", cells) for place, cells in located])


def _row(place: str, where: str, cells: Cells) -> Row:
    check_cells(cells, where)
    return Row(place, where, cells)


def _check_types(schema: pa.Schema, columns: Iterable[str], where: str) -> None:
    for column in columns:
        kind = schema.field(column).type
        if not _is_text(kind):
            raise DataError(f"{where}: column {some([column])} holds {kind}; write its values as strings")


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        kind = kind.value_type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return any(fits(kind) for fits in _TEXT_TYPES)


def _text(value: str | list[str | None] | None) -> str:
    """Returns a cell as CSV would hold it; lists, as in the column `identity`, are those of several names."""
    if isinstance(value, list):
        return ";".join(name for name in value if name)
    return (value or "").strip()


class _Sources:
    """Full names of recordings: a video's path inside `data/`, or a name that no other dataset has."""

    def __init__(self, tree: Tree, listed: Iterable[str]) -> None:
        self._tree = tree
        paths = [*tree.clips(), *map(normpath, listed)][::-1]  # of equal ones the first file counts
        self._paths = {normalised(splitext(path)[0]): path for path in paths}
        self._paths |= {normalised(path): path for path in paths}

    def full_name(self, source: str) -> str:
        return self._tree.inside(self._paths.get(normalised(normpath(source)), source))


def _entry(row: Row, tree: Tree, sources: _Sources) -> Entry:
    cells, where = row.cells, row.where
    path = _path(_written_path(cells, tree), tree, where)
    label = _label(cells["label"], path, where)
    return Entry(
        path=path,
        label=label,
        method=_method(cells.get("method", ""), label, where),
        identities=_names(cells.get("identity", "")),
        sources=tuple(sources.full_name(name) for name in _names(cells.get("source", ""))),
        split=_split(cells.get("split", ""), where),
    )


def _check_pictures(entries: Iterable[Entry], tree: Tree, name: str) -> None:
    """Each would be a person of its own, and frames of one video stand on both sides of a split."""
    untied = [
        entry.path
        for entry in entries
        if entry.label and not entry.identities and not entry.sources
        if is_picture_name(entry.path) and entry.path not in tree.pictures
    ]
    if untied:
        raise DataError(
            f"{tree.root / name}: {len(untied)} single pictures with neither identity nor source: "
            f"{some(untied)}; name who is in each (identity), or the video that it is of (source)"
        )


def _written_path(cells: Cells, tree: Tree) -> str:
    """Returns the path in a row; written on Windows, it may part folders by backslashes."""
    path = cells["path"]
    return path if "\\" not in path or tree.find(path) else path.replace("\\", "/")


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
    label = next((label for label in LABELS if normalised(value) == label), None)
    if label is None:
        raise DataError(f"{where}: label {value!r}; write real or fake, or leave it empty")
    place = folders.place(path)
    if place and place.label != label:
        raise DataError(f"{where}: {path} is labelled {label}; move the file or correct the label")
    return label


def _method(value: str, label: Label | None, where: str) -> str:
    if label is None and value:
        raise DataError(f"{where}: method {value!r} on a video without a label; add the label")
    known = next((word for word in RESERVED_METHODS if normalised(value) == word), value)
    method = known or default_method(label)
    if label and (label == "real") != (method == GENUINE_METHOD):
        raise DataError(f"{where}: method {method!r} on a {label} video; correct the method or the label")
    return method


def _names(value: str) -> tuple[str, ...]:
    return tuple(sorted({name.strip() for name in value.split(";") if normalised(name)}))


def _split(value: str, where: str) -> Prescribed | None:
    if value and normalised(value) not in SPLITS:
        words = ", ".join((*get_args(Split), "trainval"))
        raise DataError(f"{where}: split {value!r}; write {words}, or leave it empty")
    return SPLITS.get(normalised(value))


def _column_notes(file: str, header: list[str]) -> Iterator[str]:
    unknown = [name for name in header if name not in {*REQUIRED, *OPTIONAL}]
    if unknown:
        yield f"{file}: columns not used: {some(unknown)}"


def _path_notes(file: str, tree: Tree, rows: Mapping[str, Row]) -> Iterator[str]:
    """What is listed and not there, listed under another name than its file's, or there and not listed."""
    absent = [path for path in rows if not tree.holds(path)]
    if absent:
        yield f"{file}: {len(absent)} of {len(rows)} listed videos are not there: {some(absent)}"
    renamed = [path for path, row in rows.items() if path != normpath(row.cells["path"])]
    if renamed:
        yield f"{file}: {len(renamed)} paths are not written as their files are named: {some(renamed)}"
    unlisted = [entry.path for entry in folders.read(tree).entries if entry.path not in rows]
    if unlisted:
        yield f"{file}: {len(unlisted)} videos are not listed and left out: {some(unlisted)}"
