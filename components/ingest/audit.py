"""The proof that splits are kept apart: who and what stands in more than one of them. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from components.ingest.groups import Tie, leak_keys
from components.ingest.layouts.base import SPLITS, Split
from components.params import LeakKind


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
        """Both sides in one line: "identity p003 in train (a and 2 more) and test (b)"."""
        sides = (f"{split} ({_first(videos)})" for split, videos in self.videos.items())
        key = f"{self.key[:12]}…" if self.kind == "content" else self.key
        return f"{self.kind} {key} in {' and '.join(sides)}"


def find_leaks(rows: Iterable[Mapping[str, Any]]) -> list[Leak]:
    """What ties videos of different splits, by kind and key; empty where the splits are kept apart.

    Args:
        rows: of `components.tables.MANIFEST`; those without a split take no part.
    """
    dealt = [row for row in rows if row["split"] in SPLITS]
    leaking = _leaking(dealt)
    sides: dict[Tie, dict[Split, set[str]]] = defaultdict(lambda: defaultdict(set))
    for row in dealt:
        for key in leaking.intersection(_keys(row)):
            sides[key][row["split"]].add(row["video_id"])
    return [
        Leak(*key, {split: sorted(sides[key][split]) for split in SPLITS if split in sides[key]})
        for key in sorted(sides)
    ]


def _leaking(dealt: Iterable[Mapping[str, Any]]) -> set[Tie]:
    first: dict[Tie, Split] = {}
    return {key for row in dealt for key in _keys(row) if first.setdefault(key, row["split"]) != row["split"]}


def _keys(row: Mapping[str, Any]) -> Iterator[Tie]:
    return leak_keys(row["identities"] or (), row["sources"] or (), row["sha256"], row["near_duplicate"])


def _first(videos: list[str]) -> str:
    return videos[0] if len(videos) == 1 else f"{videos[0]} and {len(videos) - 1} more"
