"""FakeAVCeleb v1.2.

Khalid et al., "FakeAVCeleb: A Novel Audio-Video Multimodal Deepfake Dataset", NeurIPS 2021, datasets and
benchmarks, https://github.com/DASH-Lab/FakeAVCeleb. In `FakeVideo-FakeAudio/African/men/id00076/` the video
`00109_10_id00476_wavtolip.mp4` is made of recording 00109 of person id00076. There are 500 genuine videos,
one of each person; the numbers are those of VoxCeleb2.

The header of `meta_data.csv` is `source,target1,target2,method,category,type,race,gender,path,`: the ninth
column, called `path`, holds file names, and the tenth, which has no name, their folders. Copies exist with
`filename,path` in their place, with and without a comma at the end, so columns are read by their position.
Public loaders of the dataset agree on this; it was not checked against the release itself.

Whether the person whom a target or a file's name tells is seen, or only heard, is not certain: all are taken
as people of the video, so that nobody stands on both sides of a split.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

from components.datasets.layouts.annotations import check_cells, read_rows
from components.datasets.layouts.base import GENUINE_METHOD, Entry, Label, Listing, default_method, some
from components.datasets.naming import normalised
from components.datasets.tree import Tree
from components.errors import DataError

NAME = "fakeavceleb"
TITLE = "FakeAVCeleb v1.2: RealVideo-RealAudio, FakeVideo-FakeAudio and so on, meta_data.csv"

META = "meta_data.csv"
META_COLUMNS = ("source", "target1", "target2", "method", "category", "type", "race", "gender")
"""Those before the file's name."""

DUBBED = "realvideo-fakeaudio"
LABELS: dict[str, Label] = {
    "realvideo-realaudio": "real",
    DUBBED: "real",
    "fakevideo-realaudio": "fake",
    "fakevideo-fakeaudio": "fake",
}

_PERSON = re.compile(r"id\d+")
_RECORDING = re.compile(r"\d+")
_METHODS = {"wavtolip": "wav2lip"} | {
    method: method for method in ("wav2lip", "faceswap", "fsgan", "faceswap-wav2lip", "fsgan-wav2lip")
}
"""By what a file's name may end with; other names end with a part of YouTube's address, or a number."""


class ClipKey(NamedTuple):
    """A video as the table names it, however names are written and whatever folders are between."""

    kind: str
    person: str
    file: str


class MetaData(NamedTuple):
    """What the table tells of a video."""

    method: str
    people: tuple[str, ...]


def recognises(tree: Tree) -> bool:
    """Tells by the folders, which no other dataset has."""
    return not LABELS.keys().isdisjoint(tree.folders)


def read(tree: Tree) -> Listing:
    """Lists the videos, labelled by what is seen: genuine pictures with forged sound are genuine.

    Raises:
        DataError: the table has other columns than those published, or a line of it is too short.
    """
    videos = {path: _key(path) for kind in LABELS if kind in tree.folders for path in tree.videos(kind)}
    file = tree.find(META)
    table = _read_table(tree, file) if file else {}
    entries = tuple(_entry(path, key, table.get(key)) for path, key in videos.items() if key)
    unnamed = [path for path, key in videos.items() if not key]
    listed = {key for key in videos.values() if key}
    notes = (*_folder_notes(entries, unnamed), *_table_notes(file, table, listed))
    return Listing(entries, notes, (file,) if file else ())


def _key(path: str) -> ClipKey | None:
    """Returns the key of a clip, or None where no folder names a person, or the file's name no recording."""
    kind, *folders, file = normalised(path).split("/")
    people = [folder for folder in folders if _PERSON.fullmatch(folder)]
    return ClipKey(kind, people[-1], file) if people and _RECORDING.match(file) else None


def _entry(path: str, key: ClipKey, annotation: MetaData | None) -> Entry:
    label = LABELS[key.kind]
    stem = PurePosixPath(key.file).stem
    recording = _RECORDING.match(stem)
    people = {key.person, *_PERSON.findall(stem), *(annotation.people if annotation else ())}
    return Entry(
        path=path,
        label=label,
        method=GENUINE_METHOD if label == "real" else _method(stem, annotation),
        identities=tuple(f"{NAME}/{person}" for person in sorted(people)),
        sources=(f"{NAME}/{key.person}/{recording[0]}",) if recording else (),
    )


def _method(stem: str, annotation: MetaData | None) -> str:
    if annotation and annotation.method:
        return annotation.method
    return _METHODS.get(stem.rsplit("_", 1)[-1], default_method("fake"))


def _read_table(tree: Tree, file: str) -> dict[ClipKey, MetaData]:
    header, rows, *_ = read_rows(tree, file, META_COLUMNS)
    where = tree.root / file
    if tuple(header[: len(META_COLUMNS)]) != META_COLUMNS:
        raise DataError(f"{where}:1: does not begin with {','.join(META_COLUMNS)}; download it again")
    return dict(_read_line(row, f"{where}:{number}") for number, row in rows)


def _read_line(row: list[str], where: str) -> tuple[ClipKey, MetaData]:
    cells = list(map(normalised, row))
    if len(cells) <= len(META_COLUMNS):
        raise DataError(f"{where}: {len(cells)} values, no file name among them; download the table again")
    named = dict(zip(META_COLUMNS, cells, strict=False))
    check_cells(named | {"file name": cells[len(META_COLUMNS)]}, where)
    people = {person for name in META_COLUMNS[:3] for person in _PERSON.findall(named[name])}
    key = ClipKey(named["type"], named["source"], cells[len(META_COLUMNS)])
    return key, MetaData(named["method"], tuple(sorted(people)))


def _folder_notes(entries: tuple[Entry, ...], unnamed: list[str]) -> Iterator[str]:
    counts = Counter(normalised(entry.path.split("/", 1)[0]) for entry in entries)
    if gone := [kind for kind in LABELS if not counts[kind]]:
        yield f"no videos in {some(gone)}"
    if counts[DUBBED]:
        yield (
            f"{counts[DUBBED]} videos of {DUBBED} are labelled real: their sound is forged, their pictures "
            "are those of realvideo-realaudio, beside which they stand in a split"
        )
    if unnamed:
        yield f"left out, names that tell nobody: {len(unnamed)} videos: {some(unnamed)}"
    yield "the dataset has no official split: its people are assigned here, so figures differ from papers"


def _table_notes(file: str | None, table: Mapping[ClipKey, MetaData], present: set[ClipKey]) -> Iterator[str]:
    if not file:
        yield f"no {META}: methods and people are those that the files' names tell"
        return
    if absent := [f"{key.kind}/{key.person}/{key.file}" for key in table if key not in present]:
        yield f"{META}: {len(absent)} of {len(table)} videos are not there: {some(absent)}"
    if unlisted := [f"{key.kind}/{key.person}/{key.file}" for key in present if key not in table]:
        yield f"{META}: {len(unlisted)} videos are not in it, so names tell of them: {some(sorted(unlisted))}"
