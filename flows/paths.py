"""Paths and tables on a terminal of any width; whole wherever else they go."""

import os
from dataclasses import dataclass
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from components.printable import printable

MIN_WIDTH = 12
"""Columns of a terminal in which a path can still be told from another."""


UNLIMITED = 100_000
"""Columns of a file or a pipe."""


@dataclass(frozen=True)
class PathCell:
    """A path in a table, in as many columns as there are; `path` is printable."""

    path: str

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        width = cell_len(shortened_to_fit(self.path, console))
        return Measurement(min(width, MIN_WIDTH), width).with_maximum(options.max_width)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(shortened_to_fit(self.path, console, options.max_width), no_wrap=True, overflow="crop")


def shortened_to_fit(path: str, console: Console, width: int | None = None) -> str:
    """A printable path as a console shows it: as it is, unless that is a terminal with so many columns."""
    if not console.is_terminal:
        return path
    path = relative(path)
    return path if width is None else shortened(path, width)


def relative(path: str) -> str:
    """Returns an absolute path as seen from the current folder, where that is shorter."""
    if not Path(path).is_absolute() or ".." in Path(path).parts:  # which a link may lead elsewhere
        return path
    return min(path, os.path.relpath(path, printable(Path.cwd())), key=cell_len)


def shortened(path: str, width: int) -> str:
    """A path without its middle, in `width` columns: without folders, as long as the file's name fits."""
    if cell_len(path) <= width:
        return path
    name = path.rpartition(os.sep)[2]
    kept = next((end for end in (os.sep + name, name) if cell_len(end) < width), None)
    if kept is None:
        path, kept = name, _last(name, width // 2)
    return f"{_first(path, width - 1 - cell_len(kept))}…{kept}"


def _first(text: str, width: int) -> str:
    text = text[: max(width, 0)]
    while cell_len(text) > width > 0:
        text = text[:-1]
    return text


def _last(text: str, width: int) -> str:
    text = text[len(text) - width :]
    while cell_len(text) > width:
        text = text[1:]
    return text


def print_table(table: Table, console: Console | None = None) -> None:
    """Prints a table, as wide as its cells ask for where that is no terminal."""
    console = console or Console()
    if not console.is_terminal:
        console.width = UNLIMITED
    console.print(table)
