"""Which datasets a data folder holds, and what stops before anything is read."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from components.datasets.found import ADD_REMEDY, MARKER, NO_LAYOUT, find_layout, read_dataset, read_datasets
from components.datasets.layouts import LAYOUTS, layout_of
from components.datasets.tree import walk
from components.errors import DataError

PAIR = ("real/a.mp4", "fake/b.mp4")
PART = "dfdc_train_part_0"


def make(root: Path, *paths: str, texts: dict[str, str] | None = None) -> Path:
    data = root / "data"
    for path, text in {**dict.fromkeys(paths, ""), **(texts or {})}.items():
        (data / path).parent.mkdir(parents=True, exist_ok=True)
        (data / path).write_text(text, encoding="utf-8")
    return data


def found(data: Path) -> dict[str, tuple[str, list[str]]]:
    """Layout and paths of each dataset."""
    datasets = read_datasets(data)
    return {d.name: (d.layout, [entry.path for entry in d.listing.entries]) for d in datasets}


def test_one_dataset_in_the_folder_itself(tmp_path: Path) -> None:
    (dataset,) = read_datasets(make(tmp_path, *PAIR))
    assert (dataset.name, dataset.layout, dataset.listing.notes) == ("data", "folders", ())
    assert [entry.path for entry in dataset.listing.entries] == ["fake/b.mp4", "real/a.mp4"]


def test_datasets_side_by_side(tmp_path: Path) -> None:
    data = make(
        tmp_path,
        *PAIR,
        "Celeb/Celeb-real/id0_0000.mp4",
        "Celeb/Celeb-synthesis/id0_id1_0000.mp4",
        "mine/x.mp4",
        texts={"mine/manifest.csv": "path,label\nx.mp4,real\n"},
    )
    assert found(data) == {
        "Celeb": ("celeb-df", ["Celeb/Celeb-real/id0_0000.mp4", "Celeb/Celeb-synthesis/id0_id1_0000.mp4"]),
        "data": ("folders", ["fake/b.mp4", "real/a.mp4"]),
        "mine": ("manifest", ["mine/x.mp4"]),
    }


def test_trees_are_apart(tmp_path: Path) -> None:
    data = make(tmp_path, *PAIR, "more/real/c.mp4", "more/fake/d.mp4", "notes.txt")
    (data / "real" / "x\ny.mp4").touch()
    (data / "more" / "x\ny.mp4").touch()
    root, more = read_datasets(data)
    assert list(root.tree.files) == ["fake/b.mp4", "notes.txt", "real/a.mp4"]
    assert list(more.tree.files) == ["fake/d.mp4", "real/c.mp4"]
    assert root.listing.notes == (
        "left out, neither by name nor by content a video: 1 files: notes.txt",
        r"left out, names that no table can hold: real/x\ny.mp4",
    )
    assert more.listing.notes == (r"left out, names that no table can hold: x\ny.mp4",)


def test_links_that_are_not_followed_are_told(tmp_path: Path) -> None:
    data = make(tmp_path, "pool/a.mp4", "own/real/b.mp4", "own/fake/c.mp4")
    (data / "own" / "real" / "more").symlink_to(data / "pool")
    own = {dataset.name: dataset for dataset in read_datasets(data)}["own"]
    assert own.listing.notes == ("left out, links to folders that are listed under another path: real/more",)


@pytest.mark.parametrize(
    ("layout", "one", "other", "texts"),
    [
        (
            "faceforensics",
            [
                "original_sequences/youtube/c23/videos/000.mp4",
                "manipulated_sequences/Deepfakes/c23/videos/000_003.mp4",
            ],
            [
                "original_sequences/youtube/raw/videos/000.mp4",
                "manipulated_sequences/Deepfakes/raw/videos/000_003.mp4",
            ],
            {},
        ),
        (
            "celeb-df",
            ["Celeb-real/id1_0007.mp4", "Celeb-synthesis/id1_id16_0007.mp4"],
            ["Celeb-real/id1_0007.avi", "Celeb-synthesis/id1_id16_0007.avi"],
            {},
        ),
        (
            "dfdc",
            ["dfdc_train_part_0/a.mp4", "dfdc_train_part_0/b.mp4"],
            ["dfdc_train_part_0/a.mp4", "dfdc_train_part_0/b.mp4"],
            {
                "dfdc_train_part_0/metadata.json": '{"a.mp4": {"label": "REAL"},'
                '"b.mp4": {"label": "FAKE", "original": "a.mp4"}}'
            },
        ),
    ],
)
def test_two_copies_of_a_dataset_share_people_and_recordings(
    tmp_path: Path, layout: str, one: list[str], other: list[str], texts: dict[str, str]
) -> None:
    """Say compressions c23 and raw, or versions 1 and 2: apart, they would leak into each other's test."""
    copies = {"one": one, "other": other}
    paths = [f"{name}/{path}" for name, listed in copies.items() for path in listed]
    lists = {f"{name}/{path}": text for name in copies for path, text in texts.items()}
    datasets = read_datasets(make(tmp_path, *paths, texts=lists))
    assert [(dataset.name, dataset.layout) for dataset in datasets] == [("one", layout), ("other", layout)]
    first, second = (
        {(entry.label, entry.identities, entry.sources) for entry in dataset.listing.entries}
        for dataset in datasets
    )
    assert first == second
    assert len(first) == 2
    assert all(
        sources and all(source.startswith(f"{layout}/") for source in sources) for *_, sources in first
    )


