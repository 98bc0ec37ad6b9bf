"""Which files are pictures, and which folders of them are a clip. Nothing is opened here."""

import os
import re
from pathlib import Path
from posixpath import splitext

PICTURE_SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".webp"})

LEAST_PICTURES = 2
"""Of a folder that is a clip."""

OTHERS = 10
"""A clip's folder may hold one other file, such as a list, for each so many pictures or part of them."""

_DIGITS = re.compile(r"(\d+)")


def is_picture_name(path: str) -> bool:
    """Tells by the suffix whether a file should be a picture."""
    return splitext(path)[1].casefold() in PICTURE_SUFFIXES


def is_clip(pictures: int, videos: int, others: int) -> bool:
    """Tells from the number of files of each kind in a folder whether its pictures are one clip."""
    return pictures >= LEAST_PICTURES and not videos and others <= -(-pictures // OTHERS)


def natural_key(name: str) -> tuple[list[str | int], str]:
    """Sorts names as people count: frame_2 before frame_10."""
    parts = _DIGITS.split(name.casefold())  # text and digits in turn, so that like is compared to like
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], name


def list_pictures(folder: Path) -> list[Path]:
    """A folder's visible pictures in the natural order of their names; what is no regular file is left out.

    Raises:
        OSError: the folder cannot be read.
    """
    with os.scandir(folder) as entries:
        names = [
            entry.name
            for entry in entries
            if not entry.name.startswith(".") and is_picture_name(entry.name) and entry.is_file()
        ]
    return [folder / name for name in sorted(names, key=natural_key)]


def disk_state(path: Path) -> tuple[int, int]:
    """Returns bytes and modification time in ns of a file; of a folder, those of its pictures together.

    The time is that of the latest change, and the folder's own is one of them: it tells of new names.

    Raises:
        OSError: it is not there, or cannot be looked at.
    """
    top = path.stat()
    if not path.is_dir():
        return top.st_size, top.st_mtime_ns
    states = [picture.stat() for picture in list_pictures(path)]
    times = [top.st_mtime_ns, *(state.st_mtime_ns for state in states)]
    return sum(state.st_size for state in states), max(times)
