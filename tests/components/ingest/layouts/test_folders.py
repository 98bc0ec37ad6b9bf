"""Two class folders."""

from collections.abc import Callable

import pytest

from components.ingest.datasets import read_dataset
from components.ingest.layouts import folders
from components.ingest.layouts.base import Entry
from components.ingest.tree import Tree

MakeTree = Callable[..., Tree]


def test_any_letter_case_and_any_depth(make_tree: MakeTree) -> None:
    listing = folders.read(
        make_tree("Real/a.mp4", "Real/more/b.MOV", "FAKE/c.webm", "other/real/d.mp4", "e.mp4")
    )
    assert listing.entries == (
        Entry("Real/a.mp4", "real", "none"),
        Entry("Real/more/b.MOV", "real", "none"),
        Entry("FAKE/c.webm", "fake", "unknown"),
    )
    assert listing.notes == ()


def test_folders_of_pictures_are_clips_and_loose_pictures_are_none(make_tree: MakeTree) -> None:
    tree = make_tree(
        *("Real/p1/1.png", "Real/p1/2.png", "fake/deep/p2/1.jpg", "fake/deep/p2/2.jpg", "fake/b.mp4"),
        *("Real/loose1.png", "Real/loose2.png", "fake/deep/cover.png"),
    )
    listing = folders.read(tree)
    assert listing.entries == (
        Entry("Real/p1", "real", "none"),
        Entry("fake/b.mp4", "fake", "unknown"),
        Entry("fake/deep/p2", "fake", "unknown"),
    )
    assert listing.notes == ("2 folders of pictures, each taken for one clip: Real/p1, fake/deep/p2",)
    assert tree.members("fake/deep/p2") == ["fake/deep/p2/1.jpg", "fake/deep/p2/2.jpg"]
    (_, note) = read_dataset(tree, folders).listing.notes
    assert note.startswith(
        "left out, 3 pictures, no clip in the layout folders: Real/loose1.png, Real/loose2.png"
    )


@pytest.mark.parametrize(
    ("path", "fits"), [("REAL/a.txt", True), ("fake/a.mp4", True), ("fakes/a.mp4", False), ("real", False)]
)
def test_recognised_by_either_folder(make_tree: MakeTree, path: str, fits: bool) -> None:
    assert folders.recognises(make_tree(path)) is fits


@pytest.mark.parametrize(
    ("path", "label"),
    [("Real/x/a.mp4", "real"), ("fake/a.mp4", "fake"), ("real", None), ("more/real/a.mp4", None)],
)
def test_label_of_a_path(path: str, label: str | None) -> None:
    assert folders.folder_label(path) == label