def test_two_folders_that_differ_in_letter_case_are_two_datasets(tmp_path: Path) -> None:
    data = make(tmp_path, *(f"{name}/{path}" for name in ("own", "OWN") for path in PAIR))
    assert list(found(data)) == ["OWN", "own"]


def test_a_manifest_in_the_folder_itself_claims_what_it_lists(tmp_path: Path) -> None:
    text = "path,label\nown/real/a.mp4,real\nloose.mp4,fake\n"
    data = make(tmp_path, "own/real/a.mp4", "own/fake/b.mp4", "loose.mp4", texts={"manifest.csv": text})
    assert found(data) == {"data": ("manifest", ["loose.mp4", "own/real/a.mp4"])}


def test_folders_called_like_splits_are_those_of_the_folder_itself(tmp_path: Path) -> None:
    data = make(tmp_path, *(f"{split}/{path}" for split in ("train", "Val", "test") for path in PAIR))
    (dataset,) = read_datasets(data)
    assert (dataset.name, dataset.layout) == ("data", "folders")
    assert {entry.path.split("/")[0]: entry.split for entry in dataset.listing.entries} == {
        "train": "train",
        "Val": "val",
        "test": "test",
    }


def test_a_dataset_called_like_a_split_keeps_its_manifest(tmp_path: Path) -> None:
    text = "path,label,identity\nreal/a.mp4,real,p1\nfake/b.mp4,fake,p1\n"
    data = make(tmp_path, *PAIR, *(f"test/{path}" for path in PAIR), texts={"test/manifest.csv": text})
    assert found(data) == {
        "data": ("folders", ["fake/b.mp4", "real/a.mp4"]),
        "test": ("manifest", ["test/fake/b.mp4", "test/real/a.mp4"]),
    }


def test_a_marker_names_the_layout(tmp_path: Path) -> None:
    own = [f"own/{path}" for path in ("Celeb-real/x.mp4", "real/a.mp4", "fake/b.mp4")]
    data = make(tmp_path, *own, texts={f"own/{MARKER}": "layout: Folders\n"})
    assert found(data) == {"own": ("folders", ["own/fake/b.mp4", "own/real/a.mp4"])}


