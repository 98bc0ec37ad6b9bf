"""Which files of a folder are videos, and what they are called in answers."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from components.errors import DataError
from components.ingest.tree import VIDEO_SUFFIXES


def find_videos(sources: Sequence[Path]) -> list[Path]:
    """List the videos of files and folders, each once, in the order given; those of a folder are sorted.

    A file that is named is taken as it is, even where it has another suffix: it is scored, and its row says
    what is wrong with it. Folders are searched to any depth for the suffixes that datasets are searched for,
    in any case. Hidden files, and those in hidden folders, are left out.

    Raises:
        DataError: a source is not there, or is a folder that holds no video.
    """
    for source in sources:
        _check_there(source)
    found = (video for source in sources for video in (_in_folder(source) if is_folder(source) else [source]))
    return list(dict.fromkeys(found))


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


def printable(path: str | os.PathLike[str]) -> str:
    r"""A path as text that every format takes: bytes of a name that are not UTF-8 read as `\xff`.

    For answers and tables only; the file is opened by its real path.
    """
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _in_folder(folder: Path) -> list[Path]:
    videos = sorted(_walk(folder))
    if not videos:
        known = " ".join(sorted(VIDEO_SUFFIXES))
        raise DataError(f"{folder}: no videos in this folder; put some there ({known})")
    return videos


def _walk(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(root, name) for name in names if _is_video(name))


def _is_video(name: str) -> bool:
    return not name.startswith(".") and Path(name).suffix.lower() in VIDEO_SUFFIXES
