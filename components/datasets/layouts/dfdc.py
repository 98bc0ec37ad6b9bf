"""The Deepfake Detection Challenge dataset: https://ai.meta.com/datasets/dfdc/, or as Kaggle handed it out.

Dolhansky et al., "The DeepFake Detection Challenge (DFDC) Dataset", 2020, https://arxiv.org/abs/2006.07397.
The training videos come in parts `dfdc_train_part_0` to `_49`, each with a `metadata.json` that names the
label and, of fakes, the original. Validation and test videos come with a `labels.csv`, or a `metadata.json`
with `is_fake`; a folder inside the dataset tells which of the two they are, never the dataset's own folder,
which has another name once it is added. Nobody is named: what ties videos is the original that they were
made from.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from components.datasets.layouts.annotations import read_csv, read_object
from components.datasets.layouts.base import Entry, Label, Listing, Prescribed, Split, default_method, some
from components.datasets.layouts.official_lists import prescribed
from components.datasets.naming import normalised
from components.datasets.tree import Tree
from components.errors import DataError

NAME = "dfdc"
TITLE = "DFDC: dfdc_train_part_N/metadata.json, test/labels.csv, validation/labels.csv"

PARTS = 50
METADATA, TABLE = "metadata.json", "labels.csv"

_LABELS: dict[str, Label] = {"real": "real", "fake": "fake", "0": "real", "1": "fake"}

_PART = re.compile(r"dfdc_train_part_(\d+)|train_sample_videos", re.IGNORECASE)
_TRAIN = re.compile(r"train(_videos)?", re.IGNORECASE)
_VALIDATION = re.compile(r"(dfdc_)?val(id|idation)?(_set|_videos)?", re.IGNORECASE)
_TEST = re.compile(r"(dfdc_)?test(_set|_videos)?", re.IGNORECASE)


class Described(NamedTuple):
    """One video as a list describes it; `role` is what lists of that kind are for."""

    file: str
    label: Label
    role: Split
    original: str | None = None


@dataclass(frozen=True)
class Listed:
    """One list: where it stands, what its videos are for, those that are there by path, and the others."""

    path: str
    role: Split
    videos: Mapping[str, Described]
    absent: Sequence[str]


def recognises(tree: Tree) -> bool:
    """Tells by a list in a part's folder, or by any list in a folder that is called after the dataset."""
    named = "dfdc" in _called(tree)
    parts = (path for path in _lists(tree) if tree.name or _is_chain(path))
    return any(named or any(map(_PART.fullmatch, _folders(path))) for path in parts)


def read(tree: Tree) -> Listing:
    """Lists the videos that the lists name, as far as they are there.

    `split` in the metadata is "train" throughout: it prescribes nothing unless the test videos are there too.

    Raises:
        DataError: a list cannot be understood, or two of them contradict each other.
    """
    by_name: dict[str, list[str]] = defaultdict(list)
    for path in tree.videos():
        by_name[_file_key(path)].append(path)
    lists = [_read(tree, path, by_name) for path in _lists(tree)]
    owners = _owners(tree, lists)
    roles = {listed.role for listed in lists if listed.videos}
    entries = tuple(
        _entry(path, listed.videos[path], prescribed(listed.role, roles)) for path, listed in owners.items()
    )
    notes = (*_part_notes(lists), *_list_notes(lists), *_video_notes(tree, lists, owners))
    return Listing(entries, notes, tuple(listed.path for listed in lists))


def _called(tree: Tree) -> str:
    return (tree.name or tree.root.name).casefold()


def _file_key(path: str) -> str:
    return normalised(path.rpartition("/")[2])


def _folders(path: str) -> tuple[str, ...]:
    return PurePosixPath(path).parts[:-1]


def _lists(tree: Tree) -> list[str]:
    """Paths of the lists, one in each folder; the table goes first, as all releases agree on its shape."""
    by_folder: dict[str, str] = {}
    for path in tree.others():
        folder, _, name = path.rpartition("/")
        if name.casefold() == TABLE or (name.casefold() == METADATA and folder not in by_folder):
            by_folder[folder] = path
    return [path for _, path in sorted(by_folder.items()) if _is_ours(tree, path)]


def _is_ours(tree: Tree, path: str) -> bool:
    """Datasets stand side by side in `data/`, which has no name: take no list of theirs for one of these."""
    return bool(tree.name) or _is_chain(path) or bool(_PART.fullmatch(_folders(path)[-1]))


def _is_chain(path: str) -> bool:
    """Whether all folders above a list are those of the dataset; `data/dfdc` is a dataset of its own."""
    patterns = (_PART, _TRAIN, _VALIDATION, _TEST)
    return all(any(pattern.fullmatch(folder) for pattern in patterns) for folder in _folders(path))


def _read(tree: Tree, path: str, by_name: Mapping[str, Sequence[str]]) -> Listed:
    videos = list(_table(tree, path) if path.casefold().endswith(TABLE) else _metadata(tree, path))
    there: dict[str, Described] = {}
    absent: list[str] = []
    for video in videos:
        place = _locate(tree, path.rpartition("/")[0], video.file, by_name)
        if not place:
            absent.append(video.file)
        elif there.setdefault(place, video).label != video.label:
            raise DataError(
                f"{tree.root / path}: {video.file} is real and fake there; download the list again"
            )
    role = _told_role(path) or (videos[0].role if videos else "train")
    return Listed(path, role, there, absent)


