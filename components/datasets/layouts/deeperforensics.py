"""DeeperForensics-1.0: faces of 100 actors on the YouTube videos of FaceForensics++.

`manipulated_videos/VARIANT/<target>_<actor>.mp4`,
`source_videos/<actor>/…/<actor>_<take>_camera_<side>.mp4`, and the official lists
`lists/splits/{train,val,test}.txt` of forgeries, which part the actors. Targets keep the identities that
FaceForensics++ gives them: side by side, both datasets are tied where they share a video.
Source: https://github.com/EndlessSora/DeeperForensics-1.0/tree/master/dataset, and Jiang et al., CVPR 2020
(https://arxiv.org/abs/2001.03024)
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from components.datasets.layouts.base import GENUINE_METHOD, Entry, Label, Listing, Split, some
from components.datasets.layouts.faceforensics_names import youtube_video
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

NAME = "deeperforensics"
TITLE = "DeeperForensics-1.0: manipulated_videos/, source_videos/, lists/splits/*.txt"

LISTS = "lists/splits/{train,val,test}.txt"
LISTS_HOME = "the download of DeeperForensics-1.0"
LIST_FOLDERS = ("lists/splits", "splits")

SOURCE_LABEL: Label | None = "real"
"""What the actors' recordings are. The authors say that they are not meant as the real side of a detector."""

_PARTS = {"manipulated_videos", "source_videos"}
_NAME = re.compile(r"(?P<target>[0-9]{3})_(?P<actor>[MW][0-9]{3})", re.IGNORECASE)
_FORGERY = re.compile(rf"manipulated_videos/(?P<variant>[^/]+)/{_NAME.pattern}\.[^./]+", re.IGNORECASE)
# All cameras film one take at once. The folder and the file must name the same actor.
_SOURCE = re.compile(
    r"source_videos/(?P<actor>[MW][0-9]{3})/(?:[^/]+/)*(?P=actor)_(?P<take>[^/]+)_camera_[a-z]+\.[^./]+",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class _Forgery:
    variant: str
    target: str
    actor: str

    @property
    def stem(self) -> str:
        return f"{self.target}_{self.actor}"


@dataclass(frozen=True)
class _Source:
    actor: str
    take: str


def recognises(tree: Tree) -> bool:
    """Tells whether a file in the published folders is called like one of its videos."""
    return bool(set(tree.folders) & _PARTS) and any(_parse(path) for path in tree.files)


def read(tree: Tree) -> Listing:
    """Lists forgeries and actors' recordings, with the official split where its lists are there.

    Raises:
        DataError: a line in a list of splits names no forgery, or a forgery stands in two lists.
    """
    dataset_files = [path for path in tree.files if path.split("/", 1)[0].casefold() in _PARTS]
    parsed = {path: video for path in dataset_files if (video := _parse(path))}
    files = find_lists(tree, LIST_FOLDERS, "txt")
    lists = assign_as_listed(tree, files, {split: _read_list(tree, file) for split, file in files.items()})
    actors = _splits_of_actors(lists)
    entries = tuple(_entry(path, video, lists, actors) for path, video in parsed.items())
    forgeries = {path: video for path, video in parsed.items() if isinstance(video, _Forgery)}
    notes = (
        *_left_out(dataset_files, parsed),
        *_real_notes(len(forgeries), len(parsed) - len(forgeries)),
        *_split_notes(forgeries, lists, actors),
    )
    return Listing(entries, notes, tuple(files.values()))


def _parse(path: str) -> _Forgery | _Source | None:
    if not is_video_name(path):
        return None
    if match := _FORGERY.fullmatch(path):
        return _Forgery(match["variant"].casefold(), match["target"], match["actor"].upper())
    if match := _SOURCE.fullmatch(path):
        return _Source(match["actor"].upper(), match["take"].casefold())
    return None


def _read_list(tree: Tree, file: str) -> list[str]:
    lines = enumerate(tree.read_text(file).splitlines(), start=1)
    return [_stem(line.strip(), f"{tree.root / file}:{number}") for number, line in lines if line.strip()]


def _stem(line: str, where: str) -> str:
    match = _NAME.fullmatch(PurePosixPath(line).stem)
    if match is None:
        raise DataError(f"{where}: {line[:80]!r} names no forgery; write one such as 000_M101.mp4")
    return match[0].upper()


def _splits_of_actors(lists: OfficialLists) -> dict[str, set[Split]]:
    splits: dict[str, set[Split]] = defaultdict(set)
    for stem, split in lists.splits.items():
        splits[stem.split("_")[1]].add(split)
    return splits


def _entry(
    path: str, video: _Forgery | _Source, lists: OfficialLists, actors: Mapping[str, set[Split]]
) -> Entry:
    actor = f"{NAME}/{video.actor}"
    if isinstance(video, _Forgery):
        target = youtube_video(video.target)
        split = lists.splits.get(video.stem)
        return Entry(path, "fake", video.variant, (actor, target), (target,), split)
    # The lists name forgeries only; an actor's recordings go where all of the actor's forgeries are.
    prescribed = next(iter(actors[video.actor])) if len(actors.get(video.actor, ())) == 1 else None
    return Entry(path, SOURCE_LABEL, GENUINE_METHOD, (actor,), (f"{actor}/{video.take}",), prescribed)


def _left_out(dataset_files: Iterable[str], parsed: Mapping[str, object]) -> Iterator[str]:
    unread = [path for path in dataset_files if path not in parsed and is_video_name(path)]
    if unread:
        yield f"left out, not called like a video of DeeperForensics: {len(unread)}: {some(unread)}"


def _real_notes(forgeries: int, sources: int) -> Iterator[str]:
    if forgeries:
        yield "the real side of these forgeries is FaceForensics++'s originals (c23): keep both side by side"
    if sources:
        yield (
            f"{sources} recordings of actors are listed as real, though the authors do not mean them so: a "
            "studio differs from YouTube in more than forgery; to go without, take source_videos/ away"
        )


def _split_notes(
    forgeries: Mapping[str, _Forgery], lists: OfficialLists, actors: Mapping[str, set[Split]]
) -> Iterator[str]:
    yield from absent(lists, LISTS, LISTS_HOME)
    if not lists.files:
        return
    unlisted = [path for path, video in forgeries.items() if video.stem not in lists.splits]
    if unlisted:
        yield f"in no list of splits, so assigned anew: {len(unlisted)}: {some(unlisted)}"
    crossing = sorted(actor for actor, splits in actors.items() if len(splits) > 1)
    if crossing:
        yield f"actors in more than one list, so their recordings have no split: {some(crossing)}"
    present: dict[str, set[str]] = defaultdict(set)
    for video in forgeries.values():
        present[video.variant].add(video.stem)
    yield from partial(dict.fromkeys(present, lists.splits), present)
