"""FaceForensics++ and the Deep Fake Detection videos that come with it.

`original_sequences/{youtube,actors}/{raw,c23,c40}/videos` and `manipulated_sequences/METHOD/…/videos`, with
the official lists `splits/{train,val,test}.json` of pairs, each of which stands for two originals and, by
every method, two forgeries. Deep Fake Detection has no official split.
Source: https://github.com/ondyari/FaceForensics, and Rössler et al., ICCV 2019 (https://arxiv.org/abs/1901.08971)
"""

import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from components.datasets.layouts.base import Entry, Label, Listing, Split, some
from components.datasets.layouts.faceforensics_names import (
    FACEFORENSICS_METHODS,
    Family,
    VideoName,
    parse_path,
)
from components.datasets.layouts.official_lists import (
    OfficialLists,
    absent,
    assign_as_listed,
    find_lists,
    partial,
)
from components.datasets.scan import is_video_name
from components.datasets.tree import Tree
from components.errors import DataError

NAME = "faceforensics"
TITLE = "FaceForensics++ with Deep Fake Detection: original_sequences/, manipulated_sequences/, splits/*.json"

LISTS = "splits/{train,val,test}.json"
LISTS_HOME = "https://github.com/ondyari/FaceForensics/tree/master/dataset/splits"
LIST_FOLDERS = ("splits", "", "dataset/splits")

_PARTS = {"original_sequences", "manipulated_sequences"}
_FLAT = {method.casefold() for method in FACEFORENSICS_METHODS}
_ID = re.compile(r"[0-9]{3}")

Pair = tuple[str, str]
VideoNames = Mapping[str, VideoName]


def recognises(tree: Tree) -> bool:
    """Tells whether there are the published folders, or `original` beside the folder of a method."""
    folders = set(tree.folders)
    return bool(folders & _PARTS) or ("original" in folders and bool(folders & _FLAT))


def read(tree: Tree) -> Listing:
    """Lists the videos of all compressions, with the official split where its lists are there.

    Raises:
        DataError: a list of splits is no list of pairs of ids, or an id stands in two of them.
    """
    dataset_files = list(_own_files(tree))
    names = {path: name for path in dataset_files if is_video_name(path) and (name := parse_path(path))}
    files = find_lists(tree, LIST_FOLDERS, "json")
    pairs = {split: _read_pairs(tree, file) for split, file in files.items()}
    ids = {split: {number for pair in listed for number in pair} for split, listed in pairs.items()}
    lists = assign_as_listed(tree, files, ids)
    entries = tuple(_entry(path, name, lists) for path, name in names.items())
    listed = [pair for split in pairs.values() for pair in split]
    masks = frozenset(path for path in dataset_files if path not in names and _beside_videos(path))
    unread = [
        path for path in dataset_files if path not in names and path not in masks and is_video_name(path)
    ]
    notes = (*_left_out(masks, unread), *_split_notes(names, lists), *_copy_notes(names, listed))
    return Listing(entries, notes, tuple(files.values()), masks)


def _own_files(tree: Tree) -> Iterator[str]:
    """Returns files of this dataset, which may share `data/` with others."""
    folders = _PARTS if set(tree.folders) & _PARTS else {*_FLAT, "original"}
    return (path for path in tree.files if path.split("/", 1)[0].casefold() in folders and "/" in path)


def _read_pairs(tree: Tree, file: str) -> list[Pair]:
    where = tree.root / file
    try:
        content = json.loads(tree.read_text(file))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: not valid JSON ({error}); get it anew from {LISTS_HOME}") from error
    if not isinstance(content, list):
        raise DataError(f'{where}: no list; write pairs of ids such as [["071", "054"]]')
    return [_pair(item, f"{where}: entry {number}") for number, item in enumerate(content, start=1)]


def _pair(item: Any, where: str) -> Pair:
    match item:
        case [str(first), str(second)] if _ID.fullmatch(first) and _ID.fullmatch(second):
            return first, second
    raise DataError(f'{where}: {json.dumps(item)[:80]} is no pair of ids; write one such as ["071", "054"]')


def _entry(path: str, name: VideoName, lists: OfficialLists) -> Entry:
    label: Label = "real" if name.genuine else "fake"
    return Entry(path, label, name.method, name.identities, name.sources, _split(name, lists))


def _split(name: VideoName, lists: OfficialLists) -> Split | None:
    """Returns the one list in which all of a video's ids stand."""
    listed = _listed(name, lists)
    return listed.pop() if len(listed) == 1 else None


def _listed(name: VideoName, lists: OfficialLists) -> set[Split | None]:
    """Returns the lists in which a video's ids stand; None among them for an id in no list."""
    return {lists.splits.get(number) for number in name.numbers} if name.family == "youtube" else {None}


def _left_out(masks: Collection[str], unread: list[str]) -> Iterator[str]:
    if masks:
        yield f"left out, masks, images and models: {len(masks)} files"
    if unread:
        yield f"left out, not called like a video of FaceForensics++: {len(unread)}: {some(unread)}"


def _beside_videos(path: str) -> bool:
    return not {"mask", "masks", "images", "models"}.isdisjoint(path.casefold().split("/")[:-1])


def _split_notes(names: VideoNames, lists: OfficialLists) -> Iterator[str]:
    youtube = {path: name for path, name in names.items() if name.family == "youtube"}
    actors = len(names) - len(youtube)
    if actors:
        yield f"Deep Fake Detection has no official split: its {actors} videos are assigned anew"
    if youtube:
        yield from absent(lists, LISTS, LISTS_HOME)
    if not lists.files:
        return
    crossing = [path for path, name in youtube.items() if len(_listed(name, lists) - {None}) > 1]
    if crossing:
        yield f"forgeries that join ids of two lists have no split: {len(crossing)}: {some(crossing)}"
    unlisted = [path for path, name in youtube.items() if None in _listed(name, lists)]
    if unlisted:
        yield f"in no list of splits, so assigned anew: {len(unlisted)}: {some(unlisted)}"


def _copy_notes(names: VideoNames, pairs: Iterable[Pair]) -> Iterator[str]:
    """Notes on what a partial copy lacks: listed videos, and originals of the forgeries' compression."""
    originals = {number for pair in pairs for number in pair}
    forgeries = {f"{first}_{second}" for pair in pairs for first, second in (pair, pair[::-1])}
    present: dict[str, set[str]] = defaultdict(set)
    listed: dict[str, set[str]] = {}
    for name in names.values():
        if name.family == "youtube":
            folder = "/".join(filter(None, (name.folder, name.compression)))
            present[folder].add(name.stem)
            listed[folder] = originals if name.genuine else forgeries
    yield from partial(listed, present)
    for family in ("youtube", "actors"):
        yield from _unlike_compressions(names.values(), family)


def _unlike_compressions(names: Iterable[VideoName], family: Family) -> Iterator[str]:
    """Warns that where only one class has a compression, it gives the class away."""
    of_family = [name for name in names if name.family == family]
    real = {name.compression for name in of_family if name.genuine}
    fake = {name.compression for name in of_family if not name.genuine}
    if real and fake and real != fake:
        both = f"originals {_told(real)}; forgeries {_told(fake)}"
        yield f"compressions of {family} differ ({both}): a detector may learn them; get the same for both"


def _told(compressions: Iterable[str]) -> str:
    return ", ".join(sorted(compression or "untold" for compression in compressions))
