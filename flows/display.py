"""What commands show and write of their results."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Column, Table

from components.errors import DataError

if TYPE_CHECKING:
    from serving.scorer import VideoScore


def check_output(output: Path | None) -> None:
    """Refuse a table format that cannot be written, before anything is scored.

    Raises:
        DataError: the suffix is neither .parquet nor .csv.
    """
    if output is not None and output.suffix not in {".parquet", ".csv"}:
        raise DataError(f"--output {output}: unknown table format {output.suffix!r}; use .parquet or .csv")
    if output is not None and output.is_dir():
        raise DataError(f"--output {output}: is a folder; name a file")


def write_scores(scores: list["VideoScore"], output: Path) -> None:
    """Write a table of scores."""
    from components.tables import SCORES, write_csv, write_table

    write = write_table if output.suffix == ".parquet" else write_csv
    write([row.row() for row in scores], SCORES, output)


def print_scores(scores: list["VideoScore"], threshold: float) -> None:
    """Print scores as a table for people; of several faces each has a line of its own."""
    table = Table(Column("video", overflow="fold"), "verdict", "P(fake)", "status", "seconds", "why")
    for row in scores:
        probability = "–" if row.probability is None else f"{row.probability:.3f}"
        verdict = f"{row.verdict} ({row.fallback})" if row.fallback else row.verdict
        table.add_row(row.path, verdict, probability, row.status, f"{row.seconds:.2f}", row.note)
        for face in row.faces if len(row.faces) > 1 else ():
            left, top, right, bottom = face.box
            where = f"{face.start:.1f} to {face.end:.1f} s, at {left},{top} to {right},{bottom} px"
            table.add_row("", "", f"{face.probability:.3f}", "", "", where)
    table.caption = f"fake from P(fake) {threshold:.3f} on"
    Console().print(table)


def print_gate(gate: Path) -> None:
    """Print the rules of the last gate, with what they saw."""
    table = Table("rule", "value", "minimum", "passed")
    for rule in json.loads(gate.read_text(encoding="utf-8"))["rules"]:
        value = "undefined" if rule["value"] is None else f"{rule['value']:.3f}"
        table.add_row(rule["name"], value, f"{rule['minimum']:.3f}", "yes" if rule["passed"] else "NO")
    Console().print(table)
