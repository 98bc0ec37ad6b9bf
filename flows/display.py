"""What commands show and write of their results."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from components.errors import DataError
from flows.paths import PathCell, print_table, shortened_to_fit

if TYPE_CHECKING:
    from components.scores import FaceScore, VideoScore


NARROW = 80
"""Columns of a terminal below which a table of scores cannot be read."""


def check_output(output: Path | None) -> None:
    """Refuses a table format that cannot be written, before anything is scored.

    Raises:
        DataError: the suffix is neither .parquet nor .csv.
    """
    if output is not None and output.suffix not in {".parquet", ".csv"}:
        raise DataError(f"--output {output}: unknown table format {output.suffix!r}; use .parquet or .csv")
    if output is not None and output.is_dir():
        raise DataError(f"--output {output}: is a folder; name a file")


def write_scores(scores: list["VideoScore"], output: Path) -> None:
    """Writes a table of scores."""
    from components.tables import write_csv, write_table
    from serving.score_table import SCORES

    write = write_table if output.suffix == ".parquet" else write_csv
    write([row.row() for row in scores], SCORES, output)


def print_scores(scores: Sequence["VideoScore"], threshold: float) -> None:
    """Prints scores for people: as a table, or line by line on a terminal that is too narrow for one."""
    console = Console()
    caption = f"fake from P(fake) {threshold:.3f} on"
    if console.is_terminal and console.width < NARROW:
        lines = (line for row in scores for line in _lines(row, console))
        console.print(Text("\n".join([*lines, caption])), highlight=False, soft_wrap=True)
    else:
        print_table(_table(scores, caption), console)


def _lines(row: "VideoScore", console: Console) -> Iterator[str]:
    yield shortened_to_fit(row.path, console, console.width)
    yield "  " + " · ".join((_verdict(row), _probability(row.probability), *_status(row)))
    for face in _several(row):
        yield f"    {_probability(face.probability)} · {_where(face)}"


def _table(scores: Sequence["VideoScore"], caption: str) -> Table:
    """Returns a line for each video; of several faces each has a line of its own."""
    fixed = (Column(name, no_wrap=True) for name in ("verdict", "P(fake)", "seconds"))
    table = Table("video", *fixed, "status", caption=caption)
    for row in scores:
        status = Text(": ".join(_status(row)))
        table.add_row(
            PathCell(row.path), _verdict(row), _probability(row.probability), f"{row.seconds:.2f}", status
        )
        for face in _several(row):
            table.add_row("", "", _probability(face.probability), "", _where(face))
    return table


def _several(row: "VideoScore") -> Sequence["FaceScore"]:
    return row.faces if len(row.faces) > 1 else ()


def _where(face: "FaceScore") -> str:
    left, top, right, bottom = face.box
    return f"{face.start:.1f} to {face.end:.1f} s, at {left},{top} to {right},{bottom} px"


def _verdict(row: "VideoScore") -> str:
    return f"{row.verdict} ({row.fallback})" if row.fallback else row.verdict


def _probability(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _status(row: "VideoScore") -> tuple[str, ...]:
    """Returns what became of the video, and the reason or what else a reader has to know."""
    return (row.status, row.note) if row.note else (row.status,)


def print_gate(gate: Path) -> None:
    """Prints the rules of the last gate, with what they saw."""
    from components.documents import read_document
    from components.evaluation.gate import GateReport, as_table

    print_table(as_table(read_document(GateReport, gate)))
