"""What a dataset's layout tells about its videos, before any of them is opened."""

from dataclasses import dataclass
from typing import Literal, Protocol, get_args

from components.datasets.tree import Tree
from components.printable import some as some  # noqa: PLC0414  layouts word notes with it

Label = Literal["real", "fake"]
Split = Literal["train", "val", "test"]
Prescribed = Split | Literal["trainval"]
"""What a dataset's own list says: a split, or only that a video is not for testing."""

LABELS: tuple[Label, ...] = get_args(Label)
SPLITS: tuple[Split, ...] = get_args(Split)

_SYNONYMS: dict[Split, tuple[str, ...]] = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation", "dev", "development"),
    "test": ("test", "testing", "eval", "evaluation"),
}
SPLIT_NAMES: dict[str, Split] = {name: split for split, names in _SYNONYMS.items() for name in names}
"""What people call the splits, in folders' names and in lists."""

GENUINE_METHOD = "none"
UNKNOWN_METHOD = "unknown"


@dataclass(frozen=True)
class Entry:
    """One video as its dataset describes it.

    Attributes:
        path: inside the dataset's folder, with forward slashes.
        label: what the dataset says it is; None where it does not say: such a video is scored, never
            trained on.
        method: forgery method; "none" for genuine videos, "unknown" where untold.
        identities: the people in it; empty where nobody is named. Datasets that number their people write
            "LAYOUT/…", so that no number ties people of two datasets.
        sources: recordings that it is or was made from: any names that its siblings share ("LAYOUT/…"), or
            another video's path inside `data/`.
        split: where the dataset prescribes one.
    """

    path: str
    label: Label | None
    method: str
    identities: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    split: Prescribed | None = None


@dataclass(frozen=True)
class Listing:
    """Everything a layout found.

    Attributes:
        entries: in any order, no path twice.
        notes: one line for each thing that a person should know: what is missing, left out or contradicts
            itself.
        annotations: files other than videos that it read, such as lists of splits.
        noted: paths that a note accounts for, other than videos.
    """

    entries: tuple[Entry, ...]
    notes: tuple[str, ...] = ()
    annotations: tuple[str, ...] = ()
    noted: frozenset[str] = frozenset()


class Layout(Protocol):
    """A module that reads one way of laying out a dataset."""

    NAME: str
    """What `--dataset` and `unmask.yaml` call it."""

    TITLE: str
    """One line: the dataset, and the names in a folder by which it is recognised."""

    def recognises(self, tree: Tree) -> bool:
        """Tells from the names in the folder alone."""

    def read(self, tree: Tree) -> Listing:
        """Lists the videos, as far as a partial copy goes.

        Raises:
            DataError: an annotation file cannot be understood.
        """


def default_method(label: Label | None) -> str:
    """Returns the method of a video whose dataset tells none."""
    return GENUINE_METHOD if label == "real" else UNKNOWN_METHOD
