"""What the splits hold, from the manifest and the faces table."""

from collections.abc import Mapping, Sequence
from typing import Any

from components.datasets.identities import is_named
from components.evaluation.results import SplitCounts

Row = Mapping[str, Any]

ALL_SPLITS = ("train", "val", "test")


def videos_with_clip(manifest: Sequence[Row], faces: Sequence[Row]) -> dict[str, set[str]]:
    """Returns ids of the videos that carry a score, by split."""
    with_clip = {row["video_id"] for row in faces if row["status"] == "ok"}
    return {split: {row["video_id"] for row in _of(manifest, split)} & with_clip for split in ALL_SPLITS}


def count_splits(manifest: Sequence[Row], faces: Sequence[Row]) -> dict[str, SplitCounts]:
    """Counts decodable videos, classes, identity groups, and videos unnamed or with a face clip, by split."""
    scored = videos_with_clip(manifest, faces)
    without_face = {row["video_id"] for row in faces if row["fallback"] is not None}
    return {
        split: _count(_of(manifest, split), len(ids), sorted(ids & without_face))
        for split, ids in scored.items()
    }


def _of(manifest: Sequence[Row], split: str) -> list[Row]:
    return [row for row in manifest if row["status"] == "ok" and row["split"] == split]


def _count(rows: Sequence[Row], scored: int, fallback: Sequence[str]) -> SplitCounts:
    fakes = sum(row["label"] == "fake" for row in rows)
    return SplitCounts(
        videos=len(rows),
        real=len(rows) - fakes,
        fake=fakes,
        groups=len({row["group"] for row in rows}),
        unnamed=sum(not is_named(row["identities"]) for row in rows),
        scored=scored,
        fallback=tuple(fallback),
    )
