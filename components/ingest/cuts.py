"""Groups that cannot stay whole: people dealt one by one, and what becomes of the videos that tie them. Pure.

Densely swapped datasets such as Celeb-DF (Li et al., 2020, https://arxiv.org/abs/1909.12962) tie nearly all
their people into one group. Cut, it falls into units: people, with all that shows nobody else. A bridge, a
video of several people, follows them where all of them go to one split.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from components.ingest.dealer import Unit, classes, strata
from components.ingest.groups import Group, Sample, Tie, connected, ties
from components.ingest.layouts.base import SPLITS, Split
from components.ingest.lock import Lock
from components.ingest.roles import Part

Rank = tuple[bool, bool, int]


@dataclass(frozen=True)
class Scene:
    """All that dealing looks at; videos are named by their index."""

    samples: Sequence[Sample]
    parts: Sequence[Part]
    lock: Lock

    def pick(self, indices: Iterable[int]) -> list[Sample]:
        return [self.samples[index] for index in indices]

    def locked(self, index: int) -> set[Split | None]:
        """Where the people of a video were dealt before, if it may go there; None for those who were not."""
        found = {self.lock.split_of(identity) for identity in self.samples[index].identities}
        return {split if split in self.parts[index].allowed else None for split in found}

    def common(self, indices: Iterable[int]) -> frozenset[Split]:
        """The splits that all of these videos may go to; "train" is always one."""
        return frozenset[Split](SPLITS).intersection(*(self.parts[index].allowed for index in indices))


@dataclass(frozen=True)
class Cut:
    """A group in pieces.

    Attributes:
        free: its videos that are to be dealt.
        fixed: its videos that stand in a split already.
        units: people, and what is dealt with them.
        unit_of: the unit of every person in `free`.
    """

    free: Sequence[int]
    fixed: Sequence[int]
    units: Sequence[Unit]
    unit_of: Mapping[str, Group]


def is_bridge(sample: Sample) -> bool:
    """Tell whether a video ties several people."""
    return len(set(sample.identities)) > 1


def cut_group(scene: Scene, free: Sequence[int], fixed: Sequence[int]) -> Cut:
    """Cut a group into units; what was dealt before or is tied to a settled split is settled."""
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
    return Cut(free, fixed, units, unit_of)


def settle(scene: Scene, cut: Cut, placed: Mapping[Group, Split]) -> dict[int, Split | None]:
    """The split of each video of a cut group; None for those that would tie two splits.

    Where videos of different splits still share something, those stay whose people were dealt before, of them
    those of one person, and of these those of the later split.
    """
    barred = _barred(scene, cut)
    splits: dict[int, Split | None] = dict.fromkeys(cut.free)
    for index in set(cut.free) - barred:
        sides = {placed[cut.unit_of[identity]] for identity in scene.samples[index].identities}
        if len(sides) == 1 and sides <= scene.parts[index].allowed:
            splits[index] = sides.pop()
    owners = _owners(scene, splits)
    return {
        index: split if all(owners.get(tie, split) == split for tie in ties(scene.samples[index])) else None
        for index, split in splits.items()
    }


def _units_of_people(scene: Scene, free: Iterable[int]) -> dict[str, Group]:
    """Each person's unit, named after its first: all who are tied by other things than showing together."""
    samples = scene.pick(free)
    people = sorted({identity for sample in samples for identity in sample.identities})
    alone = [ties(sample) for sample in samples if not is_bridge(sample)]
    numbers = connected([*([("identity", person)] for person in people), *alone])[: len(people)]
    before: dict[int, set[Split]] = defaultdict(set)
    for person, number in zip(people, numbers, strict=True):
        before[number] |= {split for split in (scene.lock.split_of(person),) if split}
    firsts: dict[tuple[int, str], Group] = {}
    return {
        # People dealt to different splits before stay there, whatever ties them now.
        person: firsts.setdefault((number, person if len(before[number]) > 1 else ""), person)
        for person, number in zip(people, numbers, strict=True)
    }


def _anchors(scene: Scene, free: Iterable[int], fixed: Iterable[int]) -> dict[Tie, Counter[Split]]:
    """For each tie, how many videos with it have a split that is settled."""
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
    before = {split for person in people if (split := scene.lock.split_of(person)) in allowed}
    shared: Iterable[Tie] = chain.from_iterable(map(ties, videos))
    if not alone:
        shared = (("identity", person) for person in people)
    split = next(iter(before), None) or _most_tied(
        (anchors[tie] for tie in shared if tie in anchors), allowed
    )
    return Unit(name, strata(videos), classes(scene.pick(alone)), allowed, split)


def _most_tied(counts: Iterable[Mapping[Split, int]], allowed: frozenset[Split]) -> Split | None:
    """The split that most ties lead to; of equals the latest."""
    votes: Counter[Split] = Counter()
    for count in counts:
        votes.update(count)
    return max(
        (s for s in SPLITS if votes[s] and s in allowed),
        key=lambda s: (votes[s], SPLITS.index(s)),
        default=None,
    )


def _barred(scene: Scene, cut: Cut) -> set[int]:
    """Videos that share something with one of a split that `ingest.datasets` keeps them out of."""
    splits: dict[Tie, set[Split]] = defaultdict(set)
    for index in cut.fixed:
        for tie in ties(scene.samples[index]):
            splits[tie] |= scene.parts[index].allowed
    return {
        index
        for index in cut.free
        if scene.samples[index].prescribed is None
        and any(splits.get(tie, set()) - scene.parts[index].allowed for tie in ties(scene.samples[index]))
    }


def _owners(scene: Scene, splits: Mapping[int, Split | None]) -> dict[Tie, Split]:
    """To which split each tie belongs: that of the first in rank of the videos that have it."""
    best: dict[Tie, tuple[Rank, Split]] = {}
    for index, split in splits.items():
        if split:
            new, bridge = scene.locked(index) != {split}, is_bridge(scene.samples[index])
            entry = ((new, bridge, -SPLITS.index(split)), split)
            for tie in ties(scene.samples[index]):
                best[tie] = min(best.get(tie, entry), entry)
    return {tie: split for tie, (_, split) in best.items()}
