"""Which split each video stands in, or why in none: docs/datasets.md, "What decides a split". Pure."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from components.datasets.layouts.base import SPLITS, Split
from components.params import IngestParams
from components.splits.cuts import GroupCut, Scene, cut_group, is_bridge, settle
from components.splits.groups import (
    Group,
    Sample,
    Tie,
    connected,
    group_samples,
    leak_keys,
    name_groups,
    ties,
)
from components.splits.lock import Lock
from components.splits.roles import Excluded, parts, shares
from components.splits.stratification import Unit, strata, stratify

__all__ = ["Assignment", "Excluded", "assign", "assigned_identities"]

SplitOfParts = dict[int, tuple[Split | None, tuple[Split, ...]]]
"""For each video that was free: its split, None for a bridge, and those of its people."""


@dataclass(frozen=True)
class Assignment:
    """What became of a video.

    Attributes:
        group: videos that belong together; resampled together where figures get intervals.
        split: None where it takes no part.
        excluded: why it takes no part; None where its status says so already.
        people: where each of its identities was assigned, in their order; empty where nothing was.
    """

    group: Group
    split: Split | None
    excluded: Excluded | None = None
    people: tuple[Split, ...] = ()


def assign(samples: Sequence[Sample], params: IngestParams, lock: Lock, least: int = 1) -> list[Assignment]:
    """Decides the split of every sample.

    Args:
        samples: in any order; the outcome does not depend on it.
        params: seed, shares, and what becomes of datasets, leaks and large groups.
        lock: what was assigned before; `assigned_identities` gives what to add to it.
        least: videos of each class that each split is to hold, where any assignment of groups can.

    Raises:
        ParamsError: the shares leave nothing to train on, or `ingest.datasets` names what is not there.
    """
    scene = Scene(samples, parts(samples, params), lock)
    limit = params.max_group_share * sum(part.taken for part in scene.parts)
    outcome = _best_outcome(scene, params, limit, least)
    splits = [outcome[i][0] if i in outcome else part.fixed for i, part in enumerate(scene.parts)]
    leaking = _leaking(samples, splits) if params.leak == "drop" else set()
    groups = _groups(scene, splits, limit)
    return [
        Assignment(
            group=groups[index],
            split=None if index in leaking else split,
            excluded="leak" if index in leaking else _reason(scene, index, split),
            people=outcome[index][1] if index in outcome else (),
        )
        for index, split in enumerate(splits)
    ]


def assigned_identities(
    samples: Sequence[Sample], assignments: Sequence[Assignment]
) -> Iterator[tuple[str, Split]]:
    """Yields each identity that was assigned, and where: what the lock is to remember."""
    for sample, assignment in zip(samples, assignments, strict=True):
        if assignment.people:
            yield from zip(sample.identities, assignment.people, strict=True)


def _reason(scene: Scene, index: int, split: Split | None) -> Excluded | None:
    part = scene.parts[index]
    return "bridge" if part.taken and split is None else part.excluded


def _best_outcome(scene: Scene, params: IngestParams, limit: float, least: int) -> SplitOfParts:
    """Large groups are cut, unless they bring more videos of both classes to the splits as they are."""
    cut = _outcome(scene, params, limit, least)
    best = (len(shares(params)), 2 * least * len(shares(params)))
    if _coverage(scene, cut, params, least) == best:
        return cut
    whole = _outcome(scene, params, math.inf, least)
    return max(cut, whole, key=lambda outcome: _coverage(scene, outcome, params, least))


def _coverage(scene: Scene, outcome: SplitOfParts, params: IngestParams, least: int) -> tuple[int, int]:
    """How many splits hold both classes, and how many videos of each, as far as they are asked for."""
    held: dict[Split | None, list[int]] = defaultdict(list)
    for index, part in enumerate(scene.parts):
        held[outcome[index][0] if index in outcome else part.fixed].append(index)
    counts = [scene.counts(held[split]) for split in shares(params)]
    return sum(map(all, counts)), sum(min(count, least) for both in counts for count in both)


def _outcome(scene: Scene, params: IngestParams, limit: float, least: int) -> SplitOfParts:
    """Assigns all that is free; groups of more than `limit` videos are cut."""
    whole: list[tuple[Unit, list[int]]] = []
    cuts: list[GroupCut] = []
    torn = {index for index in range(len(scene.parts)) if scene.is_torn(index)}
    for name, free, fixed in _components(scene, torn):
        if _must_be_cut(scene, free, fixed, limit):
            cuts.append(cut_group(scene, free, fixed))
        else:
            whole.append((_whole(scene, name, free, fixed), free))
    units = [*_given(scene), *(unit for unit, _ in whole), *(unit for cut in cuts for unit in cut.units)]
    placed = stratify(units, shares(params), params.seed, least)
    outcome: SplitOfParts = {}
    for unit, free in whole:
        split = placed[unit.name]
        outcome |= {index: (split, (split,) * len(scene.samples[index].identities)) for index in free}
    for cut in cuts:
        outcome |= {
            index: (
                split,
                tuple(placed[cut.unit_of[identity]] for identity in scene.samples[index].identities),
            )
            for index, split in settle(scene, cut, placed).items()
        }
    return outcome | dict.fromkeys(torn, (None, ()))


def _components(scene: Scene, torn: set[int]) -> Iterator[tuple[Group, list[int], list[int]]]:
    """Yields groups in which something is to be assigned: name, free and fixed videos.

    What takes no part or is torn ties nothing.
    """
    identities = [sample.identities for sample in scene.samples]
    tying = [part.taken and index not in torn for index, part in enumerate(scene.parts)]
    numbers = connected([ties(s) if tie else () for s, tie in zip(scene.samples, tying, strict=True)])
    names = dict(zip(numbers, name_groups(identities, numbers), strict=True))
    free: dict[int, list[int]] = defaultdict(list)
    fixed: dict[int, list[int]] = defaultdict(list)
    for index, (part, number) in enumerate(zip(scene.parts, numbers, strict=True)):
        if tying[index]:
            (fixed if part.fixed else free)[number].append(index)
    for number, videos in free.items():
        yield names[number], videos, fixed.get(number, [])


def _must_be_cut(scene: Scene, free: Sequence[int], fixed: Sequence[int], limit: float) -> bool:
    if len(free) + len(fixed) > limit and any(is_bridge(sample) for sample in scene.pick(free)):
        return True
    settled = _settled(scene, free, fixed)
    return len(settled) > 1 or not settled <= scene.common(free)


def _settled(scene: Scene, free: Iterable[int], fixed: Iterable[int]) -> set[Split]:
    """Returns the splits in which something of a group stands already."""
    splits = {scene.parts[index].fixed for index in fixed}.union(*(scene.locked(index) for index in free))
    return {split for split in splits if split}


def _whole(scene: Scene, name: Group, free: Sequence[int], fixed: Sequence[int]) -> Unit:
    videos = scene.pick(free)
    settled = next(iter(_settled(scene, free, fixed)), None)
    return Unit(name, strata(videos), scene.counts(free), scene.common(free), settled)


def _given(scene: Scene) -> Iterator[Unit]:
    """Yields all that stands in a split already, as one unit for each."""
    for split in SPLITS:
        videos = [index for index, part in enumerate(scene.parts) if part.fixed == split]
        counted = [index for index in videos if scene.parts[index].counted]
        yield Unit("", strata(scene.pick(counted)), scene.counts(videos), frozenset({split}), split)


def _leaking(samples: Sequence[Sample], splits: Sequence[Split | None]) -> set[int]:
    """Videos that share something with one of a later split, first of test, then of what is left of val."""
    keys = [frozenset(leak_keys(s.identities, s.sources, s.sha256, s.near_duplicate)) for s in samples]
    out: set[int] = set()
    for position in (2, 1):
        later: set[Tie] = set()
        for index, split in enumerate(splits):
            if split == SPLITS[position] and index not in out:
                later |= keys[index]
        out |= {
            index
            for index, split in enumerate(splits)
            if split in SPLITS[:position] and not later.isdisjoint(keys[index])
        }
    return out


def _groups(scene: Scene, splits: Sequence[Split | None], limit: float) -> list[Group]:
    """Connected components; people, where these are too large or stand in several splits."""
    groups = group_samples(scene.samples, [part.taken for part in scene.parts])
    sizes = Counter(group for group, part in zip(groups, scene.parts, strict=True) if part.taken)
    sides: Mapping[Group, set[Split]] = defaultdict(set)
    for group, split in zip(groups, splits, strict=True):
        sides[group] |= {split} if split else set()
    parted = [i for i, group in enumerate(groups) if sizes[group] > limit or len(sides[group]) > 1]
    alone = [sample for sample in scene.pick(parted) if not is_bridge(sample)]
    names = name_groups(
        [sample.identities for sample in alone], connected([ties(sample) for sample in alone])
    )
    people = {sample.identities[0]: name for sample, name in zip(alone, names, strict=True)}
    for index in parted:
        first = scene.samples[index].identities[0]
        groups[index] = people.get(first, first)
    return groups
