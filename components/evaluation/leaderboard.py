"""The leaderboard: the candidates in their order on validation videos, as rows, as CSV and for a terminal."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from components.evaluation.comparison import Contender
from components.evaluation.results import WITH_INTERVAL, Figures, SplitCounts, rounded, with_ends
from components.evaluation.trained import TRAINING_FIGURES
from components.metric_names import METRICS


def leaderboard(
    contenders: Sequence[Contender],
    test: SplitCounts,
    trained: Mapping[str, Figures],
    confidence: float,
) -> list[dict[str, Any]]:
    """Returns one row per candidate, best first.

    Args:
        contenders: the candidates, best first.
        test: what the test split holds.
        trained: what the training of each says.
        confidence: of the intervals.

    `test_auc_behind` is the winner's AUC minus this candidate's, on the same resamples: an interval that
    holds zero says that the test videos do not tell the two apart.
    """
    rows = []
    for place, contender in enumerate(contenders, start=1):
        estimates = {f"test_{metric}": contender.metrics[metric] for metric in WITH_INTERVAL}
        estimates["test_auc_behind"] = contenders[0].metrics["auc"] - contender.metrics["auc"]
        row: dict[str, Any] = {"rank": place, "candidate": contender.name}
        row |= {name: trained[contender.name].get(name) for name in TRAINING_FIGURES}
        row |= {f"val_{metric}": rounded(contender.decision.val[metric]) for metric in METRICS}
        row |= {f"test_{metric}": rounded(contender.metrics[metric].value) for metric in METRICS}
        for name, estimate in estimates.items():
            row |= with_ends(name, estimate.interval(confidence))
        row |= {"test_coverage": rounded(test.coverage), "test_fallback": rounded(test.fallback_share)}
        row |= {"threshold": rounded(contender.decision.threshold)}
        rows.append(row)
    return rows


def write_rows(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Writes rows, of which there is at least one, under a header."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def leaderboard_table(rows: Sequence[Mapping[str, Any]], confidence: float) -> Table:
    """Returns the leaderboard for a terminal of 80 columns."""
    table = Table(
        title=f"Candidates by validation; test AUC with its {confidence:.0%} interval", box=SIMPLE_HEAD
    )
    table.add_column("candidate", no_wrap=True)
    for heading in ("val AUC", "test AUC", "F1", "log loss"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            row["candidate"],
            shown(row["val_auc"]),
            format_interval(row["test_auc"], row["test_auc_low"], row["test_auc_high"]),
            *(shown(row[f"test_{metric}"]) for metric in ("f1", "log_loss")),
            style="bold green" if row["rank"] == 1 else "",
        )
    return table


def format_interval(value: float | None, low: float | None, high: float | None) -> str:
    """Returns a figure with its interval, if it has one."""
    return shown(value) if low is None else f"{shown(value)} [{shown(low)}, {shown(high)}]"


def shown(value: float | None) -> str:
    """Returns three decimals, or a dash where the figure is not defined."""
    return "–" if value is None else f"{value:.3f}"
