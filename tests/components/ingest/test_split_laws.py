"""The laws of splits, as properties: whatever is assigned, they hold."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any, get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from components.datasets.layouts.base import LABELS, SPLITS
from components.splits.assignment import Assignment, Excluded, assign, assigned_identities
from components.splits.audit import Leak, find_leaks
from components.splits.groups import Sample, group_samples, recordings, ties
from components.splits.lock import Lock
from tests.components.ingest.samples import outcomes_of, params, remembered, rows, sample

PEOPLE = st.lists(st.sampled_from([f"p{n}" for n in range(8)]), min_size=1, max_size=2, unique=True)
VIDEO = st.tuples(st.sampled_from("rf"), PEOPLE, st.integers(0, 40), st.booleans() | st.just(True))
SHARES = st.sampled_from([(0.2, 0.25), (0.05, 0.05), (0.4, 0.5)])
MAX_GROUP = st.sampled_from([0.1, 0.4, 1.0])
DRAWN = st.lists(VIDEO, max_size=30)
PRESCRIBED = st.sampled_from([None, None, None, "train", "val", "test", "trainval"])
FACTS = st.fixed_dictionaries(
    {
        "prescribed": PRESCRIBED,
        "dataset": st.sampled_from("abc"),
        "near_duplicate": st.sampled_from([None] * 8 + ["one", "two"]),
        "sha256": st.sampled_from([None] * 8 + ["three", "four"]),
    }
)


def make(drawn: Sequence[tuple[str, list[str], int, bool]], first: int = 0) -> list[Sample]:
    return [
        sample(f"{label}{index}", *people, sha256=f"h{content}", usable=usable)
        for index, (label, people, content, usable) in enumerate(drawn, start=first)
    ]


SAMPLES = DRAWN.map(make)
MIXED_VIDEOS = st.lists(st.tuples(st.sampled_from("rrffu"), PEOPLE, FACTS), max_size=30)


def mix(drawn: Sequence[tuple[str, list[str], dict[str, Any]]], first: int = 0) -> list[Sample]:
    return [
        sample(f"{label}{index}", *people, **facts)
        for index, (label, people, facts) in enumerate(drawn, start=first)
    ]


MIXED = MIXED_VIDEOS.map(mix)
ROLES = st.dictionaries(st.sampled_from("abc"), st.sampled_from(["train", "test", "ignore"]), max_size=2)


@given(SAMPLES, st.integers(0, 3), SHARES, MAX_GROUP)
def test_splits_are_disjoint_complete_repeatable_and_remembered(
    samples: list[Sample], seed: int, shares: tuple[float, float], limit: float
) -> None:
    chosen = params(seed=seed, val_share=shares[0], test_share=shares[1], max_group_share=limit)
    found = assign(samples, chosen, Lock.empty())
    assert find_leaks(rows(samples, found)) == []
    for one, assignment in zip(samples, found, strict=True):
        assert (assignment.split is None) == (assignment.excluded == "bridge" or not one.usable)
    assert assign(samples[::-1], chosen, Lock.empty()) == found[::-1]
    assert outcomes_of(assign(samples, chosen, remembered(samples, found))) == outcomes_of(found)


def held(samples: Sequence[Sample], places: Iterable[object]) -> Counter[tuple[object, str]]:
    """Videos of each class in each place, copies counted once, as `validate` counts."""
    contents: set[str | None] = {None}
    counts: Counter[tuple[object, str]] = Counter()
    for one, place in sorted(zip(samples, places, strict=True), key=lambda pair: pair[0].video_id):
        counts[place, str(one.label)] += one.usable and one.sha256 not in contents
        contents.add(one.sha256 if one.usable else None)
    return counts


def is_complete(counts: Mapping[tuple[object, str], int], least: int) -> bool:
    return all(counts.get(pair, 0) >= least for pair in product(SPLITS, LABELS))


def possible(samples: list[Sample], least: int) -> bool:
    """Try every assignment of groups: can each split hold so many videos of both classes?"""
    groups = group_samples(samples, [one.usable for one in samples])
    in_groups = held(samples, groups)
    reached: set[tuple[int, ...]] = {(0,) * 6}  # real and fake in each split, as far as they count
    for group in set(groups):
        added = tuple(in_groups[group, label] for label in LABELS)
        places = [(0, 0) * place + added + (0, 0) * (2 - place) for place in range(3)]
        reached = {
            tuple(min(least, have + more) for have, more in zip(counts, place, strict=True))
            for counts in reached
            for place in places
        }
    return (least,) * 6 in reached


PERSON = st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(1, 8))


def make_people(drawn: Sequence[tuple[int, int, int]]) -> list[Sample]:
    """For each person so many genuine and forged videos; some are copies, some show the next person too."""
    return [
        sample(
            f"{label}{person}{n}",
            *(f"p{person}", f"p{person + 1}")[: 1 + (odd == 1 and n == 1)],
            sha256=f"{label}{person}{0 if odd == 2 else n}",
        )
        for person, (real, fake, odd) in enumerate(drawn)
        for label, count in (("r", real), ("f", fake))
        for n in range(count)
    ]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(PERSON, min_size=3, max_size=7).map(make_people),
    *(st.integers(0, 3), SHARES, MAX_GROUP, st.integers(1, 3)),
)
def test_each_split_holds_enough_of_both_classes_where_that_is_possible(
    samples: list[Sample], seed: int, shares: tuple[float, float], limit: float, least: int
) -> None:
    chosen = params(seed=seed, val_share=shares[0], test_share=shares[1], max_group_share=limit)
    found = assign(samples, chosen, Lock.empty(), least)
    counts = held(samples, [assignment.split for assignment in found])
    # Cutting a group can make possible what its groups alone cannot, but never the other way round.
    assert is_complete(counts, least) or not possible(samples, least)
    assert is_complete(counts, 1) or not possible(samples, 1)


def stands_anyway(one: Sample, roles: Mapping[str, str]) -> bool:
    return bool(one.prescribed) or roles.get(one.dataset) == "test"


def is_left_out(one: Sample, assignment: Assignment, roles: Mapping[str, str]) -> bool:
    return assignment.excluded == "dataset" and roles.get(one.dataset) == "test"


def added_leaks(
    samples: Sequence[Sample], found: Sequence[Assignment], roles: Mapping[str, str]
) -> list[Leak]:
    """Leaks of which a side holds nothing that a list or a role has put there."""
    anyway = {one.video_id for one in samples if stands_anyway(one, roles)}
    return [
        leak
        for leak in find_leaks(rows(samples, found))
        if any(anyway.isdisjoint(videos) for videos in leak.videos.values())
    ]


@given(MIXED_VIDEOS, MIXED_VIDEOS, ROLES, MAX_GROUP)
def test_added_videos_move_nobody(
    drawn: list[tuple[str, list[str], dict[str, Any]]],
    added: list[tuple[str, list[str], dict[str, Any]]],
    roles: dict[str, str],
    limit: float,
) -> None:
    samples, new = mix(drawn), mix(added, first=len(drawn))
    roles = {name: role for name, role in roles.items() if name in {one.dataset for one in samples}}
    chosen = params(max_group_share=limit, datasets=roles)
    before = assign(samples, chosen, Lock.empty())
    together = [*samples, *new]
    after = assign(together, chosen, remembered(samples, before))
    assert added_leaks(together, after, roles) == []
    earlier, later = dict(assigned_identities(samples, before)), dict(assigned_identities(together, after))
    assert {person: later.get(person, split) for person, split in earlier.items()} == earlier
    # One of two that must part goes: a new video of one assigned elsewhere may hold an old one's content, and
    # a person may come to stand in a split by a list.
    copied = {tie for one in new for tie in recordings(one.sources, one.sha256, one.near_duplicate)}
    copied |= {tie for one in new if stands_anyway(one, roles) for tie in ties(one)}
    # The first test video that a dataset for testing prescribes takes the place of its others.
    replaced = {one for one, now in zip(samples, after, strict=False) if is_left_out(one, now, roles)}
    copied |= {tie for one in replaced for tie in ties(one)}
    for one, old, now in zip(samples, before, after, strict=False):
        bridge = now.excluded == "bridge" and copied & set(ties(one))
        assert not old.split or now.split == old.split or bridge or one in replaced


@given(MIXED, ROLES, MAX_GROUP, st.sampled_from(["keep", "drop"]))
def test_whatever_datasets_prescribe(
    samples: list[Sample], roles: dict[str, str], limit: float, leak: str
) -> None:
    roles = {name: role for name, role in roles.items() if name in {one.dataset for one in samples}}
    chosen = params(max_group_share=limit, leak=leak, datasets=roles)
    found = assign(samples, chosen, Lock.empty())
    assert assign(samples[::-1], chosen, Lock.empty()) == found[::-1]
    assert outcomes_of(assign(samples, chosen, remembered(samples, found))) == outcomes_of(found)
    for one, assignment in zip(samples, found, strict=True):
        assert (assignment.split is None) == (assignment.excluded in get_args(Excluded))
        if one.prescribed in SPLITS and assignment.split and not roles.get(one.dataset):
            assert assignment.split == one.prescribed
        role = roles.get(one.dataset)
        if role == "train" or (one.prescribed == "trainval" and role != "test"):
            assert assignment.split != "test"
    leaks = find_leaks(rows(samples, found))
    assert leak == "keep" or leaks == []
    assert added_leaks(samples, found, roles) == []
