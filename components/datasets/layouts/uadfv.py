"""UADFV: 49 genuine videos, and a fake of each.

Yang, Li and Lyu, "Exposing Deep Fakes Using Inconsistent Head Poses", ICASSP 2019,
https://arxiv.org/abs/1811.00661. `fake/0007_fake.mp4` is made of `real/0007.mp4`. Copies of extracted frames
have `real/frames/0007/*.png` and `fake/frames/0007_fake/*.png`, as DeepfakeBench's preprocessing writes them,
or do without `frames`.

Surveys of the field say that all fakes carry one actor's face. He is not named here as a person of the
videos: tied by him, they could not be split at all. So a detector has seen the face with which it is tested.
Whether two genuine videos show one person is not known.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import PurePosixPath

from components.datasets.layouts.base import LABELS, Entry, Label, Listing, some
from components.datasets.naming import normalised
from components.datasets.tree import Tree

NAME = "uadfv"
TITLE = "UADFV: real/0000.mp4 and fake/0000_fake.mp4, or folders of their frames"

METHOD = "FakeApp"
PUBLISHED = 49

_NAMES: dict[Label, re.Pattern[str]] = {
    "real": re.compile(r"(?P<number>\d{4})"),
    "fake": re.compile(r"(?P<number>\d{4})_fake"),
}


def recognises(tree: Tree) -> bool:
    """Tells by the names in both folders, of which none may be another one's."""
    return all(
        label in tree.folders and (clips := tree.clips(label)) and all(_number(path, label) for path in clips)
        for label in LABELS
    )


def read(tree: Tree) -> Listing:
    """Lists the videos, or the folders of frames of those whose video is not there."""
    labelled = [(label, path) for label in LABELS for path in tree.clips(label)]
    numbered = {(label, path): number for label, path in labelled if (number := _number(path, label))}
    copies: defaultdict[tuple[Label, str], list[str]] = defaultdict(list)
    for (label, path), number in numbered.items():
        copies[label, number].append(path)  # videos come first
    entries = tuple(_entry(paths[0], label, number) for (label, number), paths in copies.items())
    again = [path for paths in copies.values() for path in paths[1:]]
    unnamed = [path for label, path in labelled if (label, path) not in numbered]
    return Listing(entries, tuple(_notes(set(copies), again, unnamed)))


def _number(path: str, label: Label) -> str | None:
    name = PurePosixPath(normalised(path))
    match = _NAMES[label].fullmatch(name.stem)
    return match["number"] if match else None


def _entry(path: str, label: Label, number: str) -> Entry:
    name = f"{NAME}/{number}"
    return Entry(path, label, METHOD if label == "fake" else "none", (name,), (name,))


def _notes(present: set[tuple[Label, str]], again: list[str], unnamed: list[str]) -> Iterator[str]:
    for label in LABELS:
        count = sum(kind == label for kind, _ in present)
        if count != PUBLISHED:
            yield f"{count} {label} videos, not {PUBLISHED}"
    if again:
        yield f"left out, further copies of listed videos: {some(again)}"
    if unnamed:
        yield f"left out, names that are not the dataset's: {some(unnamed)}"
    yield "the dataset has no official split, and one actor's face is in all of its fakes"
