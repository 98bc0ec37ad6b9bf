"""ForgeryNet's lists, and what they label."""

from collections.abc import Callable

import pytest

from components.datasets.found import find_layout
from components.datasets.layouts import forgerynet
from components.datasets.layouts.base import Entry
from components.datasets.tree import Tree
from components.errors import DataError

MakeTree = Callable[..., Tree]

VIDEOS = "2 train_video_release/1/Ab.mp4 0 30 1 30 20 0 1 1 3\n1 train_video_release/16/c.mp4 0 50 0 0 0 0\n"
TRAINING = ("Training/video/train_video_release/1/ab.mp4", "Training/video/train_video_release/16/c.mp4")


def pictures(*folders: str) -> list[str]:
    return [f"{folder}/{number}.jpg" for folder in folders for number in range(2)]


def test_lists_label_videos_and_folders_of_pictures(make_tree: MakeTree) -> None:
    folder = "Validation/image/val_release/7/f"
    images = "image_name binary_cls_label triple_cls_label 16cls_label\n7/f/0.jpg 1 2 7\n7/f/1.jpg 1 2 7\n"
    tree = make_tree(
        *(*TRAINING, *pictures(folder, "Training/image/16")),
        texts={"Training/video_list.txt": VIDEOS, "Validation/image_list.txt": images},
    )
    assert find_layout(tree) is forgerynet
    listing = forgerynet.read(tree)
    assert listing.entries == (
        Entry(TRAINING[0], "fake", "class-3", (), (), "trainval"),
        Entry(TRAINING[1], "real", "none", (), (), "trainval"),
        Entry(folder, "fake", "class-7", (), (), "test"),
    )
    assert listing.annotations == ("Training/video_list.txt", "Validation/image_list.txt")
    tested, segments = listing.notes
    assert tested.startswith("no labelled Test: Validation is for testing")
    assert segments.startswith("of a forged video only some segments")


def test_where_a_test_is_labelled_each_part_is_its_split(make_tree: MakeTree) -> None:
    paths = ("Training/video/1/a.mp4", "Validation/video/1/a.mp4", "Test/video/1/a.mp4", "Test/video/1/b.mp4")
    lists = {
        f"{part}/video_list.txt": "1 1/a.mp4 0 9 1 1 1 4\n" for part in ("Training", "Validation", "Test")
    }
    listing = forgerynet.read(make_tree(*paths, texts=lists))
    assert [entry.split for entry in listing.entries] == ["train", "val", "test", "test"]
    assert [entry.label for entry in listing.entries] == ["fake", "fake", "fake", None]
    assert "1 that no list labels" in listing.notes[0]


def test_a_folder_of_two_labels_has_none(make_tree: MakeTree) -> None:
    lists = {"Training/image_list.txt": "3/f/0.jpg 1 1 3\n3/f/1.jpg 0 0 0\n"}
    (entry,) = forgerynet.read(make_tree(*pictures("Training/image/3/f"), texts=lists)).entries
    assert entry.label is None


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("a.jpg 2 0 0", r"image_list\.txt:1: 'a.jpg 2 0 0' is not like"),
        ("3/a.jpg 1 1 3\n3/A.jpg 0 0 0", r"image_list\.txt:2: '3/a.jpg' has another label before"),
    ],
)
def test_a_list_that_cannot_be_understood_is_refused(make_tree: MakeTree, line: str, told: str) -> None:
    with pytest.raises(DataError, match=told):
        forgerynet.read(make_tree(texts={"Training/image_list.txt": line}))


def test_names_are_compared_however_they_are_written(make_tree: MakeTree) -> None:
    lists = {"Training/video_list.txt": "1 1/Jose\u0301.mp4 0 9 1 1 1 4\n"}
    (entry,) = forgerynet.read(make_tree("Training/video/1 /JOSÉ.mp4", texts=lists)).entries
    assert entry.label == "fake"
