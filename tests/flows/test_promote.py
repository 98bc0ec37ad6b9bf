import pytest

from flows.promote import Comparison, auc, decide


@pytest.mark.parametrize(
    ("reigning", "found", "promoted", "told"),
    [
        (None, None, True, "first champion"),
        ("1", Comparison(0.9, 0.8, 12), True, "replaces champion 1: AUC 0.900 against 0.800 on the same 12"),
        ("1", Comparison(0.8, 0.8, 12), False, "stays challenger"),
        ("1", Comparison(0.7, 0.8, 12), False, "stays challenger"),
        ("1", Comparison(None, None, 0), False, "cannot be compared"),
    ],
)
def test_decide(reigning: str | None, found: Comparison | None, promoted: bool, told: str) -> None:
    outcome = decide("2", reigning, found)
    assert (outcome.version, outcome.promoted) == ("2", promoted)
    assert told in outcome.reason


def test_auc_needs_both_classes() -> None:
    assert auc([False, True, True], [0.1, 0.9, 0.8]) == 1.0
    assert auc([True, False], [0.1, 0.9]) == 0.0
    assert auc([True, True], [0.1, 0.9]) is None
