import math

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, log_loss, precision_score, recall_score, roc_auc_score

from components.evaluation.metrics import area, equal_error_rate, mean_log_loss, measure, roc
from components.metric_names import METRICS


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.9])
def test_agrees_with_scikit_learn(seed: int, threshold: float) -> None:
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, 60)
    probabilities = np.round(random.random(60) * 0.6 + labels * 0.4, 1)  # rounded: with ties
    called = probabilities >= threshold
    expected = {
        "auc": roc_auc_score(labels, probabilities),
        "f1": f1_score(labels, called),
        "accuracy": accuracy_score(labels, called),
        "precision": precision_score(labels, called),
        "recall": recall_score(labels, called),
        "log_loss": log_loss(labels, probabilities),
    }
    found = measure(labels, probabilities, threshold)
    assert tuple(found) == METRICS
    assert {name: found[name] for name in expected} == pytest.approx(expected)


@pytest.mark.parametrize(
    ("labels", "probabilities", "expected"),
    [
        ([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9], 0.0),
        ([1, 1, 0, 0], [0.1, 0.2, 0.8, 0.9], 1.0),
        ([0, 0, 1, 1], [0.1, 0.7, 0.3, 0.9], 0.5),
        ([0, 1, 0, 1], [0.5, 0.5, 0.5, 0.5], 0.5),
        ([0, 0, 0, 0, 1, 1, 1, 1], [0.1, 0.2, 0.3, 0.7, 0.6, 0.8, 0.85, 0.9], 0.25),
        ([0, 0, 1, 1, 1], [0.1, 0.6, 0.4, 0.8, 0.9], 1 / 3),  # crossed on the horizontal part of the curve
    ],
)
def test_equal_error_rate(labels: list[int], probabilities: list[float], expected: float) -> None:
    curve = roc(np.array(labels), np.array(probabilities))
    assert equal_error_rate(*curve) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("labels", "probabilities", "undefined"),
    [
        ([0, 0], [0.1, 0.2], {"auc", "eer", "precision", "recall", "f1"}),
        ([1, 1], [0.8, 0.9], {"auc", "eer"}),
        ([0, 1], [0.1, 0.2], {"precision"}),  # nothing called fake
        ([], [], set(METRICS)),
    ],
)
def test_undefined_figures_are_nan_not_zero(
    labels: list[int], probabilities: list[float], undefined: set[str]
) -> None:
    found = measure(np.array(labels, dtype=np.int64), np.array(probabilities), 0.5)
    assert {name for name, value in found.items() if math.isnan(value)} == undefined


def test_certain_and_wrong_costs_much_but_not_infinity() -> None:
    assert 30 < mean_log_loss(np.array([1]), np.array([0.0])) < 40


def test_area_of_ties_is_half() -> None:
    assert area(np.array([0, 1]), np.array([0.5, 0.5])) == 0.5
