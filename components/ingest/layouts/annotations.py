"""Reads the lists that datasets bring along: JSON objects, and tables in CSV."""

import csv
import io
import json
from collections.abc import Collection
from typing import Any

from components.errors import DataError
from components.ingest.tree import Tree

Cells = dict[str, str]


def read_object(tree: Tree, path: str) -> dict[str, Any]:
    """A JSON object; its values may be anything.

    Raises:
        DataError: the file is no such object, or names a key twice.
    """
    file = tree.root / path
    try:
        content = json.loads(tree.read_text(path), object_pairs_hook=_without_doubles)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{file}: not the JSON that was published ({error}); download it again") from error
    if not isinstance(content, dict):
        raise DataError(f"{file}: not a JSON object; download it again")
    return content


def read_csv(tree: Tree, path: str, required: Collection[str]) -> tuple[list[str], list[tuple[int, Cells]]]:
    """The header in lower case, and each line's number in the file and its cells, both stripped.

    Raises:
        DataError: the file is not CSV, a column is missing or stands there twice, or a line is too short
            or too long.
    """
    file = tree.root / path
    try:
        reader = csv.reader(io.StringIO(tree.read_text(path), newline=""), strict=True)
        header = [name.strip().casefold() for name in next(reader, [])]
        lines = [(reader.line_num, row) for row in reader if row]
    except csv.Error as error:
        raise DataError(f"{file}: not a CSV file ({error}); save it as one") from error
    check_header(header, required, f"{file}:1")
    return header, [(number, _cells(header, row, f"{file}:{number}")) for number, row in lines]


def check_header(header: list[str], required: Collection[str], where: str) -> None:
    """Columns that must be there are, and none is there twice.

    Raises:
        DataError: otherwise.
    """
    missing = [name for name in required if name not in header]
    if missing:
        raise DataError(f"{where}: no column {' and '.join(missing)}; there must be {','.join(required)}")
    twice = {name for name in header if header.count(name) > 1}
    if twice:
        raise DataError(f"{where}: column {min(twice)} stands there twice; remove one")


def _cells(header: list[str], row: list[str], where: str) -> Cells:
    if len(row) != len(header):
        raise DataError(f"{where}: {len(row)} values for {len(header)} columns; quote values with commas")
    return dict(zip(header, (value.strip() for value in row), strict=True))


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # The json module keeps the last of two without a word, and with it a label that another line contradicts.
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"{next(key for key in keys if keys.count(key) > 1)!r} stands there twice")
    return found
