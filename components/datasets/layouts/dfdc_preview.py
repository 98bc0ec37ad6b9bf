"""The preview of the Deepfake Detection Challenge dataset: https://ai.meta.com/datasets/dfdc/.

Dolhansky et al., "The Deepfake Detection Challenge (DFDC) Preview Dataset", 2019,
https://arxiv.org/abs/1910.08854. `dataset.json` names every video's label, split and people: `target_id` is
who was recorded, `swapped_id` whose face a fake shows.
"""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from components.datasets.layouts.annotations import read_object
from components.datasets.layouts.base import GENUINE_METHOD, Entry, Label, Listing, Prescribed, some
from components.datasets.tree import Tree
from components.errors import DataError

Value = TypeVar("Value")

NAME = "dfdc-preview"
TITLE = "DFDC preview: dataset.json beside original_videos, method_A and method_B"

LIST = "dataset.json"
ORIGINALS = "original_videos"
FOLDERS = (ORIGINALS, "method_a", "method_b")

LABELS: dict[str, Label] = {"real": "real", "fake": "fake"}
# There is no validation split.
SPLITS: dict[str, Prescribed] = {"train": "trainval", "test": "test"}


def recognises(tree: Tree) -> bool:
    """Tells by the list and one of the three folders."""
    return tree.find(LIST) is not None and any(folder in tree.folders for folder in FOLDERS)


def read(tree: Tree) -> Listing:
    """Lists the videos that the list names, as far as they are there.

    Raises:
        DataError: there is no list, or it cannot be understood.
    """
    file = tree.find(LIST)
    if not file:
        raise DataError(
            f"{tree.root / LIST}: not there, and nothing else tells the labels; download it again"
        )
    listed = read_object(tree, file)
    entries: dict[str, Entry] = {}
    absent: list[str] = []
    for key, info in listed.items():
        where = f"{tree.root / file}: {key}"
        path = _locate(tree, key)
        if path in entries:
            raise DataError(f"{where}: stands there twice, but for the letter case; download the list again")
        if path:
            entries[path] = _entry(path, key, info, where)
        else:
            absent.append(key)
    return Listing(tuple(entries.values()), tuple(_notes(tree, absent, entries)), (file,))


def _locate(tree: Tree, key: str) -> str | None:
    # Some copies have a folder more, between the method and the people.
    top, _, rest = key.partition("/")
    return tree.find(key) or tree.find(f"{top}/videos/{rest}")


def _entry(path: str, key: str, info: Any, where: str) -> Entry:
    if not isinstance(info, dict):
        raise DataError(f"{where}: not described by an object; download the list again")
    label = _one_of(info, "label", LABELS, where)
    folder = key.split("/", 1)[0]
    if (label == "real") != (folder.casefold() == ORIGINALS):
        raise DataError(f"{where}: label {label!r} contradicts the folder; download the list again")
    people = (info.get("target_id"), info.get("swapped_id"))
    return Entry(
        path,
        label,
        method=GENUINE_METHOD if label == "real" else folder,
        identities=tuple(f"{NAME}/{person}" for person in people if isinstance(person, int | str)),
        split=_one_of(info, "set", SPLITS, where),
    )


def _one_of(info: Mapping[str, Any], key: str, known: Mapping[str, Value], where: str) -> Value:
    value = info.get(key)
    if str(value).casefold() not in known:
        raise DataError(f"{where}: {key} {value!r} is none of {', '.join(known)}; download the list again")
    return known[str(value).casefold()]


def _notes(tree: Tree, absent: list[str], entries: Mapping[str, Entry]) -> Iterator[str]:
    if absent:
        total = len(absent) + len(entries)
        yield f"{LIST}: {len(absent)} of {total} videos are not there: {some(absent)}"
    unlisted = [path for folder in FOLDERS for path in tree.videos(folder) if path not in entries]
    if unlisted:
        yield f"left out, not in {LIST}: {len(unlisted)} videos: {some(unlisted)}"
    unnamed = sum(not entry.identities for entry in entries.values())
    if unnamed:
        yield f"{unnamed} videos name nobody: a person may stand in several splits"
