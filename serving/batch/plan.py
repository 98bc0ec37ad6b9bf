"""What a batch job still has to score: pure decisions over what was found and what is already written."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.printable import printable

SHARD_SIZE = 16
"""Videos a shard: what a killed job loses at most is one shard per worker."""


@dataclass(frozen=True, order=True)
class VideoFile:
    """A file as it was found. Bytes and modification time tell later whether it is still the same."""

    file: str  # relative to the source, with "/"; opens the file, but may not be printable
    bytes: int | None  # None where the file cannot be looked at
    mtime_ns: int | None

    @property
    def path(self) -> str:
        """The path by which its row calls it, and no other file's row."""
        return printable(self.file)


@dataclass(frozen=True)
class Shard:
    """Videos that are scored together and written as one file."""

    name: str  # of the file, without its suffix
    videos: tuple[VideoFile, ...]


@dataclass(frozen=True)
class BatchPlan:
    """What to do: first forget the stale rows, then score the shards."""

    stale: frozenset[str]  # paths whose rows belong to files that have changed since
    shards: tuple[Shard, ...]
    done: int  # videos found whose rows are still good


def plan_batch(
    library: Iterable[VideoFile], rows: Sequence[Mapping[str, Any]], shard_size: int = SHARD_SIZE
) -> BatchPlan:
    """Compares the videos found with the rows written for the same model version.

    A video is scored when it has no row, or when its bytes or modification time differ from its row's. The
    row of a video that is no longer there stays: it is still the answer that was given. The same input in
    any order gives the same plan.

    Args:
        library: the videos of the source.
        rows: rows of `serving.score_table.SCORES`.
        shard_size: videos a shard at most.
    """
    scored = {row["path"]: (row["bytes"], row["mtime_ns"]) for row in rows}
    videos = sorted(set(library))
    pending = [video for video in videos if scored.get(video.path) != (video.bytes, video.mtime_ns)]
    return BatchPlan(
        stale=frozenset(video.path for video in pending if video.path in scored),
        shards=tuple(
            _shard(tuple(pending[start : start + shard_size])) for start in range(0, len(pending), shard_size)
        ),
        done=len(videos) - len(pending),
    )


def _shard(videos: tuple[VideoFile, ...]) -> Shard:
    """Names a shard by its content, so that scoring it twice writes one file and another never collides."""
    content = "\n".join(f"{video.path}\0{video.bytes}\0{video.mtime_ns}" for video in videos)
    return Shard(f"shard-{hashlib.sha256(content.encode()).hexdigest()[:16]}", videos)
