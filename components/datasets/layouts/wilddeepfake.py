"""WildDeepfake: folders of face pictures.

Zi et al., "WildDeepfake: A Challenging Real-World Dataset for Deepfake Detection", ACM Multimedia 2020,
https://github.com/OpenTAI/wild-deepfake. In each of `real_train`, `fake_train`, `real_test` and `fake_test`
lie archives such as `7.tar.gz`, which are plain tar in spite of their names. They hold `7/fake/12/345.png`:
faces, cut out to 224 px, of sequence 12. So say public loaders of the dataset; copies put `extracted/` or
`frames/` in between, or leave folders out.

That the sequences of one archive are of one video is likely and not certain: they are tied to each other, so
that they never part. Who is in them, and whether a real and a fake sequence show one scene, nobody tells.
"""

import re
from collections.abc import Iterator

from components.datasets.layouts.base import LABELS, Entry, Label, Listing, Prescribed, default_method, some
from components.datasets.naming import normalised
from components.datasets.tree import Tree
from components.errors import DataError

NAME = "wilddeepfake"
TITLE = "WildDeepfake: real_train, fake_train, real_test and fake_test with folders of pictures"

PARTS: dict[str, tuple[Label, Prescribed]] = {
    "real_train": ("real", "trainval"),
    "fake_train": ("fake", "trainval"),
    "real_test": ("real", "test"),
    "fake_test": ("fake", "test"),
}

_ARCHIVE = re.compile(r"\.(?:tar|tar\.gz|tgz)$", re.IGNORECASE)


def recognises(tree: Tree) -> bool:
    """Tells by one of the folders, if it holds sequences or what is yet to be unpacked."""
    return any(tree.picture_clips(part) or _archives(tree, part) for part in PARTS if part in tree.folders)


def read(tree: Tree) -> Listing:
    """Lists the folders of pictures; a part's folder is the label, and says whether it is for testing.

    Raises:
        DataError: nothing has been unpacked.
    """
    parts = [part for part in PARTS if part in tree.folders]
    clips = {path: part for part in parts for path in tree.picture_clips(part)}
    packed = [path for part in parts for path in _archives(tree, part)]
    if packed and not clips:
        archives = some(packed, limit=2)
        raise DataError(f"{tree.root}: nothing is unpacked of {archives}; tar -xf each where it lies")
    entries = tuple(_entry(path, *PARTS[part], part) for path, part in clips.items())
    return Listing(entries, tuple(_notes(clips, packed)), noted=frozenset(packed))


def _entry(path: str, label: Label, split: Prescribed, part: str) -> Entry:
    archive = _archive(path)
    sources = (f"{NAME}/{part}/{archive}",) if archive else ()
    return Entry(path, label, default_method(label), (), sources, split)


def _archive(path: str) -> str | None:
    """Which archive a sequence comes from: the first folder that is a number, if it is not its own."""
    numbers = [folder for folder in _between(path) if folder.isdecimal()]
    return numbers[0] if numbers else None


def _archives(tree: Tree, part: str) -> list[str]:
    return [path for path in tree.others(part) if _ARCHIVE.search(path)]


def _notes(clips: dict[str, str], packed: list[str]) -> Iterator[str]:
    if gone := [part for part in PARTS if part not in set(clips.values())]:
        yield f"no sequences in {some(gone)}"
    unpacked = {f"{part}/{_archive(path)}" for path, part in clips.items()}
    left = [path for path in packed if normalised(_ARCHIVE.sub("", path)) not in unpacked]
    if left:
        yield f"{len(left)} archives are not unpacked yet: {some(left)}"
    wrong = [path for path, part in clips.items() if _other_class(path, PARTS[part][0])]
    if wrong:
        yield f"{len(wrong)} sequences in a folder of the other class, the part is believed: {some(wrong)}"
    if any(archive is None for archive in map(_archive, clips)):
        yield "sequences without their archive's number: those of one video may stand in train and val"


def _other_class(path: str, label: Label) -> bool:
    between = set(_between(path))
    return label not in between and not between.isdisjoint(LABELS)


def _between(path: str) -> list[str]:
    """Returns folders between that of the part and the sequence's own, as `normalised` writes them."""
    return normalised(path).split("/")[1:-1]
