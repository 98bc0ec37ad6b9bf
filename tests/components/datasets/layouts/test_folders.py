"""Two class folders."""

from collections.abc import Callable

import pytest

from components.datasets.found import read_dataset
from components.datasets.layouts import folders
from components.datasets.layouts.base import Entry
from components.datasets.tree import Tree

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
    ("path", "found"),
    [
        ("Real/x/a.mp4", ("real", None)),
        ("fake /a.mp4", ("fake", None)),
        ("real", None),
        ("more/real/a.mp4", None),
        ("real/Training/a.mp4", ("real", "train")),
        ("TEST/FAKE/deepfakes/a.mp4", ("fake", "test")),
        ("valid/deepfakes/Fake/a.mp4", ("fake", "val")),
        ("fake/deepfakes/validation/a.mp4", ("fake", "val")),
        ("fake/a/b/test/a.mp4", ("fake", None)),
        ("Dev/real/a.mp4", ("real", "val")),
        ("real/eval/a.mp4", ("real", "test")),
        ("test/a.mp4", None),
        ("test/real", None),
    ],
)
def test_what_folders_say_of_a_video(path: str, found: tuple[str, str | None] | None) -> None:
    assert folders.place(path) == found


WORDS = {
    "train": ("train", "Training", "TRAIN"),
    "val": ("val", "Valid", "VALIDATION"),
    "test": ("test", "Testing", "Te\u200bST"),
}
SHAPES = (
    *("{split}/{label}", "{label}/{split}", "{split}/{label}/swap"),
    *("{label}/{split}/swap", "{label}/swap/{split}", "{split}/swap/{label}"),
)
PRESCRIBED: dict[str, tuple[tuple[str | None, ...], str]] = {
    "train val test": (("train", "val", "test"), ""),
    "train test": (("trainval", "test"), "; val, which none names, out of the other videos"),
    "train val": ((None, "val"), "; test, which none names, out of the other videos"),
    "val test": (("val", "test"), "; train, which none names, out of the other videos"),
    "train": ((None,), "; val and test, which none names, out of the other videos"),
}


@pytest.mark.parametrize("there", PRESCRIBED)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("word", range(3))
def test_a_split_that_folders_name_is_prescribed(
    make_tree: MakeTree, there: str, shape: str, word: int
) -> None:
    prescribed, rest = PRESCRIBED[there]
    expected = {
        f"{shape.format(split=WORDS[split][word], label=label)}/a.mp4": (label.casefold(), kept)
        for split, kept in zip(there.split(), prescribed, strict=True)
        for label in ("real", "FAKE")
    }
    tree = make_tree(*expected)
    assert folders.recognises(tree)
    listing = folders.read(tree)
    assert {entry.path: (entry.label, entry.split) for entry in listing.entries} == expected
    counts = ", ".join(f"{split} 2" for split in there.split())
    assert listing.notes == (f"splits as folders name them: {counts}{rest}",)


def test_what_no_folder_tells_the_class_of_is_left_out(make_tree: MakeTree) -> None:
    listing = folders.read(
        make_tree("test/real/a.mp4", "test/b.mp4", "real/c.mp4", "train/d.mp4", "test/e.md")
    )
    assert {entry.path: entry.split for entry in listing.entries} == {
        "test/real/a.mp4": "test",
        "real/c.mp4": "trainval",
    }
    assert listing.notes[0] == "left out, in no folder real/ or fake/: 1 videos: test/b.mp4"


@pytest.mark.parametrize(
    ("path", "rest"),
    [
        ("real/7", "7"),
        ("FAKE/x/7", "x/7"),
        ("train/Real/7", "train/7"),
        ("fake/train/7", "train/7"),
        ("more/real/7", "more/real/7"),
        ("real", "real"),
    ],
)
def test_a_path_without_its_class(path: str, rest: str) -> None:
    assert folders.without_class(path) == rest
