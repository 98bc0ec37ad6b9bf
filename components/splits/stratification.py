"""Assigns units of videos to splits, near the shares in every stratum, with enough of each class. Pure."""

import math
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from components.datasets.layouts.base import LABELS, SPLITS, Split
from components.splits.groups import Group, Sample

Stratum = tuple[str, ...]
Counts = tuple[int, ...]
"""How many videos of each label, in the order of `LABELS`."""
Kind = tuple[Counts, frozenset[Split]]
"""What a unit can do for the splits: what it holds, as far as it is asked for, and where it may go."""
Needs = tuple[tuple[Split, Counts], ...]
"""What splits still lack; those that lack nothing are not named."""

MOST_STEPS = 5_000
"""Of one search; where it takes more, there is taken to be no way."""


@dataclass(frozen=True)
class Unit:
    """Videos that are assigned together.

    Attributes:
        strata: how many videos of each stratum it holds.
        counts: how many videos of each label are sure to go with it, copies counted once.
        allowed: the splits it may go to; at least one.
        split: where it must go, if that is settled.
    """

    name: Group
    strata: Mapping[Stratum, int]
    counts: Counts
    allowed: frozenset[Split]
    split: Split | None = None


def strata(samples: Iterable[Sample]) -> Counter[Stratum]:
    """Returns how many videos there are in all, of each label, and of each label and method."""
    counts: Counter[Stratum] = Counter()
    for label, method in ((sample.label or "", sample.method) for sample in samples):
        counts.update(((), (label,), (label, method)))
    return counts


def stratify(
    units: Iterable[Unit], shares: Mapping[Split, float], seed: int, least: int = 1
) -> dict[Group, Split]:
    """Assigns units to splits, near the shares of videos in every stratum (label × method).

    Settled units come first. The others are shuffled and assigned from the largest to the smallest, each to
    the split where it brings the strata nearest to their targets, in the manner of iterative stratification
    (Sechidis et al., 2011, https://doi.org/10.1007/978-3-642-23808-6_10). No step is taken that would leave a
    split with fewer than `least` videos of a class where that can be avoided. Where there are too few units
    for that, all splits get as many as can be had, and where there are too few for three splits, train and
    test come first.

    Args:
        units: in any order, no name twice among those that are not settled.
        shares: of the videos, for each split that is assigned to.
        seed: shuffles units of the same size.
        least: videos of each class in each split; at least one is always aimed at.
    """
    stratification = _Stratification(list(units), shares, max(least, 1))
    for unit in _order(stratification.waiting, seed):
        stratification.place(unit, stratification.best_split(unit))
    return stratification.placed


def _order(units: Iterable[Unit], seed: int) -> list[Unit]:
    """Largest first, since small ones can still even out what large ones left; shuffled among equals."""
    shuffled = sorted(units, key=lambda unit: unit.name)
    random.Random(seed).shuffle(shuffled)  # noqa: S311 - not for secrets
    return sorted(shuffled, key=lambda unit: -unit.strata.get((), 0))


class _Search:
    """Whether units can bring splits what these lack, by trying; what was found out is remembered."""

    def __init__(self, kinds: Mapping[Kind, int], most_steps: int = MOST_STEPS) -> None:
        self._kinds = sorted(kinds, key=lambda kind: (kind[0], sorted(kind[1])), reverse=True)
        self._start = tuple(kinds[kind] for kind in self._kinds)
        self._failed: set[tuple[Needs, Counts]] = set()
        self._steps_left = most_steps

    def succeeds(self, needs: Needs) -> bool:
        return self._covers(needs, self._start)

    def _covers(self, needs: Needs, left: Counts) -> bool:
        if not needs:
            return True
        self._steps_left -= 1
        if self._steps_left < 0 or (needs, left) in self._failed or not self._suffices(needs, left):
            return False
        if any(self._covers(*after) for after in self._after(needs, left)):
            return True
        self._failed.add((needs, left))
        return False

    def _suffices(self, needs: Needs, left: Counts) -> bool:
        """Returns whether there is enough of each class, were each video to be had alone."""
        splits = {split for split, _ in needs}
        useful = [
            (held, count)
            for (held, allowed), count in zip(self._kinds, left, strict=True)
            if not splits.isdisjoint(allowed)
        ]
        return all(
            sum(held[label] * count for held, count in useful) >= sum(lacking[label] for _, lacking in needs)
            for label in range(len(LABELS))
        )

    def _after(self, needs: Needs, left: Counts) -> Iterator[tuple[Needs, Counts]]:
        """Yields what is lacking, and what is left, after each unit that helps the first split."""
        (split, lacking), *others = needs
        for index, (held, allowed) in enumerate(self._kinds):
            if left[index] and split in allowed and any(map(min, held, lacking)):
                rest = _less(lacking, held)
                still = ((split, rest), *others) if any(rest) else tuple(others)
                yield still, (*left[:index], left[index] - 1, *left[index + 1 :])


