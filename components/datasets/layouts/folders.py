"""Two folders, `real/` and `fake/`, with videos at any depth; folders above or below them may name a split.

`{train,val,test}/{real,fake}` and `{real,fake}/{train,val,test}`, with at most one folder between, such as a
method's. How the names are written does not matter.

A folder of pictures below them is one clip. Pictures that lie in the folder of a class or a split itself are
none: nobody says which of them are of one video, so frames of one could stand on both sides of a split.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from components.datasets.layouts.base import (
    LABELS,
    SPLIT_NAMES,
    SPLITS,
    Entry,
    Label,
    Listing,
    Prescribed,
    Split,
    default_method,
    some,
)
from components.datasets.layouts.official_lists import prescribed
from components.datasets.naming import normalised
from components.datasets.tree import Tree

NAME = "folders"
TITLE = (
    "any videos, in folders real/ and fake/; folders train/, val/ and test/ above or below name their split"
)

_LABELS: dict[str, Label] = {label: label for label in LABELS}
_DEPTH = 3
"""Folders from the top among which class and split are looked for: both, and one between."""


class Place(NamedTuple):
    """What the folders above a video say of it."""

    label: Label
    split: Split | None


def recognises(tree: Tree) -> bool:
    """Tells whether there is a folder of one of the two classes, at the top or in that of a split."""
    below = (path for folder in SPLIT_NAMES for path in tree.under(folder))
    return any(label in tree.folders for label in LABELS) or any(map(place, below))


def read(tree: Tree) -> Listing:
    """Lists the videos; the folders are the label and the split, and nobody is named."""
    clips = _clips(tree)
    places = {path: location for path in clips if (location := place(path))}
    splits = prescribed_splits(places)
    entries = tuple(
        Entry(path, location.label, default_method(location.label), split=splits[path])
        for path, location in places.items()
    )
    return Listing(entries, (*_notes(tree, clips, places), *split_notes(places)))


def place(path: str) -> Place | None:
    """Returns the class and split that the path's first folders name; None where they name no class."""
    head = [normalised(folder) for folder in path.split("/")[:-1][:_DEPTH]]
    if not head or not _names_part(head[0]):
        return None
    label = next((_LABELS[folder] for folder in head if folder in _LABELS), None)
    split = next((SPLIT_NAMES[folder] for folder in head if folder in SPLIT_NAMES), None)
    return Place(label, split) if label else None


def without_class(path: str) -> str:
    """The path without the folder that names its class: what `real/7.mp4` and `fake/7.mp4` have in common."""
    parts = path.split("/")
    if place(path):
        del parts[next(index for index, part in enumerate(parts) if normalised(part) in _LABELS)]
    return "/".join(parts)


def prescribed_splits(places: Mapping[str, Place]) -> dict[str, Prescribed | None]:
    """Returns what the folders prescribe for each path."""
    named = {location.split for location in places.values()}
    return {path: prescribed(location.split, named) for path, location in places.items()}


def split_notes(places: Mapping[str, Place]) -> Iterator[str]:
    """Yields one line on the splits that folders name, if they name any."""
    named = Counter(location.split for location in places.values() if location.split)
    if named:
        counts = ", ".join(f"{split} {named[split]}" for split in SPLITS if split in named)
        missing = [split for split in SPLITS if split not in named]
        rest = f"; {' and '.join(missing)}, which none names, out of the other videos" if missing else ""
        yield f"splits as folders name them: {counts}{rest}"


def _clips(tree: Tree) -> list[str]:
    """Returns what lies in the top-level folders that a class or a split may be called by.

    A folder of a class or a split is no clip itself: its pictures are those of many videos.
    """
    paths = (path for folder in (*LABELS, *SPLIT_NAMES) for path in tree.clips(folder))
    return [path for path in paths if tree.is_video(path) or not _names_part(path.rsplit("/", 1)[-1])]


def _names_part(folder: str) -> bool:
    return normalised(folder) in {*_LABELS, *SPLIT_NAMES}


def _notes(tree: Tree, clips: Iterable[str], places: Collection[str]) -> Iterator[str]:
    tops = {path.split("/", 1)[0] for path in places}
    if classless := [path for path in clips if path not in places and path.split("/", 1)[0] in tops]:
        yield f"left out, in no folder real/ or fake/: {len(classless)} videos: {some(classless)}"
    if pictures := [path for path in places if path in tree.pictures]:
        yield f"{len(pictures)} folders of pictures, each taken for one clip: {some(pictures)}"
