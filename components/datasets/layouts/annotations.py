"""Reads the lists that datasets bring along: JSON objects, and tables in CSV."""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from components.datasets.layouts.base import some
from components.datasets.naming import normalised
from components.datasets.text import UTF_8, read_text
from components.datasets.tree import Tree, is_odd
from components.errors import DataError

if TYPE_CHECKING:
    from _csv import Reader

Cells = dict[str, str]

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
"""Between the values of a table, and what to call several of them."""

_HINT = re.compile(r'"?sep=(.)"?\r?\n', re.IGNORECASE)
"""How Excel is told the separator, in a line before the header."""


class CsvTable(NamedTuple):
    """A table as text.

    Attributes:
        header: the names of its columns, normalised.
        lines: each line's number in the file, and its cells, stripped.
        notes: where it is no CSV file in the narrow sense: how it was read.
    """

    header: list[str]
    lines: list[tuple[int, Cells]]
    notes: tuple[str, ...]


class CsvRows(NamedTuple):
    """A table before its columns are checked: names in the header, numbered lines, and how it was read."""

    header: list[str]
    rows: list[tuple[int, list[str]]]
    separator: str
    notes: tuple[str, ...]


def read_object(tree: Tree, path: str) -> dict[str, Any]:
    """Returns a JSON object; its values may be anything.

    Raises:
        DataError: the file is no such object, names a key twice, or holds text that no table can hold.
    """
    file = tree.root / path
    try:
        content = json.loads(tree.read_text(path), object_pairs_hook=_without_doubles)
        odd = next(filter(is_odd, _texts(content)), None)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{file}: not the JSON that was published ({error}); download it again") from error
    if not isinstance(content, dict):
        raise DataError(f"{file}: not a JSON object; download it again")
    if odd is not None:
        raise DataError(f"{file}: {odd[:80]!r} holds control characters or no UTF-8; download it again")
    return content


def read_csv(tree: Tree, path: str, required: Collection[str], optional: Collection[str] = ()) -> CsvTable:
    """Reads a table whose values are separated by what parts the required names in its header.

    Cells of other columns than those asked for, and lines of empty cells, are left out.

    Raises:
        DataError: the file is not CSV, a column is missing or stands there twice, a line is too short or
            too long, or a cell holds control characters.
    """
    file = tree.root / path
    header, rows, separator, notes = read_rows(tree, path, required)
    check_header(header, required, f"{file}:1")
    known = {*required, *optional}
    cells = [(number, _cells(header, row, known, separator, f"{file}:{number}")) for number, row in rows]
    return CsvTable(header, cells, notes)


def read_rows(tree: Tree, path: str, required: Collection[str]) -> CsvRows:
    """Returns the same with each line's cells as they stand, whose columns may lack a name.

    Raises:
        DataError: the file is not CSV.
    """
    file = tree.root / path
    content, encoding = read_text(file)
    separator = _separator(content, required)
    try:
        reader = _reader(content, separator)
        if _HINT.match(content):
            next(reader)
        header = [normalised(name) for name in next(reader, [])]
        rows = [(reader.line_num, row) for row in reader if any(map(str.strip, row))]
    except csv.Error as error:
        raise DataError(f"{file}: not a CSV file ({error}); save it as one") from error
    return CsvRows(header, rows, separator, tuple(_notes(path, encoding, separator)))


def _reader(content: str, separator: str) -> "Reader":
    lines = io.StringIO(content, newline="")
    return csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=True)


def _separator(content: str, required: Collection[str]) -> str:
    if hint := _HINT.match(content):
        return hint[1]
    for separator in SEPARATORS:
        try:
            header = next(_reader(content, separator), [])
        except csv.Error:
            continue
        if {normalised(name) for name in header}.issuperset(required):
            return separator
    return ","


def _notes(path: str, encoding: str, separator: str) -> Iterator[str]:
    if (encoding, separator) != (UTF_8, ","):
        yield f"{path}: read as {encoding}, with values separated by {SEPARATORS.get(separator, separator)}"


def check_header(header: list[str], required: Collection[str], where: str) -> None:
    """Columns that must be there are, and none is there twice.

    Raises:
        DataError: otherwise.
    """
    missing = [name for name in required if name not in header]
    if missing:
        raise DataError(f"{where}: no column {' and '.join(missing)}; there must be {','.join(required)}")
    twice = [name for name, count in Counter(header).items() if count > 1]
    if twice:
        raise DataError(f"{where}: column {some([min(twice)])} stands there twice; remove one")


def check_cells(cells: Cells, where: str) -> None:
    """All of it is text that a table and a message can hold.

    Raises:
        DataError: otherwise.
    """
    for name, value in cells.items():
        if is_odd(value):
            raise DataError(f"{where}: {name} {value[:80]!r} holds control characters; write it without them")


def _cells(header: list[str], row: list[str], known: Collection[str], separator: str, where: str) -> Cells:
    if len(row) != len(header):
        inside = SEPARATORS.get(separator, separator)
        raise DataError(f"{where}: {len(row)} values for {len(header)} columns; quote values with {inside}")
    cells = {name: value.strip() for name, value in zip(header, row, strict=True) if name in known}
    check_cells(cells, where)
    return cells


def _texts(content: Any) -> Iterator[str]:
    """Yields every key and text in what a JSON file holds."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict):
        yield from content
        content = list(content.values())
    if isinstance(content, list):
        for item in content:
            yield from _texts(item)


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # The json module keeps the last of two without a word, and with it a label that another line contradicts.
    document = dict(pairs)
    if len(document) < len(pairs):
        (key, _), *_ = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"{key[:80]!r} stands there twice")
    return document
