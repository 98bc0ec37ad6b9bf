import math

import pytest

from components.evaluation.gate import GateReport, as_table, decide
from components.params import GateParams

THRESHOLDS = GateParams(auc=0.8, f1=0.65, coverage=0.95)
GOOD = {"auc": 0.9, "f1": 0.7, "coverage": 1.0}


@pytest.mark.parametrize(
    ("changed", "broken"),
    [
        ({}, []),
        ({"auc": 0.8, "f1": 0.65, "coverage": 0.95}, []),  # equal is enough
        ({"auc": math.nextafter(0.8, 0.0)}, ["auc"]),
        ({"auc": math.nan}, ["auc"]),
        ({"f1": 0.1, "coverage": 0.0}, ["f1", "coverage"]),
        ({"log_loss": 99.0}, []),  # no rule asks for it
    ],
)
def test_decide(changed: dict[str, float], broken: list[str]) -> None:
    verdict = decide(GOOD | changed, THRESHOLDS)
    assert [rule.name for rule in verdict.rules] == ["auc", "f1", "coverage"]
    assert [rule.name for rule in verdict.rules if not rule.passed] == broken
    assert verdict.passed is (not broken)


def test_a_missing_figure_fails_even_at_minimum_zero() -> None:
    verdict = decide({}, GateParams(auc=0.0, f1=0.0, coverage=0.0))
    assert not verdict.passed
    assert [rule.value for rule in verdict.rules] == [None, None, None]


def test_the_table_shows_every_rule() -> None:
    verdict = decide(GOOD | {"auc": math.nan}, THRESHOLDS)
    table = as_table(GateReport(winner="simple_cnn", **verdict.model_dump()))
    assert table.title == "Gate failed: simple_cnn"
    assert list(table.columns[1].cells) == ["not defined", "0.700", "1.000"]
