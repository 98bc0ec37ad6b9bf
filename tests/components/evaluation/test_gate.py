import math

import pytest

from components.evaluation.gate import GateReport, as_table, decide
from components.params import Bounds

FIGURES = {"auc": 0.9, "f1": 0.7, "eer": 0.2, "log_loss": 1.5}


@pytest.mark.parametrize(
    ("name", "bounds", "value", "passed"),
    [
        ("auc", Bounds(min=0.8), 0.9, True),
        ("auc", Bounds(min=0.8), 0.8, True),  # equal is enough
        ("auc", Bounds(min=0.8), math.nextafter(0.8, 0.0), False),
        ("eer", Bounds(max=0.2), 0.1, True),
        ("eer", Bounds(max=0.2), 0.2, True),
        ("eer", Bounds(max=0.2), math.nextafter(0.2, 1.0), False),
        ("recall", Bounds(min=0.5, max=0.9), 0.4, False),
        ("recall", Bounds(min=0.5, max=0.9), 0.5, True),
        ("recall", Bounds(min=0.5, max=0.9), 0.9, True),
        ("recall", Bounds(min=0.5, max=0.9), 1.0, False),
        # What is not defined never passes, whatever is asked of it.
        ("auc", Bounds(min=0.0), math.nan, False),
        ("auc", Bounds(min=0.0), None, False),
        ("log_loss", Bounds(max=9.0), math.nan, False),
    ],
)
def test_a_rule_holds_within_its_bounds(name: str, bounds: Bounds, value: float | None, passed: bool) -> None:
    report = decide("a", {name: value}, {name: bounds})
    (rule,) = report.rules
    defined = value is not None and not math.isnan(value)
    assert (rule.value, rule.min, rule.max) == (value if defined else None, bounds.min, bounds.max)
    assert report.passed is rule.passed is passed


@pytest.mark.parametrize(
    ("rules", "broken"),
    [
        ({"auc": Bounds(min=0.8), "eer": Bounds(max=0.3)}, ""),
        (
            {"eer": Bounds(max=0.1), "auc": Bounds(min=0.8), "f1": Bounds(min=0.8, max=0.9)},
            "Equal error rate 0.200 (required ≤ 0.100), F1 0.700 (required ≥ 0.800 and ≤ 0.900)",
        ),
        ({"auc_low": Bounds(min=0.0)}, "AUC, low end of its interval not defined (required ≥ 0.000)"),
    ],
)
def test_every_rule_has_to_hold_and_broken_ones_are_named(rules: dict[str, Bounds], broken: str) -> None:
    report = decide("a", FIGURES, rules)
    assert [rule.name for rule in report.rules] == list(rules)
    assert (report.passed, report.broken) == (not broken, broken)
    assert broken in report.reason


def test_all_that_show_a_gate_draw_the_same_rows() -> None:
    report = decide("a", FIGURES, {"log_loss": Bounds(max=1.0), "recall": Bounds(min=0.5)})
    assert report.rows() == [
        {
            "Rule": "Log loss", "On test videos": "1.500", "Required": "≤ 1.000", "Verdict": "failed",
        },
        {
            "Rule": "Recall", "On test videos": "not defined", "Required": "≥ 0.500", "Verdict": "failed",
        },
    ]  # fmt: skip
    table = as_table(report)
    assert table.title == "Gate failed: a"
    columns = {str(column.header): list(column.cells) for column in table.columns}
    assert columns == {heading: [row[heading] for row in report.rows()] for heading in report.rows()[0]}


def test_a_report_is_read_as_it_was_written() -> None:
    report = decide("a", FIGURES, {"eer": Bounds(max=0.2), "f1": Bounds(min=0.8)})
    assert GateReport.model_validate_json(report.model_dump_json()) == report
