"""The dealer: brings units of videos to splits, near the shares in every stratum. Pure."""

import math
import random
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from components.ingest.groups import Group, Sample
from components.ingest.layouts.base import LABELS, SPLITS, Label, Split

Stratum = tuple[str, ...]
Classes = frozenset[Label]
Kind = tuple[Classes, frozenset[Split]]
"""What a unit can do for the splits: the classes it holds, and where it may go."""

BOTH: Classes = frozenset(LABELS)
ENOUGH = 2 * len(SPLITS)
"""More units of one kind than this are never needed to bring both classes to all splits."""


@dataclass(frozen=True)
class Unit:
    """Videos that are dealt together.

    Attributes:
        strata: how many videos of each stratum it holds.
        classes: the labels of the videos that are sure to go with it.
        allowed: the splits it may go to; at least one.
        split: where it must go, if that is settled.
    """

    name: Group
    strata: Mapping[Stratum, int]
    classes: Classes
    allowed: frozenset[Split]
    split: Split | None = None


def strata(samples: Iterable[Sample]) -> Counter[Stratum]:
    """How many videos there are in all, of each label, and of each label and method."""
    counts: Counter[Stratum] = Counter()
    for label, method in ((sample.label or "", sample.method) for sample in samples):
        counts.update(((), (label,), (label, method)))
    return counts


def classes(samples: Iterable[Sample]) -> Classes:
    """The labels that stand there."""
    return frozenset(sample.label for sample in samples if sample.label)


def deal(units: Iterable[Unit], shares: Mapping[Split, float], seed: int) -> dict[Group, Split]:
    """Deal units to splits, near the shares of videos in every stratum (label × method).

    Settled units come first. The others are shuffled and dealt from the largest to the smallest, each to the
    split where it brings the strata nearest to their targets, in the manner of iterative stratification
    (Sechidis et al., 2011, https://doi.org/10.1007/978-3-642-23808-6_10). No step is taken that would leave a
    split without one of the classes where that can be avoided; where there are too few units for three
    splits, train and test come first.

    Args:
        units: in any order, no name twice among those that are not settled.
        shares: of the videos, for each split that is dealt to.
        seed: shuffles units of the same size.
    """
    dealer = _Dealer(list(units), shares)
    for unit in _order(dealer.waiting, seed):
        dealer.place(unit, dealer.best_split(unit))
    return dealer.placed


def _order(units: Iterable[Unit], seed: int) -> list[Unit]:
    """Largest first, since small ones can still even out what large ones left; shuffled among equals."""
    shuffled = sorted(units, key=lambda unit: unit.name)
    random.Random(seed).shuffle(shuffled)  # noqa: S311 - not for secrets
    return sorted(shuffled, key=lambda unit: -unit.strata.get((), 0))


@lru_cache(maxsize=4096)
def _can_cover(needs: tuple[tuple[Split, Classes], ...], offers: frozenset[tuple[Kind, int]]) -> bool:
    """Tell whether the offered units can bring each split the classes that it needs, by trying."""
    if not needs:
        return True
    (split, wanted), *others = needs
    for (held, allowed), count in offers:
        if split in allowed and held & wanted:
            rest = wanted - held
            still = ((split, rest), *others) if rest else tuple(others)
            left = offers - {((held, allowed), count)} | _offer((held, allowed), count - 1)
            if _can_cover(still, left):
                return True
    return False


def _offer(kind: Kind, count: int) -> frozenset[tuple[Kind, int]]:
    return frozenset({(kind, min(count, ENOUGH))} if count > 0 and kind[0] else ())


class _Dealer:
    """Units that wait, splits that fill, and how far each stratum is from its target."""

    def __init__(self, units: list[Unit], shares: Mapping[Split, float]) -> None:
        self.shares = shares
        self.waiting = [unit for unit in units if unit.split is None]
        self.offers = Counter((unit.classes, unit.allowed) for unit in units)
        self.filled: dict[Split, Counter[Stratum]] = {split: Counter() for split in SPLITS}
        self.needs = dict.fromkeys(SPLITS, BOTH)
        self.totals: Counter[Stratum] = Counter()
        for unit in units:
            self.totals.update(unit.strata)
        self.placed: dict[Group, Split] = {}
        for unit in units:
            if unit.split is not None:
                self.place(unit, unit.split)
        self.covered = self._coverable_splits()

    def place(self, unit: Unit, split: Split) -> None:
        self.placed[unit.name] = split
        self.filled[split].update(unit.strata)
        self.needs[split] -= unit.classes
        self.offers[unit.classes, unit.allowed] -= 1

    def best_split(self, unit: Unit) -> Split:
        """The split nearest to its targets with this unit, of those after which all can still be covered."""
        allowed = [split for split in self.shares if split in unit.allowed]
        kept = [split for split in allowed if self._stays_coverable(unit, split)]
        return min(kept or allowed, key=lambda split: self._cost(unit, split))

    def _coverable_splits(self) -> tuple[Split, ...]:
        """The splits that are to hold both classes: all of them, or as many as the units allow."""
        choices: tuple[tuple[Split, ...], ...] = (SPLITS, ("train", "test"), ("train",))
        kept = (tuple(split for split in choice if split in self.shares) for choice in choices)
        return next((splits for splits in kept if self._coverable(splits, self.needs)), ())

    def _stays_coverable(self, unit: Unit, split: Split) -> bool:
        if not any(self.needs[covered] for covered in self.covered):
            return True
        kind = (unit.classes, unit.allowed)
        self.offers[kind] -= 1
        coverable = self._coverable(self.covered, {**self.needs, split: self.needs[split] - unit.classes})
        self.offers[kind] += 1
        return coverable

    def _coverable(self, splits: tuple[Split, ...], needs: Mapping[Split, Classes]) -> bool:
        offers = frozenset[tuple[Kind, int]]().union(*(_offer(*offer) for offer in self.offers.items()))
        return _can_cover(tuple((split, needs[split]) for split in splits if needs[split]), offers)

    def _cost(self, unit: Unit, split: Split) -> float:
        """Growth of the chi-squared distance of all strata from their targets, but for a constant."""
        filled, share = self.filled[split], self.shares[split]
        return math.fsum(
            count * (count + 2 * filled[stratum]) / (share * self.totals[stratum])
            for stratum, count in unit.strata.items()
        )
