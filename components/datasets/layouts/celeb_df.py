"""Celeb-DF, versions 1 and 2.

Li et al., "Celeb-DF: A Large-scale Challenging Dataset for DeepFake Forensics", CVPR 2020,
https://github.com/yuezunli/celeb-deepfakeforensics. Genuine videos are called `id1_0007.mp4` (person 1,
recording 7), those of people who are in no fake `00170.mp4`; `id1_id16_0007.mp4` is recording 7 of person 1
with the face of person 16. Few people are swapped with nearly all others, and stand on both sides of the
list of test videos.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NamedTuple

from components.datasets.layouts.base import GENUINE_METHOD, Entry, Label, Listing, Prescribed, some
from components.datasets.naming import normalised
from components.datasets.tree import Tree
from components.errors import DataError

NAME = "celeb-df"
TITLE = "Celeb-DF v1 or v2: Celeb-real, YouTube-real and Celeb-synthesis"

TEST_LIST = "List_of_testing_videos.txt"
PUBLISHED_LENGTHS = {100: "v1", 518: "v2"}
METHOD = "Celeb-synthesis"

# Some copies call the fakes' folder so.
ALIASES = {"celeb-fake": "celeb-synthesis"}
LABELS: dict[str, Label] = {"celeb-real": "real", "youtube-real": "real", "celeb-synthesis": "fake"}
NAME_PATTERNS = {
    "celeb-real": re.compile(r"(?P<target>id\d+)_(?P<recording>\d+)"),
    "youtube-real": re.compile(r"(?P<stranger>\d+)"),
    "celeb-synthesis": re.compile(r"(?P<target>id\d+)_(?P<face>id\d+)_(?P<recording>\d+)"),
}

_LINE = re.compile(r"\s*(?P<digit>[01])[\s,;]+(?P<path>\S.*?)\s*")


class VideoNames(NamedTuple):
    """Who is in a video, and the recording that it is or was made from."""

    identities: tuple[str, ...]
    sources: tuple[str, ...]


class VideoKey(NamedTuple):
    """A video as the list names it, however that is written and whatever the folders between."""

    folder: str
    file: str


@dataclass(frozen=True)
class ListedTest:
    """A line of the list of test videos. There, 1 means real."""

    key: VideoKey
    path: str
    says_real: bool

    @property
    def contradicts(self) -> bool:
        return self.says_real != (LABELS[self.key.folder] == "real")


def recognises(tree: Tree) -> bool:
    """Tells by a folder that no other dataset has; a copy with nothing but Celeb-real counts too."""
    names = tree.folders.keys()
    return bool({"celeb-synthesis", "youtube-real"} & names) or (
        "celeb-real" in names and not {"celeb-fake", "testing"} & names
    )


def read(tree: Tree) -> Listing:
    """Lists the videos; those of the official list are for testing, all others are not.

    Raises:
        DataError: a line of the list cannot be understood.
    """
    folders = [folder for folder in (*LABELS, *ALIASES) if folder in tree.folders]
    videos = {path: _key(path) for folder in folders for path in tree.videos(folder)}
    file = tree.find(TEST_LIST)
    lines = _read_list(tree, file) if file else []
    test = {line.key for line in lines}
    entries = {path: _entry(path, key, test) for path, key in videos.items()}
    unnamed = [path for path, entry in entries.items() if not entry]
    notes = (*_folder_notes(set(videos.values()), unnamed), *_list_notes(lines, set(videos.values())))
    return Listing(tuple(filter(None, entries.values())), notes, (file,) if file else ())


def parse(folder: str, path: str) -> VideoNames | None:
    """People and recording that a file's name tells, by the folder it is in; None where it does not fit."""
    match = NAME_PATTERNS[folder].fullmatch(normalised(PurePosixPath(path).stem))
    if not match:
        return None
    parts = match.groupdict()
    if folder == "youtube-real":
        name = f"{NAME}/youtube/{parts['stranger']}"
        return VideoNames((name,), (name,))
    people = tuple(f"{NAME}/{parts[part]}" for part in ("target", "face") if part in parts)
    return VideoNames(people, (f"{NAME}/{parts['target']}_{parts['recording']}",))


def _key(path: str) -> VideoKey:
    parts = PurePosixPath(normalised(path)).parts
    return VideoKey(ALIASES.get(parts[0], parts[0]), parts[-1])


def _entry(path: str, key: VideoKey, test: set[VideoKey]) -> Entry | None:
    names = parse(key.folder, path)
    if not names:
        return None
    label = LABELS[key.folder]
    split: Prescribed | None = None
    if test:
        split = "test" if key in test else "trainval"
    return Entry(path, label, METHOD if label == "fake" else GENUINE_METHOD, *names, split)


def _read_list(tree: Tree, file: str) -> list[ListedTest]:
    numbered = enumerate(tree.read_text(file).splitlines(), 1)
    return [_line(text, f"{tree.root / file}:{number}") for number, text in numbered if text.strip()]


def _line(text: str, where: str) -> ListedTest:
    match = _LINE.fullmatch(text)
    path = match["path"].replace("\\", "/").removeprefix("./") if match else ""
    key = _key(path) if "/" in path else None
    if not match or not key or key.folder not in LABELS:
        raise DataError(
            f"{where}: {text[:80]!r} is not like `1 YouTube-real/00170.mp4`; download the list again"
        )
    return ListedTest(key, path, says_real=match["digit"] == "1")


def _folder_notes(keys: set[VideoKey], unnamed: list[str]) -> Iterator[str]:
    present = {key.folder for key in keys}
    gone = [folder for folder in LABELS if folder not in present]
    if gone:
        yield f"no videos in {some(gone)}"
    if unnamed:
        yield f"left out, names that tell nobody: {len(unnamed)} videos: {some(unnamed)}"


def _list_notes(lines: Sequence[ListedTest], present: set[VideoKey]) -> Iterator[str]:
    if not lines:
        yield f"no {TEST_LIST}: test videos are assigned here, so figures are not those of papers"
        return
    yield from _length_notes(lines)
    yield from _label_notes(lines)
    listed = {line.key: line.path for line in lines}
    for folder in LABELS:
        wanted = [key for key in listed if key.folder == folder]
        absent = [listed[key] for key in wanted if key not in present]
        if absent:
            yield f"{TEST_LIST}: {len(absent)} of {len(wanted)} in {folder} are not there: {some(absent)}"


def _length_notes(lines: Sequence[ListedTest]) -> Iterator[str]:
    counts = Counter(line.key for line in lines)
    if len(counts) not in PUBLISHED_LENGTHS:
        known = " or ".join(f"{length} ({version})" for length, version in PUBLISHED_LENGTHS.items())
        yield f"{TEST_LIST}: {len(counts)} videos, not {known}; what it lacks is trained on, so get it anew"
    if len(counts) + 1 in PUBLISHED_LENGTHS:
        yield f"{TEST_LIST}: one video short; a tool may have taken its first line for a header"
    twice = [line.path for line in lines if counts[line.key] > 1]
    if twice:
        yield f"{TEST_LIST}: named more than once: {some(sorted(set(twice)))}"


def _label_notes(lines: Sequence[ListedTest]) -> Iterator[str]:
    wrong = [line.path for line in lines if line.contradicts]
    if len(wrong) == len(lines):
        yield f"{TEST_LIST}: 0 and 1 are swapped in it, 1 means real there; the folders are believed"
    elif wrong:
        yield f"{TEST_LIST}: {len(wrong)} labels contradict the folders, which are believed: {some(wrong)}"
