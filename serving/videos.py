"""Which files of a folder are videos."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from components.datasets.scan import Scan, scan
from components.errors import DataError
from components.printable import printable, some
from components.video.formats import VIDEO_SUFFIXES


@dataclass(frozen=True)
class Found:
    """What there is to score.

    Attributes:
        videos: each once, in the order of the sources; those of a folder are sorted.
        left_out: lines on folders that hold something else, or pictures: what, how much, and what is done.
    """

    videos: tuple[Path, ...]
    left_out: tuple[str, ...]


def find_videos(sources: Sequence[Path]) -> Found:
    """Lists the videos of files and folders.

    A file that is named is taken as it is, whatever it is called or holds: it is scored, and its row says
    what is wrong with it. Folders are searched to any depth, through links as well, but none is searched
    twice; videos are known by their suffix, in any case, or by their first bytes where it tells nothing.
    A folder of pictures is one clip. Other pictures, which may be anything's cover, are left out, and so are
    hidden files, and those in hidden folders.

    Raises:
        DataError: a source is not there, or is a folder that holds no video or cannot be read.
    """
    for source in sources:
        _check_there(source)
    videos: list[Path] = []
    left_out: list[str] = []
    seen: set[Path] = set()
    for source in sources:
        if is_folder(source):
            scanned = scan(source, seen)
            left_out_here = ", ".join(scanned.left_out())
            if not (videos and scanned.again):  # what it holds is listed already
                _check_holds_videos(source, scanned, left_out_here)
            videos += (source / path for path in scanned.videos)
            left_out += [f"{printable(source)}: {line}" for line in _account(scanned, left_out_here)]
        else:
            videos.append(source)
    return Found(tuple(dict.fromkeys(videos)), tuple(left_out))


def _account(scanned: Scan, left_out: str) -> Iterator[str]:
    if scanned.clips:
        what = "a folder of pictures, which is one clip"
        if "" not in scanned.clips:
            names = some([*scanned.clips], limit=3)
            what = f"folders of pictures, one clip each: {len(scanned.clips)} ({names})"
        yield f"{what}; to have each picture scored by itself, name the pictures"
    if left_out:
        yield f"left out: {left_out}"


def is_folder(path: Path) -> bool:
    """Whether there is a folder; a path that cannot even be looked up (too long, not allowed) is none."""
    try:
        return path.is_dir()
    except OSError:
        return False


def _check_there(path: Path) -> None:
    """A link that leads nowhere is there: a shell's `*.mp4` brings it, and its row says what it is."""
    try:
        path.lstat()
    except OSError as error:
        raise DataError(f"{printable(path)}: {error.strerror}; give a video or a folder of videos") from error


def _check_holds_videos(folder: Path, scanned: Scan, left_out: str) -> None:
    if reason := scanned.unreadable.get(""):
        raise DataError(f"{printable(folder)}: cannot be read ({reason}); mend its permissions")
    if not scanned.videos:
        known = " ".join(sorted(VIDEO_SUFFIXES))
        there = f" but {left_out}" if left_out else ""
        remedy = f"put some there ({known}), or name pictures to have each scored by itself"
        raise DataError(f"{printable(folder)}: no videos in this folder{there}; {remedy}")
