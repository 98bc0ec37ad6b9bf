"""ForgeryNet: videos, and folders of pictures, that lists label.

He et al., "ForgeryNet: A Versatile Benchmark for Comprehensive Forgery Analysis", CVPR 2021,
https://github.com/yinanhe/ForgeryNet, whose Readme.txt gives the lines of its lists:

    IMAGE BINARY TRIPLE CLASS
    SEGMENTS VIDEO [START FRAMES FORGED]… BINARY TRIPLE CLASS

BINARY is 0 for real, CLASS is 0 or one of 15 methods. Public loaders find them in `Training/image_list.txt`
and `Training/video_list.txt`, and so for `Validation`; a name there ends like the file's path. Where copies
put the lists, and how pictures are spread over folders, was not checked: any list in a part's folder is read,
a folder of pictures is a clip where all of its listed pictures have one label, and the folders of whole
methods (`1` to `19`) are none. Nobody is named, and what ties a fake to its original is not told.

Of a forged video only some segments may be forged: it is labelled fake as a whole.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from components.datasets.layouts.base import GENUINE_METHOD, Entry, Listing, Prescribed, Split, some
from components.datasets.naming import normalised
from components.datasets.tree import Tree
from components.errors import DataError

NAME = "forgerynet"
TITLE = "ForgeryNet: Training, Validation and Test with image_list.txt or video_list.txt"

PARTS: dict[str, Split] = {"training": "train", "validation": "val", "test": "test"}

_LIST = re.compile(r"[^/]*(?:image|video)_?list[^/]*\.txt", re.IGNORECASE)
_LINE = re.compile(r"(?:\d+\s+)?(?P<name>\S*[^\d\s]\S*)\s+(?:\S+\s+)*?(?P<binary>[01]) [012] (?P<kind>\d+)")
_METHOD_FOLDER = re.compile(r"(?:.*/)?1?\d")


class Annotation(NamedTuple):
    """What a list tells: whether it is a forgery, and of which class."""

    fake: bool
    kind: int


def recognises(tree: Tree) -> bool:
    """Tells by a part that has a list."""
    return any(_lists(tree, part) for part in PARTS if part in tree.folders)


def read(tree: Tree) -> Listing:
    """Lists the videos and folders of pictures; what no list tells of is unlabelled.

    Raises:
        DataError: a line of a list cannot be understood, or two lines contradict each other.
    """
    parts = [part for part in PARTS if part in tree.folders]
    lists = {part: _lists(tree, part) for part in parts}
    annotations = {part: _read_lists(tree, lists[part]) for part in parts}
    tested = bool(annotations.get("test"))
    entries = tuple(
        _entry(path, _find(tree.members(path), annotations[part]), _split(part, tested))
        for part in parts
        for path in tree.clips(part)
        if path not in tree.pictures or not _METHOD_FOLDER.fullmatch(path)
    )
    files = tuple(file for part in parts for file in lists[part])
    return Listing(entries, tuple(_notes(entries, tested)), files)


def _lists(tree: Tree, part: str) -> list[str]:
    return [path for path in tree.others(part) if _LIST.fullmatch(path.rsplit("/", 1)[-1])]


def _read_lists(tree: Tree, files: Iterable[str]) -> dict[str, Annotation]:
    """Returns what is told of each name, by its key."""
    annotations: dict[str, Annotation] = {}
    for file in files:
        for number, line in enumerate(tree.read_text(file).splitlines(), 1):
            if line.strip() and "_label" not in line:  # some copies have a header
                where = f"{tree.root / file}:{number}"
                name, now = _read_line(line, where)
                if annotations.setdefault(name, now) != now:
                    raise DataError(f"{where}: {name[:80]!r} has another label before; get the list anew")
    return annotations


def _read_line(line: str, where: str) -> tuple[str, Annotation]:
    match = _LINE.fullmatch(" ".join(line.split()))
    if not match:
        raise DataError(f"{where}: {line[:80]!r} is not like `1/a.jpg 1 1 3`; get the list anew")
    name = normalised(match["name"]).removeprefix("./")
    return name, Annotation(match["binary"] == "1", int(match["kind"]))


def _find(members: Iterable[str], annotations: Mapping[str, Annotation]) -> Annotation | None:
    """What is told of all that are listed of an entry's files, by the end of their paths; else None."""
    matches = {
        annotation
        for path in members
        for tail in _tails(normalised(path))
        if (annotation := annotations.get(tail))
    }
    return matches.pop() if len(matches) == 1 else None


def _tails(path: str) -> Iterator[str]:
    """Returns a path without more and more of the folders in front; a name alone could be another one's."""
    parts = path.split("/")
    return ("/".join(parts[start:]) for start in range(len(parts) - 1))


def _split(part: str, tested: bool) -> Prescribed:
    """Returns a part's split: without a labelled test, validation is for testing and training is assigned."""
    if tested:
        return PARTS[part]
    return "test" if part == "validation" else "trainval"


def _entry(path: str, annotation: Annotation | None, split: Prescribed) -> Entry:
    if annotation is None:
        return Entry(path, None, "unknown", (), (), split)
    method = f"class-{annotation.kind}" if annotation.fake else GENUINE_METHOD
    return Entry(path, "fake" if annotation.fake else "real", method, (), (), split)


def _notes(entries: tuple[Entry, ...], tested: bool) -> Iterator[str]:
    if not tested:
        yield "no labelled Test: Validation is for testing, as in papers; Training gives train and val"
    if untold := [entry.path for entry in entries if entry.label is None]:
        yield f"{len(untold)} that no list labels, or in two ways: scored, never trained on: {some(untold)}"
    if any(entry.label == "fake" for entry in entries):
        yield "of a forged video only some segments may be forged; it is labelled fake as a whole"