def _less(counts: Counts, others: Counts) -> Counts:
    return tuple(max(count - other, 0) for count, other in zip(counts, others, strict=True))


class _Stratification:
    """Units that wait, splits that fill, and how far each stratum is from its target."""

    def __init__(self, units: list[Unit], shares: Mapping[Split, float], least: int) -> None:
        self.shares = shares
        self.waiting = [unit for unit in units if unit.split is None]
        self.offers = Counter((unit.counts, unit.allowed) for unit in self.waiting)
        self.filled: dict[Split, Counter[Stratum]] = {split: Counter() for split in SPLITS}
        self.held: dict[Split, Counts] = dict.fromkeys(SPLITS, (0,) * len(LABELS))
        self.totals: Counter[Stratum] = Counter()
        for unit in units:
            self.totals.update(unit.strata)
        self.placed: dict[Group, Split] = {}
        for unit in units:
            if unit.split is not None:
                self._fill(unit, unit.split)
        self.covered, self.least = self._aims(least)

    def place(self, unit: Unit, split: Split) -> None:
        self._fill(unit, split)
        self.offers[unit.counts, unit.allowed] -= 1

    def best_split(self, unit: Unit) -> Split:
        """The split nearest to its targets with this unit, of those after which all can still be covered."""
        allowed = [split for split in self.shares if split in unit.allowed]
        kept = [split for split in allowed if self._stays_coverable(unit, split)]
        return min(kept or allowed, key=lambda split: self._cost(unit, split))

    def _fill(self, unit: Unit, split: Split) -> None:
        self.placed[unit.name] = split
        self.filled[split].update(unit.strata)
        self.held[split] = _sum(self.held[split], unit.counts)

    def _aims(self, least: int) -> tuple[tuple[Split, ...], int]:
        """The splits that are to hold so many videos of each class: all of them, or as many as can."""
        choices: tuple[tuple[Split, ...], ...] = (SPLITS, ("train", "test"), ("train",))
        for choice in choices:
            splits = tuple(split for split in choice if split in self.shares)
            for count in range(least, 0, -1):
                if self._coverable(_needs(self.held, splits, count), count):
                    return splits, count
        return (), least

    def _stays_coverable(self, unit: Unit, split: Split) -> bool:
        if not _needs(self.held, self.covered, self.least):
            return True
        held = {**self.held, split: _sum(self.held[split], unit.counts)}
        return self._coverable(_needs(held, self.covered, self.least), self.least, without=unit)

    def _coverable(self, needs: Needs, least: int, without: Unit | None = None) -> bool:
        kinds: Counter[Kind] = Counter()
        for (held, allowed), count in self.offers.items():
            kinds[tuple(min(number, least) for number in held), allowed] += count
        if without:
            kinds[tuple(min(number, least) for number in without.counts), without.allowed] -= 1
        # More units of one kind than videos are lacking are never needed.
        most = sum(sum(lacking) for _, lacking in needs)
        offered = {kind: min(count, most) for kind, count in kinds.items() if count and any(kind[0])}
        return _Search(offered).succeeds(needs)

    def _cost(self, unit: Unit, split: Split) -> float:
        """Growth of the chi-squared distance of all strata from their targets, but for a constant."""
        filled, share = self.filled[split], self.shares[split]
        return math.fsum(
            count * (count + 2 * filled[stratum]) / (share * self.totals[stratum])
            for stratum, count in unit.strata.items()
        )


def _needs(held: Mapping[Split, Counts], splits: Iterable[Split], least: int) -> Needs:
    lacking = ((split, _less((least,) * len(LABELS), held[split])) for split in splits)
    return tuple((split, counts) for split, counts in lacking if any(counts))


def _sum(counts: Counts, others: Counts) -> Counts:
    return tuple(map(sum, zip(counts, others, strict=True)))
