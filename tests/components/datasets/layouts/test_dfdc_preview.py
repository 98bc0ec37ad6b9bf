"""The preview of DFDC."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from components.datasets.layouts import dfdc_preview
from components.datasets.layouts.base import Entry, Listing
from components.datasets.tree import Tree
from components.errors import DataError

MakeTree = Callable[..., Tree]
Read = Callable[..., Listing]

REAL = "original_videos/643049/643049_A_001.mp4"
FAKE = "method_B/1260311/1260311_C/1255229_1260311_C_001.mp4"


def told(label: str, group: str, target: Any, swapped: Any = None) -> dict[str, Any]:
    return {"label": label, "set": group, "target_id": target, "swapped_id": swapped, "augmentations": []}


WHOLE = {REAL: told("real", "train", 643049), FAKE: told("fake", "test", 1260311, "1255229")}


@pytest.fixture
def read(make_tree: MakeTree) -> Read:
    def read(listed: dict[str, Any], *paths: str) -> Listing:
        return dfdc_preview.read(make_tree(*paths, texts={"dataset.json": json.dumps(listed)}))

    return read


@pytest.mark.parametrize(
    ("real", "fake"),
    [
        (REAL, FAKE),
        (REAL.upper(), FAKE.upper()),
        (REAL.replace("/", "/videos/", 1), FAKE.replace("/", "/videos/", 1)),
    ],
)
def test_the_list_tells_labels_people_and_splits(read: Read, real: str, fake: str) -> None:
    listing = read(WHOLE, real, fake)
    assert listing == Listing(
        (
            Entry(real, "real", "none", ("dfdc-preview/643049",), (), "trainval"),
            Entry(fake, "fake", "method_B", ("dfdc-preview/1260311", "dfdc-preview/1255229"), (), "test"),
        ),
        (),
        ("dataset.json",),
    )


def test_missing_and_unlisted_files_are_told(read: Read) -> None:
    listing = read(WHOLE, REAL, "method_A/1/1_A/x.mp4", "method_A/readme.txt")
    assert [entry.path for entry in listing.entries] == [REAL]
    assert listing.notes == (
        f"dataset.json: 1 of 2 videos are not there: {FAKE}",
        "left out, not in dataset.json: 1 videos: method_A/1/1_A/x.mp4",
    )


def test_videos_that_name_nobody_are_told(read: Read) -> None:
    listing = read({REAL: told("real", "train", None)}, REAL)
    assert listing.entries[0].identities == ()
    assert listing.notes == ("1 videos name nobody: a person may stand in several splits",)


@pytest.mark.parametrize(
    ("listed", "message"),
    [
        ({REAL: told("fake", "train", 1)}, f"{REAL}: label 'fake' contradicts the folder"),
        ({FAKE: told("real", "train", 1)}, f"{FAKE}: label 'real' contradicts the folder"),
        ({REAL: told("genuine", "train", 1)}, f"{REAL}: label 'genuine' is none of real, fake"),
        ({REAL: {"label": "real"}}, f"{REAL}: set None is none of train, test"),
        ({REAL: "real"}, f"{REAL}: not described by an object"),
        ({REAL: WHOLE[REAL], REAL.upper(): WHOLE[REAL]}, "stands there twice, but for the letter case"),
        ({REAL: told("real", "train", "\ud800")}, r"dataset.json: '\\ud800' holds control characters"),
        ({REAL: told("real", "train", 1) | {"x": [{"y": "\0"}]}}, r"dataset.json: '\\x00' holds control"),
        ([REAL], "dataset.json: not a JSON object"),
    ],
)
def test_a_list_that_cannot_be_understood(read: Read, listed: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(listed, REAL, FAKE)


def test_without_the_list_there_are_no_labels(make_tree: MakeTree) -> None:
    with pytest.raises(DataError, match=r"dataset\.json: not there"):
        dfdc_preview.read(make_tree(REAL, FAKE))


@pytest.mark.parametrize(
    ("paths", "fits"),
    [
        (("Dataset.json", REAL), True),
        (("dataset.json", "Method_A/x.mp4"), True),
        ((REAL, FAKE), False),
        (("dataset.json", "real/a.mp4"), False),
    ],
)
def test_recognised_by_list_and_folder(make_tree: MakeTree, paths: tuple[str, ...], fits: bool) -> None:
    assert dfdc_preview.recognises(make_tree(*paths)) is fits
