"""WildDeepfake's folders of pictures."""

from collections.abc import Callable

import pytest

from components.datasets.found import find_layout
from components.datasets.layouts import wilddeepfake
from components.datasets.layouts.base import Entry
from components.datasets.tree import Tree
from components.errors import DataError

MakeTree = Callable[..., Tree]


def pictures(*folders: str) -> list[str]:
    return [f"{folder}/{number}.png" for folder in folders for number in range(2)]


def test_parts_are_labels_and_splits_and_an_archive_is_a_source(make_tree: MakeTree) -> None:
    folders = ("real_train/1/real/5", "fake_train/extracted/1/fake/5", "Real_Test/2/9", "fake_test/7")
    tree = make_tree(*pictures(*folders))
    assert find_layout(tree) is wilddeepfake
    listing = wilddeepfake.read(tree)
    assert set(listing.entries) == {
        Entry(folders[0], "real", "none", (), ("wilddeepfake/real_train/1",), "trainval"),
        Entry(folders[1], "fake", "unknown", (), ("wilddeepfake/fake_train/1",), "trainval"),
        Entry(folders[2], "real", "none", (), ("wilddeepfake/real_test/2",), "test"),
        Entry(folders[3], "fake", "unknown", (), (), "test"),
    }
    (note,) = listing.notes
    assert note.startswith("sequences without their archive's number")


def test_what_is_not_unpacked_or_contradicts_itself_is_told(make_tree: MakeTree) -> None:
    archives = ("real_train/1.tar.gz", "real_train/2.tar.gz")
    tree = make_tree(*pictures("real_train/1/real/5", "real_train/3/fake/5"), *archives)
    first, packed, wrong = wilddeepfake.read(tree).notes
    assert first == "no sequences in fake_train, real_test, fake_test"
    assert packed == "1 archives are not unpacked yet: real_train/2.tar.gz"
    assert wrong.endswith("folder of the other class, the part is believed: real_train/3/fake/5")


def test_archives_alone_are_refused_in_words(make_tree: MakeTree) -> None:
    tree = make_tree("real_train/1.tar.gz", "fake_train/1.tar.gz", "fake_test/9.tar")
    assert find_layout(tree) is wilddeepfake
    with pytest.raises(DataError, match=r"nothing is unpacked of real_train/1.tar.gz.*; tar -xf each"):
        wilddeepfake.read(tree)


@pytest.mark.parametrize("path", ["real_train/readme.txt", "real/1/1.png", "real_train/a.mp4"])
def test_no_other_folder_is_taken_for_it(make_tree: MakeTree, path: str) -> None:
    assert not wilddeepfake.recognises(make_tree(path))


def test_names_are_compared_however_they_are_written(make_tree: MakeTree) -> None:
    archive = "Real_Train /1.tar.gz"
    listing = wilddeepfake.read(
        make_tree(*pictures("Real_Train /1 /real/5", "Real_Train /１/Real /6"), archive)
    )
    assert {entry.sources for entry in listing.entries} == {("wilddeepfake/real_train/1",)}
    assert listing.notes == ("no sequences in fake_train, real_test, fake_test",)
