import math

import numpy as np
import pytest

from components.bundle import Interval
from components.evaluation.intervals import Estimate, draw_groups, estimate
from components.evaluation.metrics import area

GROUPS = [f"g{index // 8}" for index in range(160)]  # 20 people, 8 videos each


def test_draws_whole_groups() -> None:
    for indices in draw_groups(["b", "a", "b", "c"], 50, seed=0):
        counts = np.bincount(indices, minlength=4)
        assert counts[0] == counts[2]
        assert counts[0] + counts[1] + counts[3] == 3


def test_draws_are_those_of_the_seed() -> None:
    first, again, other = (list(draw_groups(GROUPS, 5, seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_no_videos_no_draws() -> None:
    assert not list(draw_groups([], 5, seed=0))


def test_drawing_groups_is_wider_than_drawing_videos_where_people_differ() -> None:
    random = np.random.default_rng(3)
    per_person = np.repeat(random.normal(0, 1, 20), 8)  # videos of one person look alike

    def mean(indices: np.ndarray) -> dict[str, float]:
        return {"mean": float(per_person[indices].mean())}

    def width(groups: list[str]) -> float:
        found = estimate(mean, groups, 400, seed=0)["mean"].interval(0.95)
        return found.high - found.low

    by_video = [str(index) for index in range(160)]
    # Eight like videos count as one: the interval is wider by about the root of eight.
    assert width(GROUPS) / width(by_video) == pytest.approx(math.sqrt(8), rel=0.25)


def test_covers_the_truth_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(4)
    hits = 0
    for trial in range(100):
        people = random.normal(0, 1, 30)
        found = estimate(
            lambda i, people=people: {"m": people[i].mean()},
            list("abcdefghijklmnopqrstuvwxyzABCD"),
            200,
            trial,
        )
        drawn = found["m"].interval(0.9)
        hits += drawn.low <= 0 <= drawn.high
    assert 80 <= hits <= 97


def test_resamples_of_one_class_are_skipped() -> None:
    labels, scores = np.array([0, 1]), np.array([0.2, 0.8])
    found = estimate(lambda i: {"auc": area(labels[i], scores[i])}, ["a", "b"], 40, seed=0)["auc"]
    assert 0 < np.isnan(found.resampled).sum() < 40
    assert found.interval(0.95) == Interval(value=1.0, low=1.0, high=1.0)


@pytest.mark.parametrize("estimate", [Estimate(0.5, np.empty(0)), Estimate(0.5, np.array([math.nan]))])
def test_without_resamples_there_is_no_interval(estimate: Estimate) -> None:
    assert estimate.interval(0.95) == Interval(value=0.5)


def test_the_difference_is_paired() -> None:
    noise = np.random.default_rng(5).normal(size=500)
    better, worse = Estimate(0.9, 0.9 + noise), Estimate(0.8, 0.8 + noise)
    found = (better - worse).interval(0.95)
    assert (found.value, found.low, found.high) == pytest.approx((0.1, 0.1, 0.1))
