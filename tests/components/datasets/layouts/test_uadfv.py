"""UADFV's pairs, as videos and as folders of frames."""

from collections.abc import Callable

import pytest

from components.datasets.found import find_layout
from components.datasets.layouts import folders, uadfv
from components.datasets.layouts.base import Entry
from components.datasets.tree import Tree

MakeTree = Callable[..., Tree]


def frames(*clips: str) -> list[str]:
    return [f"{clip}/{number:03}.png" for clip in clips for number in range(2)]


@pytest.mark.parametrize(
    ("real", "fake"),
    [
        ("real/0007.mp4", "fake/0007_fake.mp4"),
        ("Real/frames/0007", "fake/frames/0007_fake"),
        ("real/0007", "fake/0007_fake"),
    ],
)
def test_a_fake_belongs_to_its_original(make_tree: MakeTree, real: str, fake: str) -> None:
    tree = make_tree(*((real, fake) if real.endswith("4") else frames(real, fake)))
    assert find_layout(tree) is uadfv
    listing = uadfv.read(tree)
    assert listing.entries == (
        Entry(real, "real", "none", ("uadfv/0007",), ("uadfv/0007",)),
        Entry(fake, "fake", "FakeApp", ("uadfv/0007",), ("uadfv/0007",)),
    )
    assert listing.notes[:2] == ("1 real videos, not 49", "1 fake videos, not 49")
    assert "no official split" in listing.notes[2]


def test_of_a_video_and_its_frames_the_video_is_taken(make_tree: MakeTree) -> None:
    listing = uadfv.read(
        make_tree("real/0000.mp4", "fake/0000_fake.mp4", *frames("real/frames/0000", "fake/frames/0001_fake"))
    )
    paths = ["real/0000.mp4", "fake/0000_fake.mp4", "fake/frames/0001_fake"]
    assert [entry.path for entry in listing.entries] == paths
    assert "left out, further copies of listed videos: real/frames/0000" in listing.notes


@pytest.mark.parametrize(
    "paths",
    [
        ("real/0000.mp4", "fake/0000.mp4"),
        ("real/0000.mp4", "fake/0000_fake.mp4", "fake/b.mp4"),
        ("real/0000.mp4",),
    ],
)
def test_other_class_folders_are_not_taken_for_it(make_tree: MakeTree, paths: tuple[str, ...]) -> None:
    assert find_layout(make_tree(*paths)) is folders


def test_names_are_compared_however_they_are_written(make_tree: MakeTree) -> None:
    paths = ("real/０007.mp4", "Fake /0007_FAKE.mp4")
    assert [entry.identities for entry in uadfv.read(make_tree(*paths)).entries] == [("uadfv/0007",)] * 2
