"""Groups that cannot stay whole: people assigned one by one, and what becomes of videos that tie them. Pure.

Densely swapped datasets such as Celeb-DF (Li et al., 2020, https://arxiv.org/abs/1909.12962) tie nearly all
their people into one group. Cut, it falls into units: people, with all that shows nobody else. A bridge, a
video of several people, follows them where all of them go to one split.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

from components.datasets.layouts.base import LABELS, SPLITS, Split
from components.splits.groups import Group, Sample, Tie, connected, ties
from components.splits.lock import Lock
from components.splits.roles import Part
from components.splits.stratification import Counts, Unit, strata

Rank = tuple[bool, bool, int]


@dataclass(frozen=True)
class Scene:
    """All that the assignment looks at; videos are named by their index."""

    samples: Sequence[Sample]
    parts: Sequence[Part]
    lock: Lock

    def pick(self, indices: Iterable[int]) -> list[Sample]:
        return [self.samples[index] for index in indices]

    @cached_property
    def homes(self) -> Mapping[str, Split]:
        """Where people were assigned before; without those of whom no video may go there any more."""
        homes: dict[str, Split] = {}
        for sample, part in zip(self.samples, self.parts, strict=True):
            for identity in sample.identities if part.free else ():
                split = self.lock.split_of(identity)
                if split in part.allowed:
                    homes[identity] = split
        return homes

    @cached_property
    def originals(self) -> frozenset[int]:
        """The videos that count as such: of those of equal content the first by id, as `validate` counts."""
        firsts: dict[str, int] = {}
        for index in sorted(range(len(self.samples)), key=lambda index: self.samples[index].video_id):
            firsts.setdefault(self.samples[index].sha256 or f"unread {index}", index)
        return frozenset(firsts.values())

    def counts(self, indices: Iterable[int]) -> Counts:
        """Returns how many of these videos there are of each label, copies counted once."""
        labels = Counter(self.samples[index].label for index in indices if index in self.originals)
        return tuple(labels[label] for label in LABELS)

    def locked(self, index: int) -> set[Split | None]:
        """Returns where the people of a video were assigned before; None for those who were not."""
        return {self.homes.get(identity) for identity in self.samples[index].identities}

    def is_torn(self, index: int) -> bool:
        """Tells whether a free video can go nowhere: its people part, or stand where it may not go."""
        settled, part = self.locked(index) - {None}, self.parts[index]
        return part.free and (len(settled) > 1 or not settled <= part.allowed)

    def common(self, indices: Iterable[int]) -> frozenset[Split]:
        """Returns the splits that all of these videos may go to; "train" is always one."""
        return frozenset[Split](SPLITS).intersection(*(self.parts[index].allowed for index in indices))


@dataclass(frozen=True)
class GroupCut:
    """A group in pieces.

    Attributes:
        free: its videos that are to be assigned.
        fixed: its videos that stand in a split already.
        units: people, and what is assigned with them.
        unit_of: the unit of every person in `free`.
    """

    free: Sequence[int]
    fixed: Sequence[int]
    units: Sequence[Unit]
    unit_of: Mapping[str, Group]


def is_bridge(sample: Sample) -> bool:
    """Tells whether a video ties several people."""
    return len(set(sample.identities)) > 1


def cut_group(scene: Scene, free: Sequence[int], fixed: Sequence[int]) -> GroupCut:
    """Cuts a group into units; what was assigned before or is tied to a settled split is settled."""
    unit_of = _units_of_people(scene, free)
    people: dict[Group, list[str]] = defaultdict(list)
    alone: dict[Group, list[int]] = defaultdict(list)
    bridges: dict[Group, list[int]] = defaultdict(list)
    for person, unit in unit_of.items():
        people[unit].append(person)
    for index in free:
        videos = bridges if is_bridge(scene.samples[index]) else alone
        for unit in {unit_of[identity] for identity in scene.samples[index].identities}:
            videos[unit].append(index)
    anchors = _anchors(scene, free, fixed)
    units = [_unit(scene, name, people[name], alone[name], bridges[name], anchors) for name in sorted(people)]
    return GroupCut(free, fixed, units, unit_of)


def settle(scene: Scene, cut: GroupCut, placed: Mapping[Group, Split]) -> dict[int, Split | None]:
    """Returns the split of each video of a cut group; None for those that would tie two splits.

    Where videos of different splits still share something, those stay that stand in a split whatever happens,
    then those whose people were assigned before, of them those of one person, and of these those of the later
    split.
    """
    splits: dict[int, Split | None] = dict.fromkeys(cut.free)
    for index in cut.free:
        sides = {placed[cut.unit_of[identity]] for identity in scene.samples[index].identities}
        if len(sides) == 1 and sides <= scene.parts[index].allowed:
            splits[index] = sides.pop()
    splits = _unbarred(scene, cut, splits)
    owners = _owners(scene, splits)
    kept = {
        index: split if all(owners.get(tie, split) == split for tie in ties(scene.samples[index])) else None
        for index, split in splits.items()
    }
    return _unbarred(scene, cut, kept)


def _units_of_people(scene: Scene, free: Iterable[int]) -> dict[str, Group]:
    """Each person's unit, named after its first: all who are tied by other things than showing together."""
    people = sorted({identity for sample in scene.pick(free) for identity in sample.identities})
    alone = [index for index in free if not is_bridge(scene.samples[index])]
    numbers = connected(
        [[("identity", person)] for person in people] + [[*ties(s)] for s in scene.pick(alone)]
    )
    before: dict[int, set[Split]] = defaultdict(set)
    for person, number in zip(people, numbers, strict=False):
        before[number] |= {split for split in (scene.homes.get(person),) if split}
    # People assigned before stay, whatever ties them now to others who stay elsewhere, or may not go there.
    parted = {number for number, splits in before.items() if len(splits) > 1}
    for index, number in zip(alone, numbers[len(people) :], strict=True):
        if not before[number] <= scene.parts[index].allowed:
            parted.add(number)
    firsts: dict[tuple[int, str], Group] = {}
    return {
        person: firsts.setdefault((number, person if number in parted else ""), person)
        for person, number in zip(people, numbers, strict=False)
    }