def test_a_marker_keeps_a_folder_from_the_dataset_around_it(tmp_path: Path) -> None:
    # Without it, `fake` would be a class of the data folder itself.
    data = make(
        tmp_path,
        "real/c.mp4",
        *(f"fake/{path}" for path in PAIR),
        texts={f"fake/{MARKER}": "layout: folders"},
    )
    assert found(data) == {
        "data": ("folders", ["real/c.mp4"]),
        "fake": ("folders", ["fake/fake/b.mp4", "fake/real/a.mp4"]),
    }


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("layout: celeb", "layout 'celeb'; write one of manifest, "),
        ("layout: [x]", "layout ['x']; write one of"),
        ("layout", "layout None; write one of"),
        ("layout: {", "not valid YAML; write `layout: NAME`"),
        ("layout: 2001-99-99", "not valid YAML; write `layout: NAME`"),
        ("[" * 3000, "not valid YAML; write `layout: NAME`"),
    ],
)
def test_a_marker_that_names_none(tmp_path: Path, text: str, problem: str) -> None:
    data = make(tmp_path, *PAIR, texts={f"own/{MARKER}": text})
    with pytest.raises(DataError) as caught:
        read_datasets(data)
    assert str(caught.value).startswith(f"{data / 'own' / MARKER}: {problem}")


def test_videos_that_no_layout_lists_are_told(tmp_path: Path) -> None:
    data = make(tmp_path, *PAIR, "loose.mp4", "other/c.mp4", "texts/readme.md")
    (dataset,) = read_datasets(data)
    assert dataset.listing.notes == (
        "left out, in no folder that the layout folders lists: 2 videos: loose.mp4, other/c.mp4",
        "left out, neither by name nor by content a video: 1 files: texts/readme.md",
    )


@pytest.mark.parametrize(
    ("layout", "videos", "texts"),
    [
        ("folders", PAIR, {}),
        ("manifest", PAIR, {"manifest.csv": "path,label\nreal/a.mp4,real\nfake/b.mp4,fake\n"}),
        ("classroom", ["Celeb-Real/a.mp4", "Celeb-Fake/b.mp4"], {}),
        ("celeb-df", ["Celeb-real/id1_0007.mp4", "Celeb-synthesis/id1_id16_0007.mp4"], {}),
        ("faceforensics", ["original/000.mp4", "Deepfakes/000_003.mp4"], {}),
        ("deeperforensics", ["source_videos/M101/M101_a_camera_down.mp4"], {}),
        ("dfdc", [f"{PART}/a.mp4"], {f"{PART}/metadata.json": '{"a.mp4": {"label": "REAL"}}'}),
    ],
)
def test_what_is_no_video_is_told_in_every_layout(
    tmp_path: Path, layout: str, videos: Sequence[str], texts: dict[str, str]
) -> None:
    beside = f"{Path(videos[-1]).parent}/notes.txt"
    hidden = f"{Path(videos[0]).parent}/._x"
    make(tmp_path, *videos, beside, "readme", ".hidden/x.mp4", hidden, texts=texts)
    known = layout_of(layout)
    assert known
    dataset = read_dataset(walk(tmp_path / "data"), known)
    assert len(dataset.listing.entries) == len(videos)
    assert dataset.listing.notes[-2:] == (
        f"left out, neither by name nor by content a video: 2 files: {', '.join(sorted([beside, 'readme']))}",
        f"left out, hidden: 2: .hidden, {hidden}",
    )


def test_a_folder_s_files_are_told_where_all_videos_stand_apart(tmp_path: Path) -> None:
    rest, _ = read_datasets(make(tmp_path, *(f"own/{path}" for path in PAIR), "readme.md"))
    assert (rest.name, rest.layout) == ("data", NO_LAYOUT)
    assert rest.listing.notes == ("left out, neither by name nor by content a video: 1 files: readme.md",)


def test_videos_that_no_layout_fits_are_told(tmp_path: Path) -> None:
    data = make(tmp_path, *(f"own/{path}" for path in PAIR), "other/c.mp4", "loose.mp4")
    unread, own = read_datasets(data)
    assert (unread.name, unread.layout, unread.listing.entries) == ("data", NO_LAYOUT, ())
    assert unread.listing.notes == (
        "left out, as no layout fits: 2 videos: loose.mp4, other/c.mp4; name one in FOLDER/unmask.yaml",
    )
    assert own.listing.notes == ()