def _table(tree: Tree, path: str) -> Iterator[Described]:
    place = str(tree.root / path)
    for number, cells in read_csv(tree, path, ("filename", "label")).lines:
        yield Described(cells["filename"], _label(cells["label"], f"{place}:{number}"), "test")


def _metadata(tree: Tree, path: str) -> Iterator[Described]:
    place = str(tree.root / path)
    for file, info in read_object(tree, path).items():
        where = f"{place}: {file}"
        if not isinstance(info, dict):
            raise DataError(f"{where}: not described by an object; download the list again")
        original = info.get("original")
        yield Described(
            file,
            label=_label(info["label"] if "label" in info else info.get("is_fake"), where),
            role="test" if "is_fake" in info else "train",
            original=original if isinstance(original, str) and original else None,
        )


def _label(value: Any, where: str) -> Label:
    number = int(value) if isinstance(value, bool | float) and value in {0, 1} else value
    label = _LABELS.get(str(number).casefold())
    if not label:
        raise DataError(f"{where}: label {value!r} is none of REAL, FAKE, 0 and 1; download the list again")
    return label


def _locate(tree: Tree, folder: str, file: str, by_name: Mapping[str, Sequence[str]]) -> str | None:
    """Returns a listed file beside its list, or in a folder below."""
    prefix = f"{folder}/" if folder else ""
    below = (path for path in by_name.get(_file_key(file), ()) if path.startswith(prefix))
    return tree.find(prefix + file) or next(below, None)


def _told_role(path: str) -> Split | None:
    names = _folders(path)
    if any(map(_VALIDATION.fullmatch, names)):
        return "val"
    return "test" if any(map(_TEST.fullmatch, names)) else None


def _owners(tree: Tree, lists: Sequence[Listed]) -> dict[str, Listed]:
    """Returns the list that each video is from: the first that names it.

    Raises:
        DataError: another one says otherwise.
    """
    owners: dict[str, Listed] = {}
    for listed in lists:
        for path, video in listed.videos.items():
            first = owners.setdefault(path, listed)
            if first.videos[path].label != video.label:
                sides = " and ".join(str(tree.root / side.path) for side in (first, listed))
                raise DataError(f"{sides} contradict each other on {path}; download both again")
    return owners


def _entry(path: str, video: Described, split: Prescribed | None) -> Entry:
    recording = video.file if video.label == "real" else video.original
    sources = (f"{NAME}/{recording}",) if recording else ()
    return Entry(path, video.label, default_method(video.label), (), sources, split)


def _part_notes(lists: Sequence[Listed]) -> Iterator[str]:
    parts = (_PART.fullmatch(folder) for listed in lists for folder in _folders(listed.path))
    present = sorted({int(part[1]) for part in parts if part and part[1]})
    missing = [number for number in range(PARTS) if number not in present]
    if present and missing:
        yield f"parts {_ranges(present)} are there; missing of 0–{PARTS - 1}: {_ranges(missing)}"


def _ranges(numbers: Sequence[int]) -> str:
    """Returns sorted numbers in short: "0–3, 7"."""
    starts = [number for number in numbers if number - 1 not in numbers]
    ends = [number for number in numbers if number + 1 not in numbers]
    return ", ".join(
        str(start) if start == end else f"{start}–{end}" for start, end in zip(starts, ends, strict=True)
    )


def _list_notes(lists: Sequence[Listed]) -> Iterator[str]:
    for listed in lists:
        if listed.absent:
            total = len(listed.absent) + len(listed.videos)
            gone = some(list(listed.absent))
            yield f"{listed.path}: {len(listed.absent)} of {total} videos are not there: {gone}"
        if listed.videos and listed.role == "test" and not _told_role(listed.path):
            yield f"{listed.path}: taken for test videos; if they are for validation, put all in validation/"
    trained = [listed.videos for listed in lists if listed.role == "train"]
    orphans = [
        p
        for videos in trained
        for p, video in videos.items()
        if (video.label, video.original) == ("fake", None)
    ]
    if orphans:
        yield f"fakes whose original is not told, so that nothing ties them: {len(orphans)}: {some(orphans)}"


def _video_notes(tree: Tree, lists: Sequence[Listed], named: Collection[str]) -> Iterator[str]:
    unlisted = [path for path in _beside(tree, lists) if path not in named]
    if unlisted:
        yield f"left out, named by no {METADATA} or {TABLE}: {len(unlisted)} videos: {some(unlisted)}"
    counts = Counter(map(_file_key, named))
    twice = sorted(name for name, count in counts.items() if count > 1)
    if twice:
        yield f"in more than one folder: {len(twice)} videos: {some(twice)}"


def _beside(tree: Tree, lists: Sequence[Listed]) -> Iterator[str]:
    """Returns videos that a list should name."""
    tops = {_top(listed.path) for listed in lists}
    return (path for path in tree.videos() if _top(path) in tops)


def _top(path: str) -> str:
    return path.split("/", 1)[0] if "/" in path else ""
