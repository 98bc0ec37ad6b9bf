"""The reports of the last run: read from `reports/`, and as rows of tables for people."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from components.bundle import Interval
from components.documents import read_document
from components.evaluation.gate import GateReport
from components.evaluation.results import Evaluation
from components.metric_names import title
from components.project import Project
from components.values import Frozen

Row = dict[str, str]
ReportDocument = TypeVar("ReportDocument", bound=Frozen)


@dataclass(frozen=True)
class Reports:
    """What the last run left; None or empty where it left nothing."""

    evaluation: Evaluation | None
    gate: GateReport | None
    figures: tuple[Path, ...]


def read_reports(project: Project) -> Reports:
    """Reads what is there.

    Raises:
        StageError: a report is there and cannot be read.
    """
    return Reports(
        evaluation=_read(Evaluation, project.evaluation),
        gate=_read(GateReport, project.gate),
        figures=tuple(sorted((project.reports / "figures").glob("*.png"))),
    )


def _read(kind: type[ReportDocument], path: Path) -> ReportDocument | None:
    return read_document(kind, path) if path.is_file() else None


def leaderboard_rows(evaluation: Evaluation) -> list[Row]:
    """Returns a row per candidate on test videos, in their order on validation videos."""
    return [
        {
            "Candidate": f"{name} (winner)" if name == evaluation.winner else name,
            f"{title(evaluation.select_by)}, validation": figure(result.val, evaluation.select_by),
            f"AUC, test ({evaluation.confidence:.0%} interval)": with_interval(
                interval_of(result.test, "auc")
            ),
            "F1": figure(result.test, "f1"),
            "Accuracy": figure(result.test, "accuracy"),
            "Equal error rate": figure(result.test, "eer"),
            "Coverage": figure(result.test, "coverage"),
        }
        for name, result in evaluation.candidates.items()
    ]


def method_display_rows(evaluation: Evaluation) -> list[Row]:
    """Returns a row per way of forging: the winner's AUC on it, with its interval."""
    return [
        {
            "Forgery": title(method),
            "Test videos": str(figures.get("videos", "–")),
            f"AUC ({evaluation.confidence:.0%} interval)": with_interval(interval_of(figures, "auc")),
        }
        for method, figures in evaluation.candidates[evaluation.winner].methods.items()
    ]


def metric_rows(metrics: Mapping[str, Interval]) -> list[Row]:
    """Returns a row per figure that travels with a model."""
    return [
        {"On test videos": title(name), "Value": with_interval(interval)}
        for name, interval in metrics.items()
    ]


def interval_of(figures: Mapping[str, int | float | None], name: str) -> Interval | None:
    """Returns a figure with the ends of its interval, None where it is not defined."""
    value = figures.get(name)
    if value is None:
        return None
    return Interval(value=value, low=figures.get(f"{name}_low"), high=figures.get(f"{name}_high"))


def with_interval(interval: Interval | None) -> str:
    """`0.880 (0.799 – 0.969)`, without the brackets where no interval was drawn."""
    if interval is None:
        return decimals(None)
    if interval.low is None or interval.high is None:
        return decimals(interval.value)
    return f"{interval.value:.3f} ({interval.low:.3f} – {interval.high:.3f})"


def figure(figures: Mapping[str, int | float | None], name: str) -> str:
    """Returns a figure by its name."""
    return decimals(figures.get(name))


def decimals(value: float | None) -> str:
    """Returns three decimals; a figure that is not defined says so."""
    return "not defined" if value is None else f"{value:.3f}"
