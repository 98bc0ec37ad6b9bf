from typing import Any

import numpy as np
import pytest

from components.ensemble import combination as room
from components.ensemble.combination import Combination, combine, held_out
from components.errors import TrainingError

HOW: Any = pytest.mark.parametrize("how", ["weighted", "stacked"])


def said(count: int = 200, noises: tuple[float, ...] = (0.5, 0.5, 20.0)) -> tuple[Any, Any]:
    """Margins of members that add noise of these sizes to the truth, and the labels."""
    generator = np.random.default_rng(4)
    labels = np.arange(count) % 2
    truth = 2.0 * labels[:, None] - 1
    return truth + generator.normal(0, noises, (count, len(noises))), labels


def log_loss(found: Combination, margins: Any, labels: Any) -> float:
    return float(np.logaddexp(0, -(2 * labels - 1) * found(margins)).mean())


@HOW
def test_noise_counts_little_and_the_sum_is_better_than_any_member(how: Any) -> None:
    margins, labels = said()
    found = combine(how, margins, labels)
    assert abs(found.weights[2]) < 0.05 * min(found.weights[:2])
    alone = [log_loss(Combination(np.eye(3)[member], 0.0), margins, labels) for member in range(3)]
    assert log_loss(found, margins, labels) < min(alone)


def test_a_member_that_is_turned_round_gets_no_weight_or_a_negative_one() -> None:
    margins, labels = said(noises=(0.5, 0.5))
    margins[:, 1] *= -1
    weighted, stacked = combine("weighted", margins, labels), combine("stacked", margins, labels)
    assert weighted.weights.tolist()[1] == 0.0
    assert weighted.bias == 0.0
    assert stacked.weights[1] < 0 < stacked.weights[0]


@HOW
def test_no_other_weights_nearby_are_better(how: Any) -> None:
    """By the loss that the docstring promises, of which both are the smallest."""
    margins, labels = said(noises=(1.0, 2.0))
    found = combine(how, margins, labels)

    def loss(weights: Any) -> float:
        penalty = room.PENALTY * float(weights @ weights)
        return log_loss(Combination(weights, found.bias), margins, labels) + penalty

    best = loss(found.weights)
    for step in ([0.01, 0], [-0.01, 0], [0, 0.01], [0, -0.01]):
        assert loss(found.weights + step) > best


@HOW
def test_members_that_separate_the_videos_get_finite_weights(how: Any) -> None:
    margins, labels = said(noises=(0.0, 0.0))
    assert np.abs(combine(how, margins, labels).weights).max() < 50


def test_a_video_is_scored_by_weights_that_its_people_had_no_part_in(monkeypatch: pytest.MonkeyPatch) -> None:
    margins, labels = said(40)
    groups = np.arange(40) // 4
    margins[:, 2] = groups  # the group of a video can be read off it
    learnt: list[set[int]] = []

    def watched(how: Any, given: Any, told: Any) -> Any:
        learnt.append(set(given[:, 2].astype(int).tolist()))
        return lambda part: np.array([len(learnt[-1] & {int(group)}) for group in part[:, 2]], float)

    monkeypatch.setattr(room, "combine", watched)
    assert held_out("weighted", list(margins[:, None]), labels, groups, 5).tolist() == [0.0] * 40
    assert len(learnt) == 5


@pytest.mark.parametrize(("groups", "parts"), [([0, 0, 1, 1, 2, 2], 3), ([0, 1, 0, 1, 0, 1], None)])
def test_as_many_parts_as_the_people_allow(groups: list[int], parts: int | None) -> None:
    margins, labels = said(6)
    found = np.array(groups)
    if parts:
        assert np.isfinite(held_out("weighted", list(margins[:, None]), labels, found, 5)).all()
        return
    with pytest.raises(TrainingError, match="too few groups of people"):
        held_out("weighted", list(margins[:, None]), labels, found, 5)


@HOW
def test_a_class_that_one_part_of_the_people_has_alone(how: Any) -> None:
    """Both classes have two groups, but the parts fall so that one of them holds a whole class."""
    labels, groups = np.array([1, 1, 0, 0]), np.array([0, 1, 0, 2])
    with pytest.raises(TrainingError, match="too few groups of people"):
        held_out(how, list(np.ones((4, 1, 2))), labels, groups, 5)


def test_of_several_faces_the_highest_sum_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in serving, where members cannot each choose a face of their own."""
    monkeypatch.setattr(room, "combine", lambda *_: Combination(np.ones(2), 0.0))
    faces = [np.array([[3.0, -1.0], [-2.0, 4.0], [0.0, 1.0]])] * 6
    found = held_out("weighted", faces, np.arange(6) % 2, np.arange(6), 3)
    assert found.tolist() == [2.0] * 6  # not 3 + 4
