"""Two folders, `real/` and `fake/` (letter case does not matter), with videos at any depth.

A folder of pictures below them is one clip. Pictures that lie in `real/` itself are none: nobody says which
of them are of one video, so frames of one could stand on both sides of a split.
"""

from components.ingest.layouts.base import LABELS, Entry, Label, Listing, default_method, some
from components.ingest.tree import Tree

NAME = "folders"
TITLE = "any videos, in folders real/ and fake/"


def recognises(tree: Tree) -> bool:
    """Tell whether there is a folder of one of the two classes."""
    return any(label in tree.folders for label in LABELS)


def read(tree: Tree) -> Listing:
    """List the videos; the folder is the label, and nobody is named."""
    entries = tuple(
        Entry(path, label, default_method(label)) for label in LABELS for path in tree.clips(label)
    )
    folders = [entry.path for entry in entries if entry.path in tree.pictures]
    taken = f"{len(folders)} folders of pictures, each taken for one clip: {some(folders)}"
    return Listing(entries, (taken,) if folders else ())


def folder_label(path: str) -> Label | None:
    """The class that the path's first folder names, if it names one."""
    first, slash, _ = path.partition("/")
    return next((label for label in LABELS if slash and first.casefold() == label), None)
