"""Celeb-DF as courses hand it out."""

from collections.abc import Callable

import pytest

from components.datasets.layouts import classroom
from components.datasets.tree import Tree

MakeTree = Callable[..., Tree]


@pytest.mark.parametrize(
    ("real", "fake", "testing"),
    [
        ("Celeb-Real", "Celeb-Fake", "Testing"),
        ("celeb_real", "CELEB FAKE", "testing"),
        ("Celeb - Real", "celeb__fake", "TESTING"),
    ],
)
def test_folders_are_labels_and_testing_tells_none(
    make_tree: MakeTree, real: str, fake: str, testing: str
) -> None:
    tree = make_tree(f"{real}/a.mp4", f"{fake}/deep/b.mp4", f"{testing}/c.mp4", "more/d.mp4")
    listing = classroom.read(tree)
    assert classroom.recognises(tree)
    assert {entry.path: (entry.label, entry.method, entry.split) for entry in listing.entries} == {
        f"{real}/a.mp4": ("real", "none", None),
        f"{fake}/deep/b.mp4": ("fake", "unknown", None),
        f"{testing}/c.mp4": (None, "unknown", None),
    }
    assert listing.notes == (
        "1 videos without a label: they are scored, and take no other part",
        "3 of 3 videos name nobody: a person may stand in several splits",
    )


@pytest.mark.parametrize(
    ("folder", "label"),
    [
        ("real", "real"),
        ("Celeb-Fake/videos", "fake"),
        ("Celeb-synthesis", "fake"),
        ("test_REAL", "real"),
        ("real and fake", None),
        ("reality", None),
        ("", None),
    ],
)
def test_testing_may_be_labelled_by_folders(make_tree: MakeTree, folder: str, label: str | None) -> None:
    tree = make_tree("Celeb-Real/a.mp4", f"Testing/{folder}/b.mp4")
    train, test = classroom.read(tree).entries
    assert test.label == label
    assert (train.split, test.split) == (("trainval", "test") if label else (None, None))


def test_names_of_celeb_df_tell_people(make_tree: MakeTree) -> None:
    tree = make_tree(
        "Celeb-Real/id1_0007.mp4",
        "Celeb-Real/00170.mp4",
        "Celeb-Fake/id1_id16_0007.mp4",
        "Celeb-Fake/id1_0008.mp4",
        "Testing/id2_id3_0000.mp4",
    )
    people = {entry.path: entry.identities for entry in classroom.read(tree).entries}
    assert people == {
        "Celeb-Real/id1_0007.mp4": ("celeb-df/id1",),
        "Celeb-Real/00170.mp4": (),
        "Celeb-Fake/id1_id16_0007.mp4": ("celeb-df/id1", "celeb-df/id16"),
        "Celeb-Fake/id1_0008.mp4": (),  # a genuine video's name among the fakes
        "Testing/id2_id3_0000.mp4": ("celeb-df/id2", "celeb-df/id3"),
    }


@pytest.mark.parametrize(
    "paths", [("Testing/a.mp4",), ("Celeb-Fake/a.mp4",), ("real/a.mp4", "Testing/b.mp4")]
)
def test_two_of_the_folders_are_needed(make_tree: MakeTree, paths: tuple[str, ...]) -> None:
    assert not classroom.recognises(make_tree(*paths))
