"""Three folders, as courses hand Celeb-DF out: Celeb-Real, Celeb-Fake and Testing.

Testing mostly tells no labels; then its videos are scored and take no other part. Where it holds folders
for the two classes, it is the test split. File names of Celeb-DF still tell who is in a video.
"""

import re
from collections.abc import Iterator

from components.datasets.layouts import celeb_df
from components.datasets.layouts.base import Entry, Label, Listing, Prescribed, default_method
from components.datasets.naming import normalised
from components.datasets.tree import Tree

NAME = "classroom"
TITLE = "folders Celeb-Real, Celeb-Fake and Testing"

CLASSES: dict[str, Label] = {"celeb-real": "real", "celeb-fake": "fake"}
TESTING = "testing"

_WORDS: dict[str, Label] = {"real": "real", "fake": "fake", "synthesis": "fake"}


def recognises(tree: Tree) -> bool:
    """Tells whether one of the two classes' folders is there, and another of the three."""
    names = {_plain(folder) for folder in tree.top_folders}
    return bool(names & CLASSES.keys()) and len(names & {*CLASSES, TESTING}) > 1


def read(tree: Tree) -> Listing:
    """Lists the videos; the folder is the label."""
    paths = [path for path in tree.files if "/" in path and _top(path) in {*CLASSES, TESTING}]
    labels = {path: _label(path) for path in paths if tree.is_video(path)}
    tested = any(label and _top(path) == TESTING for path, label in labels.items())
    entries = tuple(_entry(path, label, tested) for path, label in labels.items())
    return Listing(entries, tuple(_notes(entries)))


def _plain(folder: str) -> str:
    return re.sub(r"[-\s_]+", "-", normalised(folder))


def _top(path: str) -> str:
    return _plain(path.split("/", 1)[0])


def _label(path: str) -> Label | None:
    top = _top(path)
    return CLASSES[top] if top in CLASSES else _told(path.split("/")[1:-1])


def _told(folders: list[str]) -> Label | None:
    """Returns the class that folders inside Testing name: "Real", "Celeb-fake", "test_real"."""
    words = {word for folder in folders for word in _plain(folder).split("-")}
    labels = {label for word, label in _WORDS.items() if word in words}
    return labels.pop() if len(labels) == 1 else None


def _entry(path: str, label: Label | None, tested: bool) -> Entry:
    identities, sources = _names(path, label)
    split: Prescribed | None = None
    if label and tested:
        split = "test" if _top(path) == TESTING else "trainval"
    return Entry(path, label, default_method(label), identities, sources, split)


def _names(path: str, label: Label | None) -> celeb_df.VideoNames:
    real, fake = (celeb_df.parse(folder, path) for folder in ("celeb-real", "celeb-synthesis"))
    # A name that contradicts the folder tells nothing.
    fitting = {"real": real, "fake": fake, None: real or fake}[label]
    return fitting or celeb_df.VideoNames((), ())


def _notes(entries: tuple[Entry, ...]) -> Iterator[str]:
    untold = sum(entry.label is None for entry in entries)
    if untold:
        yield f"{untold} videos without a label: they are scored, and take no other part"
    unnamed = sum(not entry.identities for entry in entries)
    if unnamed:
        yield f"{unnamed} of {len(entries)} videos name nobody: a person may stand in several splits"
