"""Identity-disjoint, stratified splits. Pure: no files, no clock, no chance but the seed."""

import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from components.errors import LeakageError, ParamsError
from components.ingest.groups import REMEDY, Group, Sample
from components.ingest.layouts.base import LABELS, SPLITS, Label, Split, some

Stratum = tuple[str, ...]
Classes = frozenset[Label]


def deal(
    samples: Sequence[Sample], groups: Sequence[Group], val_share: float, test_share: float, seed: int
) -> list[Split | None]:
    """Deal groups to splits, near the shares of videos in every stratum (label × method).

    Prescribed splits come first. The other groups are shuffled and dealt from the largest to the smallest,
    each to the split where it brings the strata nearest to their targets, in the manner of iterative
    stratification (Sechidis et al., 2011, https://doi.org/10.1007/978-3-642-23808-6_10). No step is taken
    that would leave a split without one of the classes where that can be avoided; where there are too few
    groups for three splits, train and test come first.

    Returns:
        A split for each sample; None for those that are not usable.

    Raises:
        ParamsError: the shares leave nothing to train on.
        LeakageError: samples of one group have different prescribed splits.
    """
    members: dict[Group, list[Sample]] = defaultdict(list)
    for sample, group in zip(samples, groups, strict=True):
        members[group].append(sample)
    dealer = _Dealer(members, _shares(val_share, test_share), _prescribed(members))
    for group in _order(dealer.waiting, dealer.strata, seed):
        dealer.place(group, dealer.best_split(group))
    return [
        dealer.placed[group] if sample.usable else None for sample, group in zip(samples, groups, strict=True)
    ]


def _shares(val_share: float, test_share: float) -> dict[Split, float]:
    if val_share + test_share >= 1.0:
        raise ParamsError(
            f"params.yaml: ingest.val_share {val_share} + test_share {test_share} leave nothing to train on; "
            "lower them"
        )
    shares: dict[Split, float] = {"train": 1.0 - val_share - test_share, "val": val_share, "test": test_share}
    return {split: share for split, share in shares.items() if share > 0.0}


def _prescribed(members: Mapping[Group, Sequence[Sample]]) -> dict[Group, Split]:
    prescribed: dict[Group, Split] = {}
    for group, samples in members.items():
        firsts = {sample.split: sample.video_id for sample in reversed(samples) if sample.split}
        if len(firsts) > 1:
            people = some(sorted({identity for sample in samples for identity in sample.identities}))
            sides = " and in ".join(f"{split} ({video_id})" for split, video_id in sorted(firsts.items()))
            raise LeakageError(f"identities {people} belong together but stand in {sides}; {REMEDY}")
        for split in firsts:
            prescribed[group] = split
    return prescribed


def _order(groups: Iterable[Group], strata: Mapping[Group, Counter[Stratum]], seed: int) -> list[Group]:
    """Largest first, since small ones can still even out what large ones left; shuffled among equals."""
    shuffled = sorted(groups)
    random.Random(seed).shuffle(shuffled)  # noqa: S311 - not for secrets
    return sorted(shuffled, key=lambda group: -strata[group].total())


def _strata(sample: Sample) -> tuple[Stratum, ...]:
    return (), (sample.label,), (sample.label, sample.method)


def _can_cover(needs: Sequence[Classes], offers: Mapping[Classes, int]) -> bool:
    """Tell whether groups that hold the classes `offers` can bring `needs` to as many splits.

    A group that holds both classes may fill a split that needs both (`whole` of them do), or stand in
    where groups of one class are short.
    """
    both = frozenset(LABELS)
    empty = needs.count(both)
    for whole in range(min(empty, offers.get(both, 0)) + 1):
        wanted = {label: needs.count(frozenset({label})) + empty - whole for label in LABELS}
        short = sum(max(0, wanted[label] - offers.get(frozenset({label}), 0)) for label in LABELS)
        if short <= offers.get(both, 0) - whole:
            return True
    return False


class _Dealer:
    """Groups that wait, splits that fill, and how far each stratum is from its target."""

    def __init__(
        self,
        members: Mapping[Group, Sequence[Sample]],
        shares: Mapping[Split, float],
        prescribed: Mapping[Group, Split],
    ) -> None:
        usable = {group: [sample for sample in members[group] if sample.usable] for group in members}
        self.shares = shares
        self.strata = {group: Counter(s for m in usable[group] for s in _strata(m)) for group in usable}
        self.totals = Counter(s for group in usable.values() for m in group for s in _strata(m))
        self.classes = {group: frozenset(m.label for m in usable[group]) for group in usable}
        self.offers = Counter(self.classes.values())
        self.needs: dict[Split, Classes] = dict.fromkeys(SPLITS, frozenset(LABELS))
        self.filled: dict[Split, Counter[Stratum]] = {split: Counter() for split in SPLITS}
        self.placed: dict[Group, Split] = {}
        for group, split in prescribed.items():
            self.place(group, split)
        self.covered = self._coverable_splits()

    @property
    def waiting(self) -> set[Group]:
        return self.strata.keys() - self.placed.keys()

    def place(self, group: Group, split: Split) -> None:
        self.placed[group] = split
        self.filled[split].update(self.strata[group])
        self.needs[split] -= self.classes[group]
        self.offers[self.classes[group]] -= 1

    def best_split(self, group: Group) -> Split:
        """The split nearest to its targets with this group, of those after which all can still be covered."""
        allowed = [split for split in self.shares if self._stays_coverable(group, split)]
        return min(allowed, key=lambda split: self._cost(group, split))

    def _coverable_splits(self) -> tuple[Split, ...]:
        """The splits that are to hold both classes: all of them, or as many as the groups allow."""
        choices: tuple[tuple[Split, ...], ...] = (SPLITS, ("train", "test"), ("train",))
        kept = (tuple(split for split in choice if split in self.shares) for choice in choices)
        return next((c for c in kept if _can_cover([self.needs[split] for split in c], self.offers)), ())

    def _stays_coverable(self, group: Group, split: Split) -> bool:
        classes = self.classes[group]
        needs = [self.needs[s] - (classes if s == split else frozenset()) for s in self.covered]
        return _can_cover(needs, self.offers - Counter([classes]))

    def _cost(self, group: Group, split: Split) -> float:
        """Growth of the chi-squared distance of all strata from their targets, but for a constant."""
        filled, share = self.filled[split], self.shares[split]
        return math.fsum(
            count * (count + 2 * filled[stratum]) / (share * self.totals[stratum])
            for stratum, count in self.strata[group].items()
        )
