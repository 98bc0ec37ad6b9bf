from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from components.params import CandidateParams, Params
from components.training.losses import class_weights, weighted_mean
from components.training.sampling import (
    EpochSampler,
    Items,
    epoch_order,
    hardest,
    training_items,
)
from components.training.videos import Video


def videos(real: int, fake: int, dataset: str = "data") -> list[Video]:
    labels = [0] * real + [1] * fake
    return [Video(f"{dataset}{n}", "g", "train", label, "", "", dataset) for n, label in enumerate(labels)]


@pytest.fixture
def learning(params: Params) -> Callable[..., CandidateParams]:
    def change(**settings: Any) -> CandidateParams:
        return params.candidates["simple_cnn"].model_copy(update=settings)

    return change


def even(clips: int, draws_per_clip: int = 1) -> Items:
    nothing = np.zeros(2 * clips, np.int64)
    weights = np.repeat([1.0, 0.0], clips)
    return Items(weights, nothing, nothing, clips * draws_per_clip, draws_per_clip)


def test_without_more_every_clip_comes_once_in_an_order_of_the_epoch() -> None:
    sampler = EpochSampler(even(10), seed=3)
    orders = []
    for epoch in (0, 1, 0):
        sampler.set_epoch(epoch)
        orders.append(list(sampler))
        assert {(draw.epoch, draw.repeat, draw.forged) for draw in orders[-1]} == {(epoch, 0, False)}
        assert sorted(draw.clip for draw in orders[-1]) == list(range(10))
    assert orders[0] == orders[2]
    assert [draw.clip for draw in orders[0]] != [draw.clip for draw in orders[1]]
    assert len(sampler) == 10


@pytest.mark.parametrize(
    ("settings", "reals", "fakes"),  # of 8 genuine and 92 fake clips
    [
        ({}, {1}, {1}),
        ({"balance": "sampler"}, {6, 7}, {0, 1}),
        ({"balance": "oversample"}, {11, 12}, {1}),
        ({"balance": "weights"}, {1}, {1}),
        ({"hard_examples": 0.1}, {1}, {1}),  # no loss is known yet
        ({"draws_per_clip": 3}, {3}, {3}),
        ({"draws_per_clip": 2, "balance": "sampler"}, {12, 13}, {1, 2}),
        ({"draws_per_clip": 2, "balance": "oversample"}, {23}, {2}),
    ],
)
def test_how_often_a_clip_is_drawn(learning: Any, settings: Any, reals: set[int], fakes: set[int]) -> None:
    items = training_items(videos(8, 92), learning(**settings))
    drawn = np.bincount(epoch_order(1, 0, items), minlength=200)
    whole = 184 if settings.get("balance") == "oversample" else 100
    assert drawn.sum() == whole * settings.get("draws_per_clip", 1)
    assert (set(drawn[:8]), set(drawn[8:100]), drawn[100:].sum()) == (reals, fakes, 0)


def test_balanced_classes_are_drawn_equally_often(learning: Any) -> None:
    items = training_items(videos(8, 92), learning(balance="sampler"))
    for epoch in range(5):
        drawn = items.labels[epoch_order(1, epoch, items)]
        assert drawn.sum() == 50
    assert items.drawn_by_class.tolist() == [50, 50]


def test_balanced_weights_count_both_classes_the_same(learning: Any) -> None:
    drawn = training_items(videos(8, 92), learning(balance="weights")).drawn_by_class
    weights = class_weights(drawn)
    assert drawn.tolist() == [8, 92]
    assert (weights * drawn).tolist() == pytest.approx([50, 50])


@pytest.mark.parametrize("batch_size", [1, 8, 100])
def test_they_do_so_in_batches_of_any_size(batch_size: int) -> None:
    """Of which most lack the rare class."""
    labels = torch.from_numpy(np.random.default_rng(0).permutation([0] * 184 + [1] * 16))
    weights = class_weights(torch.bincount(labels).float())
    batches = [labels[start : start + batch_size] for start in range(0, 200, batch_size)]
    found = [
        sum(float(weighted_mean((part == label).float(), part, weights)) for part in batches)
        for label in (0, 1)
    ]
    assert found == pytest.approx([len(batches) / 2] * 2)


