"""What a dataset's layout tells about its videos, before any of them is opened."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, get_args

Label = Literal["real", "fake"]
Split = Literal["train", "val", "test"]

LABELS: tuple[Label, ...] = get_args(Label)
SPLITS: tuple[Split, ...] = get_args(Split)

GENUINE_METHOD = "none"
UNKNOWN_METHOD = "unknown"

# What files of the containers that components.faces.video accepts are called.
VIDEO_SUFFIXES = frozenset(
    {".3gp", ".asf", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov"}
    | {".mp4", ".mpeg", ".mpg", ".mts", ".ogv", ".ts", ".webm", ".wmv"}
)


@dataclass(frozen=True)
class Entry:
    """One video as its dataset describes it.

    Attributes:
        path: inside the data folder, with forward slashes.
        label: what the dataset says it is.
        method: forgery method; "none" for genuine videos, "unknown" where untold.
        identities: the people in it; empty where nobody is named.
        source: recording that it was made from: any name that its siblings share, or another video's path.
        split: where the dataset prescribes one.
    """

    path: str
    label: Label
    method: str
    identities: tuple[str, ...] = ()
    source: str = ""
    split: Split | None = None


@dataclass(frozen=True)
class Listing:
    """Everything a layout found, and one line for each thing that a person should know about it."""

    entries: tuple[Entry, ...]
    notes: tuple[str, ...] = ()


class Layout(Protocol):
    """A module that reads one way of laying out a dataset."""

    def recognises(self, data: Path) -> bool:
        """Tell from the names in the folder alone."""

    def read(self, data: Path) -> Listing:
        """List the videos.

        Raises:
            DataError: the dataset contradicts itself.
        """


def default_method(label: Label) -> str:
    """Method of a video whose dataset tells none."""
    return GENUINE_METHOD if label == "real" else UNKNOWN_METHOD


def some(names: list[str], limit: int = 5) -> str:
    """Name the first few: "a, b, c and 4 more"."""
    rest = len(names) - limit
    return ", ".join(names[:limit]) + (f" and {rest} more" if rest > 0 else "")