def _anchors(scene: Scene, free: Iterable[int], fixed: Iterable[int]) -> dict[Tie, Counter[Split]]:
    """Counts for each tie the videos with it that have a settled split, by split."""
    anchors: dict[Tie, Counter[Split]] = defaultdict(Counter)
    for index in (*fixed, *free):
        fixed_split = scene.parts[index].fixed
        settled = {fixed_split} if fixed_split else scene.locked(index)
        split = next(iter(settled)) if len(settled) == 1 else None
        if split:
            for tie in ties(scene.samples[index]):
                anchors[tie][split] += 1
    return anchors


def _unit(
    scene: Scene,
    name: Group,
    people: Sequence[str],
    alone: Sequence[int],
    bridges: Sequence[int],
    anchors: Mapping[Tie, Counter[Split]],
) -> Unit:
    # Whoever is seen in bridges only weighs as much as these.
    videos = scene.pick(alone or bridges)
    allowed = scene.common(alone or bridges)
    before = {split for person in people if (split := scene.homes.get(person))}
    shared: Iterable[Tie] = chain.from_iterable(map(ties, videos))
    if not alone:
        shared = (("identity", person) for person in people)
    split = next(iter(before), None) or _most_tied(
        (anchors[tie] for tie in shared if tie in anchors), allowed
    )
    return Unit(name, strata(videos), scene.counts(alone), allowed, split)


def _most_tied(counts: Iterable[Mapping[Split, int]], allowed: frozenset[Split]) -> Split | None:
    """Returns the split that most ties lead to; of equals the latest."""
    votes: Counter[Split] = Counter()
    for count in counts:
        votes.update(count)
    return max(
        (s for s in SPLITS if votes[s] and s in allowed),
        key=lambda s: (votes[s], SPLITS.index(s)),
        default=None,
    )


def _unbarred(scene: Scene, cut: GroupCut, splits: Mapping[int, Split | None]) -> dict[int, Split | None]:
    """The same without what would add a leak to those between videos that stand where they do by a list.

    A dataset's own lists may put a person on both sides: `validate` names that. A video that no list places
    stays where a list has put one with the same tie, and one "not for testing" goes with its dataset's list.
    """
    given: dict[Tie, set[Split]] = defaultdict(set)
    unlisted: set[Tie] = set()
    for index in cut.fixed:
        shared, split = set(ties(scene.samples[index])), scene.parts[index].fixed
        for tie in shared:
            given[tie] |= {split} if split else set()
        unlisted |= shared if scene.samples[index].prescribed != split else set()
    listed = {index for index in splits if scene.samples[index].prescribed}
    barred = {index for index in listed if not unlisted.isdisjoint(ties(scene.samples[index]))}
    beside: dict[Tie, set[Split | None]] = defaultdict(set)
    for index in listed - barred:
        for tie in ties(scene.samples[index]):
            beside[tie].add(splits[index])
    barred |= {
        index
        for index in splits.keys() - listed
        if any(
            splits[index] not in given[tie] | beside[tie]
            for tie in ties(scene.samples[index])
            if tie in given
        )
    }
    return {index: None if index in barred else split for index, split in splits.items()}


def _owners(scene: Scene, splits: Mapping[int, Split | None]) -> dict[Tie, Split]:
    """Returns the split to which each tie belongs: that of the first in rank of the videos that have it."""
    best: dict[Tie, tuple[Rank, Split]] = {}
    for index, split in splits.items():
        if split:
            new, bridge = scene.locked(index) != {split}, is_bridge(scene.samples[index])
            entry = ((new, bridge, -SPLITS.index(split)), split)
            for tie in ties(scene.samples[index]):
                best[tie] = min(best.get(tie, entry), entry)
    return {tie: split for tie, (_, split) in best.items()}
