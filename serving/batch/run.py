"""What a batch job does: look at the source, score a shard. The order of things is the flow's."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from components.errors import DataError
from components.printable import printable
from components.scores import VideoScore
from components.video.picture_files import disk_state
from serving.batch.plan import Shard, VideoFile
from serving.batch.store import ScoreStore
from serving.videos import find_videos, is_folder


class Scores(Protocol):
    """What a shard needs of `serving.scorer.Scorer`."""

    def score(self, paths: Sequence[Path]) -> Iterable[VideoScore]:
        """Scores videos, in the order given."""
        ...


@dataclass(frozen=True)
class Library:
    """The videos of a source, with what tells whether they change, and a line for what else lies there."""

    videos: tuple[VideoFile, ...]
    left_out: tuple[str, ...]


def scan_library(source: Path) -> Library:
    """Lists the videos of a folder.

    Raises:
        DataError: the source is no folder, or holds no video.
    """
    if not is_folder(source):
        raise DataError(f"{printable(source)}: no such folder; give the folder that holds the videos")
    videos = find_videos([source])
    return Library(tuple(video for path in videos.videos for video in _stat(source, path)), videos.left_out)


def score_shard(scorer: Scores, source: Path, shard: Shard, store: ScoreStore) -> list[VideoScore]:
    """Scores a shard's videos and writes their rows in one step.

    A row keeps the bytes and modification time that were planned with, from before scoring: a file that
    changes meanwhile is seen as changed by the next job.
    """
    scores = list(scorer.score([source / video.file for video in shard.videos]))
    rows = [
        score.row() | {"path": video.path, "bytes": video.bytes, "mtime_ns": video.mtime_ns}
        | {"model_version": store.model_version}
        for score, video in zip(scores, shard.videos, strict=True)
    ]  # fmt: skip
    store.write(shard, rows)
    return scores


def _stat(source: Path, path: Path) -> Iterator[VideoFile]:
    """Yields the file's facts, or nothing where it has gone since it was listed."""
    file = path.relative_to(source).as_posix()
    try:
        size, mtime_ns = disk_state(path)
    except FileNotFoundError:
        return
    except OSError:  # scored nevertheless: its row says why it cannot be read
        yield VideoFile(file, None, None)
    else:
        yield VideoFile(file, size, mtime_ns)
