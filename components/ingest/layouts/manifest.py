"""`manifest.csv` in the data folder: `path,label[,identity,source,method,split]`, a line per video.

`path` is relative to the data folder; `identity` separates people by `;`. The file is the last word on what
belongs to the dataset: videos under real/ and fake/ that it does not list are reported and left out, since
nobody said who is in them and a guess could put a person on both sides of a split.
"""

import csv
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import get_args

from components.errors import DataError
from components.ingest.layouts import folders
from components.ingest.layouts.base import (
    GENUINE_METHOD,
    LABELS,
    Entry,
    Label,
    Listing,
    Split,
    default_method,
    some,
)

NAME = "manifest.csv"
REQUIRED = ("path", "label")
OPTIONAL = ("identity", "source", "method", "split")

Cells = dict[str, str]


def recognises(data: Path) -> bool:
    """Tell whether there is a manifest.csv."""
    return (data / NAME).is_file()


def read(data: Path) -> Listing:
    """List the videos that the file names, in its order.

    Raises:
        DataError: a column is missing; a label or split is not one of those known; a label contradicts the
            folder or the method; a path leaves the data folder or stands there twice.
    """
    file = data / NAME
    header, lines = _parse(file)
    entries: dict[str, Entry] = {}
    first_seen: dict[str, int] = {}
    for number, cells in lines:
        entry = _entry(cells, f"{file}:{number}")
        if entry.path in entries:
            earlier = first_seen[entry.path]
            raise DataError(f"{file}:{number}: {entry.path} stands in line {earlier} already; remove one")
        entries[entry.path], first_seen[entry.path] = entry, number
    unlisted = [path for path in folders.scan(data)[0] if path not in entries]
    return Listing(tuple(entries.values()), tuple(_notes(header, unlisted)))


def _parse(file: Path) -> tuple[list[str], list[tuple[int, Cells]]]:
    """The header, and each line's number and cells."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, strict=True)
            header = [name.strip().casefold() for name in next(reader, [])]
            lines = [(reader.line_num, row) for row in reader if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{file}: not a CSV file in UTF-8 ({error}); save it as one") from error
    _check_header(header, file)
    return header, [(number, _cells(header, row, f"{file}:{number}")) for number, row in lines]


def _check_header(header: list[str], file: Path) -> None:
    missing = [name for name in REQUIRED if name not in header]
    if missing:
        expected = f"{','.join(REQUIRED)}[,{','.join(OPTIONAL)}]"
        raise DataError(f"{file}:1: no column {' and '.join(missing)}; the first line must be {expected}")
    twice = {name for name in header if header.count(name) > 1}
    if twice:
        raise DataError(f"{file}:1: column {min(twice)} stands there twice; remove one")


def _cells(header: list[str], row: list[str], where: str) -> Cells:
    if len(row) != len(header):
        raise DataError(f"{where}: {len(row)} values for {len(header)} columns; quote values with commas")
    return dict(zip(header, (value.strip() for value in row), strict=True))


def _entry(cells: Cells, where: str) -> Entry:
    path = _path(cells["path"], where)
    label = _label(cells["label"], path, where)
    return Entry(
        path=path,
        label=label,
        method=_method(cells.get("method", ""), label, where),
        identities=_people(cells.get("identity", "")),
        source=cells.get("source", ""),
        split=_split(cells.get("split", ""), where),
    )


def _path(value: str, where: str) -> str:
    path = PurePosixPath(value)
    if not path.name:
        raise DataError(f"{where}: no path; name a file, relative to the data folder")
    if path.is_absolute() or ".." in path.parts:
        raise DataError(f"{where}: path {value!r} leaves the data folder; give it relative to that folder")
    return str(path)


def _label(value: str, path: str, where: str) -> Label:
    label = next((label for label in LABELS if value.casefold() == label), None)
    if label is None:
        raise DataError(f"{where}: label {value!r}; write real or fake")
    if folders.folder_label(path) not in {None, label}:
        raise DataError(f"{where}: {path} is labelled {label}; move the file or correct the label")
    return label


def _method(value: str, label: Label, where: str) -> str:
    method = value or default_method(label)
    if (label == "real") != (method == GENUINE_METHOD):
        raise DataError(f"{where}: method {method!r} on a {label} video; correct the method or the label")
    return method


def _people(value: str) -> tuple[str, ...]:
    return tuple(sorted({person.strip() for person in value.split(";")} - {""}))


def _split(value: str, where: str) -> Split | None:
    known: dict[str, Split] = {split: split for split in get_args(Split)}
    if value and value.casefold() not in known:
        raise DataError(f"{where}: split {value!r}; write {', '.join(known)}, or leave it empty")
    return known.get(value.casefold())


def _notes(header: list[str], unlisted: list[str]) -> Iterator[str]:
    unknown = [name for name in header if name not in {*REQUIRED, *OPTIONAL}]
    if unknown:
        yield f"{NAME}: columns not used: {some(unknown)}"
    if unlisted:
        yield f"{NAME}: {len(unlisted)} videos are not listed and left out: {some(unlisted)}"
