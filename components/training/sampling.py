"""Which clips an epoch shows, in which order. Every order is a function of (seed, epoch) and last losses.

So a training that was killed goes on exactly as if nothing had happened, whatever it had drawn before.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Sampler

from components.arrays import Floats64, Ints64
from components.params import TrainingParams
from components.training.videos import LABELS, Video


class Draw(NamedTuple):
    """What the sampler asks for: a clip, as it is seen in one epoch."""

    epoch: int
    clip: int
    repeat: int = 0  # how often this epoch has drawn it before; frames and augmentation are others each time
    forged: bool = False  # as a forgery of itself


@dataclass(frozen=True)
class Items:
    """What an epoch draws from: N clips as they are, and then the same N as forgeries of themselves.

    Item i is clip i mod N.
    """

    weights: Floats64  # (2N,), how often each is drawn, relative to the others
    labels: Ints64  # (2N,), 1 is fake
    strata: Ints64  # (2N,): of each, every epoch draws as many as it should, give or take one
    draws: int  # in an epoch
    draws_per_clip: int = 1

    @property
    def clips(self) -> int:
        """N."""
        return len(self.weights) // 2

    @property
    def drawn_by_class(self) -> Tensor:
        """`(2,)`, how many of each class an epoch draws on average."""
        by_class = np.bincount(self.labels, self.weights, minlength=2)
        return torch.tensor(by_class / by_class.sum() * self.draws, dtype=torch.float32)

    def draw(self, epoch: int, item: int, earlier: int) -> Draw:
        return Draw(epoch, item % self.clips, earlier, item >= self.clips)


def training_items(videos: Sequence[Video], learning: TrainingParams) -> Items:
    """Returns what an epoch draws from these videos, and how often.

    It draws every clip `draws_per_clip` times and, of the genuine ones, a share `self_blended` as often once
    more, as forgeries of themselves.
    `mix` and `balance` change what the draws go to, and only `balance: oversample` how many they are.
    """
    genuine = np.array([video.label == LABELS["real"] for video in videos])
    weights = np.concatenate([np.ones(len(videos)), genuine * learning.self_blended])
    labels = np.concatenate([~genuine, np.ones(len(videos), bool)]).astype(np.int64)
    datasets = [video.dataset for video in videos] * 2
    by_class = np.bincount(labels, weights, minlength=2)
    drawn = 2 * by_class.max() if learning.balance == "oversample" else by_class.sum()
    weights = weights * [learning.mix.get(name, 1.0) for name in datasets]
    if learning.balance in ("sampler", "oversample"):
        weights = weights / np.bincount(labels, weights, minlength=2)[labels]
    forged = np.arange(len(weights)) >= len(videos)
    strata = list(zip(labels.tolist(), datasets, forged.tolist(), strict=True))
    numbers = {stratum: number for number, stratum in enumerate(sorted(set(strata)))}
    strata_numbers = np.array([numbers[stratum] for stratum in strata])
    draws = round(drawn * learning.draws_per_clip)
    return Items(weights, labels, strata_numbers, draws, learning.draws_per_clip)


def epoch_order(seed: int, epoch: int, items: Items, hardest: Sequence[int] = ()) -> Ints64:
    """Returns the items that an epoch draws, in their order.

    Args:
        seed: of the training.
        epoch: from 0.
        items: what can be drawn.
        hardest: items that are drawn for sure, each as often as any clip; all share what is left of the
            epoch's draws.
    """
    generator = np.random.default_rng((seed, epoch))
    certain = np.repeat(np.array(hardest, np.int64), items.draws_per_clip)
    rest = _systematic(items, items.draws - len(certain), generator)
    return generator.permutation(np.concatenate([certain, rest]))


def _systematic(items: Items, draws: int, generator: np.random.Generator) -> Ints64:
    """Each item as often as its weight says, rounded up or down: equal steps through all weights in a row.

    Items of a stratum lie side by side, so that its share is right, too. Independent draws would leave out a
    third of the clips where all weigh the same.
    """
    shuffled = generator.permutation(len(items.weights))
    order = shuffled[np.argsort(items.strata[shuffled], kind="stable")]
    ends = np.cumsum(items.weights[order]) * (draws / items.weights.sum())
    points = generator.uniform(1e-6, 1 - 1e-6) + np.arange(draws)  # never on the border of two items
    return order[np.searchsorted(ends, points)]


def hardest(losses: Floats64, count: int) -> list[int]:
    """The items of the highest losses, highest first; a NaN, of an item that was not drawn yet, is none."""
    known = np.flatnonzero(~np.isnan(losses))
    indices: list[int] = known[np.argsort(-losses[known], kind="stable")][:count].tolist()
    return indices


class EpochSampler(Sampler[Draw]):
    """The draws of an epoch.

    Args:
        items: what is drawn from.
        seed: of the training.
        hard_examples: share of an epoch's draws that goes to the items with the highest `losses`.
    """

    def __init__(self, items: Items, seed: int, hard_examples: float = 0.0) -> None:
        self.items = items
        self.losses: Floats64 = np.full(len(items.weights), np.nan)
        """Of each item, when it was last drawn; NaN if it never was. `HardExamples` sets them."""
        self._seed = seed
        self._hard = round(hard_examples * items.draws / items.draws_per_clip)
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Lightning calls this before each epoch."""
        self._epoch = epoch

    def __len__(self) -> int:
        return self.items.draws

    def __iter__(self) -> Iterator[Draw]:
        order = epoch_order(self._seed, self._epoch, self.items, hardest(self.losses, self._hard)).tolist()
        return map(self.items.draw, repeat(self._epoch), order, _repeats(order))


def _repeats(order: Sequence[int]) -> list[int]:
    """Counts for each place how often its item has come before."""
    seen = Counter[int]()
    repeats = []
    for item in order:
        repeats.append(seen[item])
        seen[item] += 1
    return repeats
