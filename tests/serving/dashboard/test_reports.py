from pathlib import Path

import pytest

from components.bundle import Interval
from components.errors import StageError
from components.evaluation.gate import GateReport
from components.evaluation.results import Evaluation
from components.project import Project
from serving.dashboard import reports


def test_a_project_without_reports_has_none(tmp_path: Path) -> None:
    assert reports.read_reports(Project(tmp_path)) == reports.Reports(None, None, ())


def test_reports_are_read_with_their_figures_in_order(
    reported: Project, evaluation: Evaluation, gate: GateReport
) -> None:
    folder = reported.reports / "figures"
    figures = (folder / "confusion.png", folder / "roc.png", folder / "training_curves.png")
    assert reports.read_reports(reported) == reports.Reports(evaluation, gate, figures)


def test_a_broken_report_is_named(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.reports.mkdir()
    project.gate.write_text('{"passed": true}', encoding="utf-8")
    with pytest.raises(StageError, match=r"gate\.json: rules: Field required"):
        reports.read_reports(project)


def test_leaderboard_rows(evaluation: Evaluation) -> None:
    first, second = reports.leaderboard_rows(evaluation)
    assert first == {
        "Candidate": "a (winner)",
        "AUC, validation": "0.950",
        "AUC, test (95% interval)": "0.900 (0.800 – 1.000)",
        "F1": "0.750",
        "Accuracy": "0.700",
        "Equal error rate": "not defined",
        "Coverage": "1.000",
    }
    assert second["Candidate"] == "b"


def test_method_rows(evaluation: Evaluation) -> None:
    (row,) = reports.method_display_rows(evaluation)
    assert row == {"Forgery": "Self blend", "Test videos": "4", "AUC (95% interval)": "0.500"}


def test_metric_rows() -> None:
    assert reports.metric_rows({"eer": Interval(value=0.1, low=0.05, high=0.2)}) == [
        {"On test videos": "Equal error rate", "Value": "0.100 (0.050 – 0.200)"}
    ]


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        (None, "not defined"),
        (Interval(value=0.5), "0.500"),
        (Interval(value=0.5, low=0.25, high=0.75), "0.500 (0.250 – 0.750)"),
    ],
)
def test_with_interval(found: Interval | None, shown: str) -> None:
    assert reports.with_interval(found) == shown
