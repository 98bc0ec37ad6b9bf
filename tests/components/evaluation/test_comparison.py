import math
from dataclasses import replace

import numpy as np
import pytest

from components.bundle import Calibration
from components.evaluation.comparison import Decision, fit_decision, make_contender, rank
from components.evaluation.predictions import Predictions
from components.params import EvaluateParams

PARAMS = EvaluateParams(select_by="auc", bootstrap=20, confidence=0.95, seed=0)


def decision(**val: float) -> Decision:
    return Decision(Calibration(), None, 0.5, val)


@pytest.mark.parametrize(
    ("select_by", "decisions", "expected"),
    [
        ("auc", {"a": decision(auc=0.7, log_loss=0.1), "b": decision(auc=0.9, log_loss=0.9)}, ["b", "a"]),
        (
            "log_loss",
            {"a": decision(auc=0.7, log_loss=0.9), "b": decision(auc=0.6, log_loss=0.1)},
            ["b", "a"],
        ),
        ("auc", {"a": decision(auc=0.9, log_loss=0.5), "b": decision(auc=0.9, log_loss=0.4)}, ["b", "a"]),
        ("auc", {"b": decision(auc=0.9, log_loss=0.4), "a": decision(auc=0.9, log_loss=0.4)}, ["a", "b"]),
        ("f1", {"a": decision(f1=math.nan, log_loss=0.1), "b": decision(f1=0.1, log_loss=0.9)}, ["b", "a"]),
        (
            "auc",
            {"a": decision(auc=math.nan, log_loss=0.5), "b": decision(auc=math.nan, log_loss=0.4)},
            ["b", "a"],
        ),
    ],
)
def test_rank(select_by: str, decisions: dict[str, Decision], expected: list[str]) -> None:
    assert rank(decisions, select_by) == expected


def predictions(people: int, seed: int) -> Predictions:
    random = np.random.default_rng(seed)
    rows = [
        {
            "video_id": f"{label}/{person}",
            "group": str(person),
            "label": label,
            "method": ("swap", "flicker")[person % 2] if label else "none",
            "logit": random.normal(2.0 * label - 1.0),
        }
        for person in range(people)
        for label in (0, 1)
    ]
    return Predictions.of(rows)


def test_test_labels_move_figures_but_no_decision() -> None:
    settled, test = fit_decision(predictions(15, seed=1)), predictions(12, seed=2)
    honest = make_contender("a", settled, test, PARAMS)
    turned = make_contender("a", settled, replace(test, labels=1 - test.labels), PARAMS)
    assert turned.decision == honest.decision
    assert np.array_equal(turned.probabilities, honest.probabilities)
    assert turned.metrics["auc"].value == pytest.approx(1 - honest.metrics["auc"].value)


def test_methods_are_each_held_against_all_genuine_videos() -> None:
    test = predictions(12, seed=2)
    # The swaps score above everything, the flickers below.
    logits = np.where(test.labels == 0, 0.0, np.where(np.asarray(test.methods) == "swap", 1.0, -1.0))
    found = make_contender("a", decision(), replace(test, logits=logits), PARAMS)
    assert {method: auc.value for method, auc in found.methods.items()} == {"swap": 1.0, "flicker": 0.0}
    assert found.metrics["auc"].value == 0.5


def test_called_follows_the_threshold_and_its_boundary() -> None:
    test = predictions(2, seed=0)
    found = make_contender("a", decision(), replace(test, logits=np.array([-1.0, 0.0, 1.0, -0.1])), PARAMS)
    assert found.called.tolist() == [0, 1, 1, 0]
