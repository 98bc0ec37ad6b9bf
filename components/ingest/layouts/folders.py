"""Two folders, `real/` and `fake/` (letter case does not matter), with videos at any depth."""

import unicodedata
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from components.ingest.layouts.base import LABELS, VIDEO_SUFFIXES, Entry, Label, Listing, default_method, some


def recognises(data: Path) -> bool:
    """Tell whether there is a folder of one of the two classes."""
    return any(_class_folders(data))


def read(data: Path) -> Listing:
    """List the videos; the folder is the label, and nobody is named."""
    paths, left_out = scan(data)
    entries = tuple(
        Entry(path, label, default_method(label)) for path in paths if (label := folder_label(path))
    )
    notes = (f"left out, not a video by its name: {some(left_out)}",) if left_out else ()
    return Listing(entries, notes)


def scan(data: Path) -> tuple[list[str], list[str]]:
    """Sorted paths inside `data` of the videos in class folders, and of the other files beside them."""
    paths = sorted(path for folder in _class_folders(data) for path in _visible_files(data, folder))
    videos = [path for path in paths if _is_video_name(path)]
    return videos, [ascii(path)[1:-1] for path in paths if not _is_video_name(path)]


def folder_label(path: str) -> Label | None:
    """The class that the path's first folder names, if it names one."""
    first, *rest = PurePosixPath(path).parts
    return next((label for label in LABELS if rest and first.casefold() == label), None)


def _class_folders(data: Path) -> Iterator[Path]:
    return (folder for folder in data.iterdir() if folder.name.casefold() in LABELS and folder.is_dir())


def _visible_files(data: Path, folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        inside = path.relative_to(data)
        if not path.is_dir() and not any(part.startswith(".") for part in inside.parts):
            yield inside.as_posix()


def _is_video_name(path: str) -> bool:
    # A name with control characters, or one that is not UTF-8, fits in no table and no message.
    odd = any(unicodedata.category(character) in {"Cc", "Cs"} for character in path)
    return not odd and PurePosixPath(path).suffix.casefold() in VIDEO_SUFFIXES
