"""How far a figure may be from the truth: the percentile bootstrap over identity groups.

Videos of one person are not independent, so whole groups are drawn: drawing videos would make the intervals
too narrow (Davison & Hinkley, 1997, "Bootstrap Methods and their Application", section 3.8). A known limit of
the percentile bootstrap: where every resample is perfect, so are both ends of the interval.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from components.arrays import Floats64, Ints64
from components.bundle import Interval

Statistic = Callable[[Ints64], Mapping[str, float]]
"""Named figures of the videos at these indices."""


@dataclass(frozen=True)
class Estimate:
    """A figure on all videos, and on every resample of them: NaN where it is not defined there."""

    value: float
    resampled: Floats64

    def __sub__(self, other: "Estimate") -> "Estimate":
        """Returns the paired difference; both must come from the same draws."""
        return Estimate(self.value - other.value, self.resampled - other.resampled)

    def interval(self, confidence: float) -> Interval:
        """The central `confidence` share of the resamples; those without a value (one class) are skipped."""
        defined = self.resampled[~np.isnan(self.resampled)]
        if math.isnan(self.value) or not len(defined):
            return Interval(value=self.value)
        tail = (1.0 - confidence) / 2
        low, high = np.quantile(defined, [tail, 1.0 - tail])
        return Interval(value=self.value, low=float(low), high=float(high))


def estimate(statistic: Statistic, groups: Sequence[str], resamples: int, seed: int) -> dict[str, Estimate]:
    """Returns each figure of `statistic` with its resamples."""
    whole = statistic(np.arange(len(groups)))
    rows = [statistic(indices) for indices in draw_groups(groups, resamples, seed)]
    return {name: Estimate(value, np.array([row[name] for row in rows])) for name, value in whole.items()}


def draw_groups(groups: Sequence[str], resamples: int, seed: int) -> Iterator[Ints64]:
    """Draws indices of the videos of as many groups as there are, drawn with replacement.

    The same groups and seed give the same draws, so figures of several candidates on the same videos are
    paired: their difference can be taken resample by resample.

    Args:
        groups: (N,) the identity group of each video.
        resamples: how many draws.
        seed: of the random generator.
    """
    if not len(groups):
        return
    random = np.random.default_rng(seed)
    _, of_video, sizes = np.unique(np.asarray(groups), return_inverse=True, return_counts=True)
    members = np.split(np.argsort(of_video, kind="stable"), np.cumsum(sizes)[:-1])
    for _ in range(resamples):
        drawn = random.integers(len(members), size=len(members))
        yield np.concatenate([members[group] for group in drawn])