@pytest.mark.parametrize(
    ("paths", "problem"),
    [
        ([], "no such folder; "),
        (["readme.txt"], "no videos; "),
        (["real/notes.txt", "fake/notes.txt"], "no videos; "),
        (["a.mp4"], "no videos; "),
        (["real/a.mp4"], "no fake videos; a detector needs both classes: "),
        (["fake/a.mp4"], "no real videos; a detector needs both classes: "),
    ],
)
def test_data_that_cannot_train_a_detector(tmp_path: Path, paths: list[str], problem: str) -> None:
    data = tmp_path / "data"
    make(tmp_path, *paths)
    with pytest.raises(DataError) as caught:
        read_datasets(data)
    assert str(caught.value) == f"{data}: {problem}{ADD_REMEDY}"


def test_videos_without_labels_train_nothing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no real videos"):
        read_datasets(make(tmp_path, texts={"manifest.csv": "path,label\na.mp4,\n"}))


def test_classes_may_come_from_different_datasets(tmp_path: Path) -> None:
    assert list(found(make(tmp_path, "one/real/a.mp4", "two/fake/b.mp4"))) == ["one", "two"]


def test_no_video_is_of_two_datasets(tmp_path: Path) -> None:
    texts = {"manifest.csv": "path,label\nown/real/a.mp4,real\n", f"own/{MARKER}": "layout: folders"}
    data = make(tmp_path, *(f"own/{path}" for path in PAIR), texts=texts)
    with pytest.raises(DataError) as caught:
        read_datasets(data)
    message = f"{data}/own/real/a.mp4: listed by two datasets; take it out of {data}/manifest.csv"
    assert str(caught.value) == message


def test_no_two_datasets_of_one_name(tmp_path: Path) -> None:
    data = make(tmp_path, *PAIR, *(f"data/{path}" for path in PAIR))
    with pytest.raises(DataError) as caught:
        read_datasets(data)
    assert str(caught.value) == f"{data}/data: 'data' names {data} itself; rename the folder inside"


def test_a_dataset_where_it_was_unpacked_has_paths_of_its_own(tmp_path: Path) -> None:
    tree = walk(make(tmp_path, *PAIR))
    dataset = read_dataset(tree, LAYOUTS["folders"])
    assert [entry.path for entry in dataset.listing.entries] == ["fake/b.mp4", "real/a.mp4"]


@pytest.mark.parametrize(
    ("paths", "layout"),
    [
        (["manifest.csv", *PAIR], "manifest"),
        (["Manifest.Parquet"], "manifest"),
        (["Celeb-Real/id0_0000.mp4", "YouTube-real/00000.mp4"], "celeb-df"),
        (["CELEB-SYNTHESIS/id0_id1_0000.mp4"], "celeb-df"),
        (["Celeb-real/id0_0000.mp4"], "celeb-df"),
        (["Celeb-real/a.mp4", "Celeb-fake/b.mp4", "Testing/c.mp4"], "classroom"),
        (["celeb_real/a.mp4", "TESTING/c.mp4"], "classroom"),
        (["dataset.json", "method_A/1/1_A/x.mp4"], "dfdc-preview"),
        (["DFDC_train_part_07/metadata.json", *PAIR], "dfdc"),
        (["train_sample_videos/metadata.json"], "dfdc"),
        (["dfdc/dfdc_train_part_0/metadata.json"], None),  # a dataset in a folder of its own
        (["metadata.json", "labels.csv", "x.mp4"], None),
        (["test/labels.csv"], None),
        (PAIR, "folders"),
        (["Train/REAL/a.mp4"], "folders"),
        (["test/swap/fake/a.mp4"], "folders"),
        (["test/a.mp4", "train/b.mp4"], None),
        (["Real/readme.txt"], "folders"),
        (["more/real/a.mp4"], None),
        ([], None),
    ],
)
def test_layouts_are_recognised_by_names(tmp_path: Path, paths: list[str], layout: str | None) -> None:
    make(tmp_path, "unpacked.txt", *paths)
    fitting = find_layout(walk(tmp_path / "data"))
    assert (fitting.NAME if fitting else None) == layout


def test_layouts_are_called_by_their_names() -> None:
    assert layout_of("CELEB-DF") is LAYOUTS["celeb-df"]
    assert layout_of("none") is None
    assert all(name == layout.NAME and "\n" not in layout.TITLE for name, layout in LAYOUTS.items())
