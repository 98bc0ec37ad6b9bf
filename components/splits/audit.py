"""The proof that splits are kept apart: who and what stands in more than one of them. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from components.datasets.layouts.base import SPLITS, Split
from components.params import LeakKind
from components.splits.groups import Tie, connected, leak_keys, recordings


@dataclass(frozen=True)
class Leak:
    """One person, recording, content or look that stands in more than one split.

    Attributes:
        key: the person's name, the recording's, the SHA-256, or the first video of those that look the same.
        videos: sorted ids of the videos that have it, by split and in the order of `SPLITS`.
    """

    kind: LeakKind
    key: str
    videos: Mapping[Split, list[str]]

    def __str__(self) -> str:
        """Returns both sides in one line: "identity p003 in train (a and 2 more) and test (b)"."""
        sides = (f"{split} ({_first(videos)})" for split, videos in self.videos.items())
        key = f"{self.key[:12]}…" if self.kind == "content" else self.key
        return f"{self.kind} {key} in {' and '.join(sides)}"


@dataclass(frozen=True)
class Tangle:
    """A group that holds more than half of the videos that stand in a split, so that nothing balances it.

    Attributes:
        videos: how many it holds, of `assigned`.
        kind: what ties most of its people; None where nothing does so alone.
        parts: the groups that it would be without these ties.
    """

    videos: int
    assigned: int
    kind: LeakKind | None
    parts: int


def find_tangle(rows: Iterable[Mapping[str, Any]]) -> Tangle | None:
    """Returns the group that holds more than half of the videos, if there is one of several people.

    Args:
        rows: of `components.tables.MANIFEST`; those without a split take no part.
    """
    assigned = [row for row in rows if row["split"] in SPLITS]
    sizes = Counter(row["group"] for row in assigned)
    ((group, size),) = sizes.most_common(1) or [("", 0)]
    members = [row for row in assigned if row["group"] == group]
    if 2 * size <= len(assigned) or len({person for row in members for person in row["identities"]}) < 2:
        return None
    parts = {kind: _parts_without(kind, members) for kind in get_args(LeakKind)}
    kind = max(parts, key=lambda kind: parts[kind])
    return Tangle(size, len(assigned), kind if parts[kind] > 1 else None, parts[kind])


def _parts_without(kind: LeakKind, rows: Iterable[Mapping[str, Any]]) -> int:
    """How many groups of people there would be without ties of a kind; of "identity": without swaps."""
    people = {person for row in rows for person in row["identities"]}
    items = [[("identity", person)] for person in people]
    for row in rows:
        if kind != "identity" or len(set(row["identities"])) == 1:
            ties = recordings(row["sources"] or (), row["sha256"], row["near_duplicate"])
            others = [tie for tie in ties if tie[0] != kind]
            items.append([*(("identity", person) for person in row["identities"]), *others])
    return len(set(connected(items)))


def find_leaks(rows: Iterable[Mapping[str, Any]]) -> list[Leak]:
    """Returns what ties videos of different splits, by kind and key; empty where the splits are kept apart.

    Args:
        rows: of `components.tables.MANIFEST`; those without a split take no part.
    """
    assigned = [row for row in rows if row["split"] in SPLITS]
    leaking = _leaking(assigned)
    sides: dict[Tie, dict[Split, set[str]]] = defaultdict(lambda: defaultdict(set))
    for row in assigned:
        for key in leaking.intersection(_keys(row)):
            sides[key][row["split"]].add(row["video_id"])
    return [
        Leak(*key, {split: sorted(sides[key][split]) for split in SPLITS if split in sides[key]})
        for key in sorted(sides)
    ]


def _leaking(assigned: Iterable[Mapping[str, Any]]) -> set[Tie]:
    first: dict[Tie, Split] = {}
    return {
        key for row in assigned for key in _keys(row) if first.setdefault(key, row["split"]) != row["split"]
    }


def _keys(row: Mapping[str, Any]) -> Iterator[Tie]:
    return leak_keys(row["identities"] or (), row["sources"] or (), row["sha256"], row["near_duplicate"])


def _first(videos: list[str]) -> str:
    return videos[0] if len(videos) == 1 else f"{videos[0]} and {len(videos) - 1} more"
