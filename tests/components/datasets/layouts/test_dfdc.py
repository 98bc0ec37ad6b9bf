"""DFDC, in all the parts and shapes in which it lies around."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from components.datasets.layouts import dfdc
from components.datasets.layouts.base import Entry
from components.datasets.tree import Tree
from components.errors import DataError

MakeTree = Callable[..., Tree]

PART = json.dumps(
    {
        "real.mp4": {"label": "REAL", "split": "train", "original": None},
        "fake.mp4": {"label": "FAKE", "split": "train", "original": "real.mp4"},
        "other.mp4": {"label": "FAKE", "split": "train", "original": "elsewhere.mp4"},
    }
)
VIDEOS = ("real.mp4", "fake.mp4", "other.mp4")
TABLE = "filename,label\nx.mp4,0\ny.mp4,1\n"


def inside(folder: str, names: tuple[str, ...] = VIDEOS) -> tuple[str, ...]:
    return tuple(f"{folder}/{name}" for name in names)


def without_parts(notes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(note for note in notes if not note.startswith("parts "))


def test_metadata_name_labels_and_originals(make_tree: MakeTree) -> None:
    folder = "dfdc_train_part_3"
    listing = dfdc.read(make_tree(*inside(folder), texts={f"{folder}/metadata.json": PART}))
    assert listing.entries == (
        Entry(f"{folder}/real.mp4", "real", "none", (), ("dfdc/real.mp4",)),
        Entry(f"{folder}/fake.mp4", "fake", "unknown", (), ("dfdc/real.mp4",)),
        Entry(f"{folder}/other.mp4", "fake", "unknown", (), ("dfdc/elsewhere.mp4",)),
    )
    assert listing.annotations == (f"{folder}/metadata.json",)
    assert listing.notes == ("parts 3 are there; missing of 0–49: 0–2, 4–49",)


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("", "dfdc_train_part_3/"),
        ("", "train/DFDC_train_part_03/"),
        ("", "dfdc_train_part_03/dfdc_train_part_3/"),
        ("", "deep/down/dfdc_train_part_3/"),
        ("own", "whatever/dfdc_train_part_3/"),
        ("", "train_sample_videos/"),
        ("DFDC", "sample/"),
        ("dfdc_train_part_3", ""),
    ],
)
def test_parts_may_lie_in_other_folders(make_tree: MakeTree, name: str, folder: str) -> None:
    made = make_tree(*(folder + video for video in VIDEOS), texts={f"{folder}metadata.json": PART})
    tree = Tree(made.root, name, made.files)
    # In a folder without a name it may be another dataset's, unless somebody says that it is this.
    assert dfdc.recognises(tree) is (name != "" or "deep" not in folder)
    assert [entry.path for entry in dfdc.read(tree).entries] == [folder + video for video in VIDEOS]


def test_lists_of_datasets_beside_it_are_not_its_own(make_tree: MakeTree) -> None:
    made = make_tree(
        *inside("dfdc_train_part_0"),
        "mine/a.mp4",
        texts={"dfdc_train_part_0/metadata.json": PART, "mine/metadata.json": "[]", "x/test/labels.csv": "a"},
    )
    listing = dfdc.read(Tree(made.root, "", made.files))
    assert len(listing.entries) == 3
    assert without_parts(listing.notes) == ()


def test_parts_that_are_missing_are_told(make_tree: MakeTree) -> None:
    numbers = [0, 1, 2, 7, *range(10, 50)]
    texts = {f"dfdc_train_part_{number}/metadata.json": "{}" for number in numbers}
    assert dfdc.read(make_tree(texts=texts)).notes == (
        "parts 0–2, 7, 10–49 are there; missing of 0–49: 3–6, 8–9",
    )
    texts = {f"dfdc_train_part_{number:02}/metadata.json": "{}" for number in range(50)}
    assert dfdc.read(make_tree(texts=texts, name="whole")).notes == ()


def test_files_that_are_not_there_or_not_listed_are_told(make_tree: MakeTree) -> None:
    tree = make_tree(
        "dfdc_train_part_0/REAL.mp4",
        "dfdc_train_part_0/new.mp4",
        texts={"dfdc_train_part_0/metadata.json": PART},
    )
    listing = dfdc.read(tree)
    assert [entry.path for entry in listing.entries] == ["dfdc_train_part_0/REAL.mp4"]
    assert without_parts(listing.notes) == (
        "dfdc_train_part_0/metadata.json: 2 of 3 videos are not there: fake.mp4, other.mp4",
        "left out, named by no metadata.json or labels.csv: 1 videos: dfdc_train_part_0/new.mp4",
    )


@pytest.mark.parametrize("original", [{}, {"original": None}, {"original": ""}, {"original": float("nan")}])
def test_fakes_without_an_original_are_told(make_tree: MakeTree, original: dict[str, Any]) -> None:
    text = json.dumps({"a.mp4": {"label": "fake", **original}})
    listing = dfdc.read(
        make_tree("train_sample_videos/a.mp4", texts={"train_sample_videos/metadata.json": text})
    )
    assert listing.entries == (Entry("train_sample_videos/a.mp4", "fake", "unknown"),)
    assert listing.notes == (
        "fakes whose original is not told, so that nothing ties them: 1: train_sample_videos/a.mp4",
    )


@pytest.mark.parametrize(
    ("folders", "splits"),
    [
        ((), {"p": None}),
        (("test",), {"p": "trainval", "test": "test"}),
        (("validation",), {"p": None, "validation": "val"}),
        (("Validation", "TEST"), {"p": "train", "Validation": "val", "TEST": "test"}),
    ],
)
def test_splits_are_those_of_the_folders(
    make_tree: MakeTree, folders: tuple[str, ...], splits: dict[str, str | None]
) -> None:
    paths = [f"{folder}/x.mp4" for folder in folders]
    texts = {"p/metadata.json": PART, **{f"{folder}/labels.csv": TABLE for folder in folders}}
    listing = dfdc.read(make_tree(*inside("p"), *paths, texts=texts))
    assert {entry.path.split("/")[0]: entry.split for entry in listing.entries} == splits


def test_a_test_list_without_its_videos_prescribes_nothing(make_tree: MakeTree) -> None:
    texts = {"p/metadata.json": PART, "test/labels.csv": TABLE}
    assert {entry.split for entry in dfdc.read(make_tree(*inside("p"), texts=texts)).entries} == {None}


@pytest.mark.parametrize(
    ("texts", "paths"),
    [
        ({"test/labels.csv": TABLE}, ("test/x.mp4", "test/y.mp4")),
        ({"test/labels.csv": TABLE, "test/metadata.json": "no JSON"}, ("test/x.mp4", "test/y.mp4")),
        (
            {"test/metadata.json": '{"x.mp4": {"is_fake": 0}, "y.mp4": {"is_fake": 1.0}}'},
            ("test/x.mp4", "test/y.mp4"),
        ),
    ],
)
def test_lists_of_test_videos(make_tree: MakeTree, texts: dict[str, str], paths: tuple[str, ...]) -> None:
    tree = make_tree(*paths, texts=texts, name="dfdc")
    listing = dfdc.read(tree)
    assert dfdc.recognises(tree)
    assert [(entry.path, entry.label, entry.split) for entry in listing.entries] == [
        (paths[0], "real", "test"),
        (paths[1], "fake", "test"),
    ]
    assert listing.notes == ()


@pytest.mark.parametrize("name", ["validation", "dfdc_val", "test", "dfdc", ""])
def test_the_name_of_the_datasets_own_folder_decides_no_split(make_tree: MakeTree, name: str) -> None:
    # It changes when `unmask data add` brings the dataset to `data/dfdc`.
    made = make_tree("videos/x.mp4", "videos/y.mp4", texts={"labels.csv": TABLE}, name=name or "validation")
    listing = dfdc.read(Tree(made.root, name, made.files))
    assert [entry.split for entry in listing.entries] == ["test", "test"]
    assert listing.notes == (
        "labels.csv: taken for test videos; if they are for validation, put all in validation/",
    )


def test_the_same_part_twice_is_told(make_tree: MakeTree) -> None:
    folders = ("dfdc_train_part_0", "dfdc_train_part_00")
    texts = {f"{folder}/metadata.json": PART for folder in folders}
    listing = dfdc.read(make_tree(*(path for folder in folders for path in inside(folder)), texts=texts))
    assert len(listing.entries) == 6
    assert without_parts(listing.notes) == (
        "in more than one folder: 3 videos: fake.mp4, other.mp4, real.mp4",
    )


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (
            {"p/metadata.json": '{"a.mp4": {"label": "REAL"}, "a.mp4": {"label": "FAKE"}}'},
            "'a.mp4' stands there twice",
        ),
        (
            {"p/metadata.json": '{"a.mp4": {"label": "REAL"}, "A.mp4": {"label": "FAKE"}}'},
            "A.mp4 is real and fake there",
        ),
        (
            {"p/metadata.json": '{"a.mp4": {"label": "MAYBE"}}'},
            "p/metadata.json: a.mp4: label 'MAYBE' is none of",
        ),
        ({"p/metadata.json": '{"a.mp4": {"label": []}}'}, r"a.mp4: label \[\] is none of"),
        ({"p/metadata.json": '{"a.mp4": {}}'}, "a.mp4: label None is none of"),
        ({"p/metadata.json": '{"a.mp4": "REAL"}'}, "a.mp4: not described by an object"),
        ({"p/metadata.json": '["a.mp4"]'}, "p/metadata.json: not a JSON object"),
        ({"p/metadata.json": r'{"\u001b[2J.mp4": {"label": "REAL"}}'}, r"'\\x1b\[2J.mp4' holds control"),
        (
            {"p/metadata.json": r'{"a.mp4": {"label": "FAKE", "original": "\ud800.mp4"}}'},
            r"p/metadata.json: '\\ud800.mp4' holds control characters or no UTF-8; download it again",
        ),
        ({"p/labels.csv": "filename,label\na\x1b.mp4,1"}, "p/labels.csv:2: filename 'a.x1b.mp4' holds"),
        ({"p/metadata.json": "{"}, "p/metadata.json: not the JSON that was published"),
        ({"p/labels.csv": "file,label\na.mp4,1"}, "p/labels.csv:1: no column filename"),
        ({"p/labels.csv": "filename,label\na.mp4,1\na.mp4,0"}, "a.mp4 is real and fake there"),
        ({"p/labels.csv": "filename,label\na.mp4,2"}, "p/labels.csv:2: label '2' is none of"),
        (
            {"labels.csv": "filename,label\na.mp4,1", "p/metadata.json": '{"a.mp4": {"label": "REAL"}}'},
            r"labels.csv and .*p/metadata.json contradict each other on p/a.mp4",
        ),
    ],
)
def test_lists_that_cannot_be_understood(make_tree: MakeTree, texts: dict[str, str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        dfdc.read(make_tree("p/a.mp4", texts=texts))
