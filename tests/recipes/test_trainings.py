"""What recipes learn, and what they must not: their own networks and rates, small pictures."""

import pytest

from benchmarks.recipe_trainings import ENOUGH, overfit, shuffled
from benchmarks.recipes import (
    BLIND,
    EPOCHS,
    LEARNT,
    MOST_EPOCHS,
    ROOT,
    by_chance,
    by_heart,
    detectors,
    recipe,
    smaller,
)
from components.params.recipes import recipe_names

pytestmark = pytest.mark.full
NAMES = detectors(recipe_names(ROOT / "recipes"))
each = pytest.mark.parametrize("name", NAMES)


@each
def test_eight_clips_are_learnt_by_heart(name: str) -> None:
    assert overfit(smaller(recipe(name), by_heart(name)), name, EPOCHS.get(name, MOST_EPOCHS)).auc >= ENOUGH


@each
def test_nothing_is_learnt_from_labels_that_mean_nothing(name: str) -> None:
    assert shuffled(smaller(recipe(name), by_chance(name)), name).auc == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in BLIND])
def test_the_same_people_with_their_right_labels_are_learnt(name: str) -> None:
    assert shuffled(smaller(recipe(name), by_chance(name)), name, really=False).best > LEARNT