def test_a_mixed_dataset_is_drawn_as_often_as_its_weight_says(learning: Any) -> None:
    mixed = [*videos(10, 10, "a"), *videos(10, 10, "b")]
    items = training_items(mixed, learning(mix={"b": 3.0}))
    drawn = np.bincount(epoch_order(1, 0, items), minlength=80)
    assert [drawn[start : start + 20].sum() for start in (0, 20, 40, 60)] == [10, 30, 0, 0]
    assert [drawn[start : start + 10].sum() for start in (20, 30)] == [15, 15]  # of both classes


@pytest.mark.parametrize(
    ("settings", "real", "fake", "forged"),
    [
        ({"self_blended": 1.0}, 12, 8, 12),
        ({"self_blended": 0.5}, 12, 8, 6),
        ({"self_blended": 0.5, "balance": "sampler"}, 13, 7, 6),
    ],
)
def test_genuine_clips_are_drawn_as_forgeries_of_themselves_too(
    learning: Any, settings: Any, real: int, fake: int, forged: int
) -> None:
    sampler = EpochSampler(training_items(videos(12, 8), learning(**settings)), seed=1)
    draws = list(sampler)
    kinds = Counter(("forged" if draw.forged else "real" if draw.clip < 12 else "fake") for draw in draws)
    for kind, expected in (("real", real), ("fake", fake), ("forged", forged)):
        assert abs(kinds[kind] - expected) <= 1
    assert all(draw.clip < 12 for draw in draws if draw.forged)
    assert len(draws) == len(sampler) == len(set(draws))


def test_genuine_clips_alone_make_both_classes(learning: Any) -> None:
    items = training_items(videos(6, 0), learning(self_blended=1.0, learn_from="genuine"))
    assert sorted(epoch_order(1, 0, items)) == list(range(12))
    assert items.drawn_by_class.tolist() == [6, 6]


@pytest.mark.parametrize(
    ("losses", "count", "found"),
    [
        ([0.1, 0.9, 0.5, 0.7], 2, [1, 3]),
        ([0.5, 0.5, 0.5], 2, [0, 1]),
        ([np.nan, 0.2, np.nan], 2, [1]),
        ([np.nan, np.nan], 1, []),
        ([0.1, np.inf], 1, [1]),
        ([0.1, 0.2], 0, []),
    ],
)
def test_the_hardest(losses: list[float], count: int, found: list[int]) -> None:
    assert hardest(np.array(losses), count) == found


def test_the_hardest_get_their_share_and_the_others_the_rest() -> None:
    sampler = EpochSampler(even(20), seed=3, hard_examples=0.25)
    sampler.losses = np.arange(40.0) % 20
    sampler.losses[20:] = np.nan
    draws = list(sampler)
    drawn = Counter(draw.clip for draw in draws)
    assert len(draws) == 20
    assert all(drawn[clip] >= 1 for clip in range(15, 20))
    assert sum(drawn.values()) - len(drawn) == sum(draw.repeat for draw in draws) > 0
    assert len(set(draws)) == 20  # what comes twice is told apart


@pytest.mark.parametrize("draws_per_clip", [1, 2, 16])
def test_mining_gives_the_hardest_their_share_however_often_clips_are_drawn(draws_per_clip: int) -> None:
    sampler = EpochSampler(even(100, draws_per_clip), seed=3, hard_examples=0.3)
    sampler.losses = np.arange(200.0) % 100
    sampler.losses[100:] = np.nan
    draws = list(sampler)
    hard = sum(draw.clip >= 70 for draw in draws) / len(draws)
    assert len(draws) == 100 * draws_per_clip
    assert hard == pytest.approx(0.3 + 0.7 * 0.3, abs=0.07)  # theirs, and their part of the rest


@given(
    weights=st.lists(st.integers(0, 9), min_size=2, max_size=30).filter(any),
    draws=st.integers(1, 60),
    epoch=st.integers(0, 3),
)
def test_every_item_as_often_as_its_weight_says_give_or_take_one(
    weights: list[int], draws: int, epoch: int
) -> None:
    labels = np.arange(len(weights)) % 2
    items = Items(np.array(weights, float), labels, labels, draws)
    order = epoch_order(5, epoch, items)
    expected = items.weights / items.weights.sum() * draws
    assert len(order) == draws
    assert (abs(np.bincount(order, minlength=len(weights)) - expected) < 1 + 1e-3).all()
    by_class = np.bincount(labels, expected)
    assert (abs(np.bincount(labels[order], minlength=2) - by_class) < 1 + 1e-3).all()
    assert (order == epoch_order(5, epoch, items)).all()
