import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_curve

from components.evaluation.threshold import youden_threshold


@pytest.mark.parametrize(
    ("labels", "probabilities", "expected"),
    [
        ([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9], 0.5),  # the middle of the gap
        ([0, 0, 1, 1], [0.1, 0.3, 0.4, 0.9], 0.35),
        ([0, 1, 0, 1], [0.2, 0.3, 0.4, 0.9], 0.65),  # J ties at 0.25 and 0.65: the widest gap
        ([0, 1, 0, 1], [0.1, 0.3, 0.6, 0.8], 0.7),  # equal gaps: the one nearest to 0.5
        ([0, 1, 0, 1], [0.2, 0.4, 0.6, 0.8], 0.3),  # all equal: the lower
        ([0, 0], [0.1, 0.9], 0.5),  # one class
        ([0, 1], [0.3, 0.3], 0.5),  # nothing to part
        ([], [], 0.5),
    ],
)
def test_table(labels: list[int], probabilities: list[float], expected: float) -> None:
    found = youden_threshold(np.array(labels, dtype=np.int64), np.array(probabilities))
    assert found == pytest.approx(expected)


def test_neighbouring_floats_are_still_parted() -> None:
    low = 0.7
    high = float(np.nextafter(low, 1.0))
    assert youden_threshold(np.array([0, 1]), np.array([low, high])) == high


@given(
    st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1)), min_size=2, max_size=40),
    st.randoms(use_true_random=False),
)
def test_no_threshold_does_better_and_order_does_not_matter(rows, random) -> None:
    labels, probabilities = map(np.array, zip(*rows, strict=True))
    found = youden_threshold(labels, probabilities)
    assert 0.0 <= found <= 1.0
    random.shuffle(rows)
    assert youden_threshold(*map(np.array, zip(*rows, strict=True))) == found
    if len(set(labels)) == 2 and len(set(probabilities)) > 1:
        false_positives, true_positives, _ = roc_curve(labels, probabilities)
        called = probabilities >= found
        j = called[labels == 1].mean() - called[labels == 0].mean()
        interior = (true_positives - false_positives)[1:-1]  # the ends call all or nothing fake
        assert j >= interior.max(initial=-1.0) - 1e-9
