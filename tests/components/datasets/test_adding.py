"""What is brought from where, and every way in which that can be refused."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from components.datasets.adding import bring, check_complete, make_plan
from components.datasets.found import read_datasets
from components.errors import DataError

Download = Callable[..., Path]


@pytest.fixture
def download(tmp_path: Path) -> Download:
    """Makes a folder of class folders, as somebody would have unpacked it."""

    def make(*paths: str, name: str = "download") -> Path:
        for path in paths or ("Real/a.mp4", "Fake/b.mp4", "Fake/deep/c.mp4", "Fake/readme.txt"):
            file = tmp_path / name / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"content of {path}", encoding="utf-8")
        return tmp_path / name

    return make


def contents(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "unmask.yaml")
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in files}


@pytest.mark.parametrize("copy", [False, True])
def test_videos_stand_in_a_folder_of_their_own(download: Download, tmp_path: Path, copy: bool) -> None:
    source, data = download(), tmp_path / "data"
    plan = make_plan(source, data)
    assert sorted(bring(plan, copy)) == ["Fake/b.mp4", "Fake/deep/c.mp4", "Real/a.mp4"]
    assert contents(data / "folders") == {
        path: f"content of {path}" for path in ("Real/a.mp4", "Fake/b.mp4", "Fake/deep/c.mp4")
    }
    assert (data / "folders" / "Real" / "a.mp4").is_symlink() == (not copy)
    (dataset,) = read_datasets(data)
    assert (dataset.name, dataset.layout, len(dataset.listing.entries)) == ("folders", "folders", 3)


def test_lists_are_brought_along(download: Download, tmp_path: Path) -> None:
    source = download("x/a.mp4", "x/b.mp4", "x/unlisted.mp4")
    (source / "manifest.csv").write_text("path,label\nx/a.mp4,real\nx/b.mp4,fake\n", encoding="utf-8")
    plan = make_plan(source, tmp_path / "data", name="mine")
    list(bring(plan))
    assert set(contents(tmp_path / "data" / "mine")) == {"manifest.csv", "x/a.mp4", "x/b.mp4"}


def test_the_second_time_brings_only_what_is_new_or_changed(download: Download, tmp_path: Path) -> None:
    source, data = download(), tmp_path / "data"
    list(bring(make_plan(source, data), copy=True))
    assert make_plan(source, data).missing == ()
    (source / "Real" / "new.mp4").write_text("new", encoding="utf-8")
    (source / "Real" / "a.mp4").write_text("CONTENT OF Real/a.mp4", encoding="utf-8")  # of the same length
    later = (data / "folders" / "Real" / "a.mp4").stat().st_mtime_ns + 1_000_000
    os.utime(source / "Real" / "a.mp4", ns=(later, later))
    plan = make_plan(source, data)
    assert (set(plan.missing), plan.present, plan.bytes) == ({"Real/new.mp4", "Real/a.mp4"}, 2, 24)
    list(bring(plan, copy=True))
    assert contents(data / "folders")["Real/a.mp4"] == "CONTENT OF Real/a.mp4"


def test_an_interrupted_run_goes_on(download: Download, tmp_path: Path) -> None:
    source, data = download(), tmp_path / "data"
    first = make_plan(source, data)
    next(bring(first))
    second = make_plan(source, data)
    assert (len(first.missing), len(second.missing), second.present) == (3, 2, 1)


def test_a_file_that_is_gone_is_left_out(download: Download, tmp_path: Path) -> None:
    source = download()
    (source / "Fake" / "gone.mp4").symlink_to(tmp_path / "nowhere.mp4")
    os.mkfifo(source / "Fake" / "pipe.mp4")
    plan = make_plan(source, tmp_path / "data")
    assert plan.unreadable == ("Fake/gone.mp4", "Fake/pipe.mp4")
    assert len(list(bring(plan))) == 3


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"layout": "cleb-df"}, "--dataset cleb-df: no such layout; choose one of manifest"),
        ({"name": "../x"}, "--name '../x': use letters, digits"),
        ({"name": ".x"}, "--name '.x': use letters, digits"),
        ({"name": "Real"}, "--name 'Real': use letters, digits"),
        ({"layout": "manifest"}, "manifest"),
    ],
)
def test_wrong_words_are_named(
    download: Download, tmp_path: Path, arguments: dict[str, str], told: str
) -> None:
    with pytest.raises(DataError) as caught:
        make_plan(download(), tmp_path / "data", **arguments)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_without_a_dataset(download: Download, tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"no layout fits this folder; put .* real/ and fake/, .* manifest.csv, .* --dataset"
    ):
        make_plan(download("notes/a.txt"), tmp_path / "data")
    with pytest.raises(DataError, match="no such folder"):
        make_plan(tmp_path / "absent", tmp_path / "data")
    with pytest.raises(DataError, match="not one video of layout folders"):
        make_plan(download("real/a.txt", name="empty"), tmp_path / "data")


def test_a_taken_name_is_not_written_into(download: Download, tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "mine").mkdir(parents=True)
    with pytest.raises(DataError, match="was not added as a dataset; choose another --name"):
        make_plan(download(), data, name="mine")
    (data / "mine" / "unmask.yaml").write_text("layout: manifest\n", encoding="utf-8")
    with pytest.raises(DataError, match="holds a dataset of layout manifest, not folders"):
        make_plan(download(), data, name="mine")


@pytest.mark.parametrize("inside", ["data", "data/x", "."])
def test_a_source_that_overlaps_the_data_folder(tmp_path: Path, inside: str) -> None:
    (tmp_path / "data" / "x").mkdir(parents=True)
    with pytest.raises(DataError, match="or holds it; name a folder elsewhere"):
        make_plan(tmp_path / inside, tmp_path / "data")


def test_parts_with_lists_of_their_own_stay_apart(tmp_path: Path) -> None:
    for part in (0, 1):
        folder = tmp_path / f"dfdc_train_part_{part}"
        folder.mkdir()
        (folder / f"v{part}.mp4").touch()
        listed = f'{{"v{part}.mp4": {{"label": "REAL", "split": "train"}}}}'
        (folder / "metadata.json").write_text(listed, encoding="utf-8")
    list(bring(make_plan(tmp_path / "dfdc_train_part_0", tmp_path / "data")))
    with pytest.raises(DataError, match="and none of these; choose another --name"):
        make_plan(tmp_path / "dfdc_train_part_1", tmp_path / "data")
    make_plan(tmp_path / "dfdc_train_part_1", tmp_path / "data", name="dfdc-1")


def test_a_folder_too_high_is_told(download: Download, tmp_path: Path) -> None:
    download("x/real/a.mp4", "x/fake/b.mp4")
    with pytest.raises(DataError, match="no layout fits this folder; inside it x would fit: add that"):
        make_plan(tmp_path / "download", tmp_path / "data")


def test_a_marker_that_dvc_holds_is_left_alone(download: Download, tmp_path: Path) -> None:
    source, data = download(), tmp_path / "data"
    list(bring(make_plan(source, data)))
    marker = data / "folders" / "unmask.yaml"
    marker.chmod(0o444)
    before = marker.stat()
    (source / "Real" / "new.mp4").write_text("new", encoding="utf-8")
    assert list(bring(make_plan(source, data))) == ["Real/new.mp4"]
    assert (marker.stat().st_ino, marker.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_manifest_beside_class_folders_has_the_last_word(download: Download, tmp_path: Path) -> None:
    source, data = download(), tmp_path / "data"
    list(bring(make_plan(source, data)))
    (source / "manifest.csv").write_text("path,label,identity\nReal/a.mp4,real,p\n", encoding="utf-8")
    list(bring(make_plan(source, data, name="folders")))
    (data / "folders" / "manifest.csv").write_text(
        "path,label,identity\nReal/a.mp4,real,p\nFake/b.mp4,fake,q\n", encoding="utf-8"
    )
    (dataset,) = read_datasets(data)
    assert (dataset.layout, [entry.identities for entry in dataset.listing.entries]) == (
        "manifest",
        [("q",), ("p",)],
    )


def test_videos_that_are_listed_and_not_there_do_not_count(download: Download, tmp_path: Path) -> None:
    source = download("x/a.mp4")
    lines = ["path,label", "x/a.mp4,real", "x/gone.mp4,fake"]
    (source / "manifest.csv").write_text("\n".join(lines), encoding="utf-8")
    plan = make_plan(source, tmp_path / "data")
    assert [entry.path for entry in plan.dataset.listing.entries] == ["x/a.mp4"]
    assert plan.unreadable == ("x/gone.mp4",)
    check_complete(plan, most_missing=0.5)
    with pytest.raises(DataError) as caught:
        check_complete(plan, most_missing=0.25)
    assert str(caught.value) == (
        f"{source}: 1 of 2 listed videos cannot be found or read: x/gone.mp4; correct their paths, "
        "or go on without them (--allow-missing)"
    )
    (source / "manifest.csv").write_text("path,label\ny/a.mp4,real\n", encoding="utf-8")
    with pytest.raises(
        DataError, match=r"not one of the videos that it lists can be read: y/a\.mp4, .*; write paths as they"
    ):
        make_plan(source, tmp_path / "data")


def test_videos_are_counted_and_not_their_pictures(
    download: Download, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = [f"x/{clip}/{number}.png" for clip in "abc" for number in range(8)]
    source = download("x/d.mp4", *clips)
    shut = {source / clip for clip in clips if "/a/" in clip or "/b/7" in clip}
    monkeypatch.setattr("os.access", lambda path, mode: path not in shut)
    lines = ["path,label", *(f"x/{clip},real" for clip in "abc"), "x/d.mp4,fake"]
    (source / "manifest.csv").write_text("\n".join(lines), encoding="utf-8")
    plan = make_plan(source, tmp_path / "data")
    assert (len(plan.unreadable), plan.absent) == (9, ("x/a",))
    check_complete(plan, most_missing=0.25)
    with pytest.raises(DataError, match=r"1 of 4 listed videos cannot be found or read: x/a; correct"):
        check_complete(plan, most_missing=0.2)


def test_an_equal_name_means_the_folder_that_is_there(download: Download, tmp_path: Path) -> None:
    source, data = download(), tmp_path / "data"
    list(bring(make_plan(source, data, name="Mine")))
    plan = make_plan(source, data, name="mine")
    assert (plan.target, plan.missing) == (data / "Mine", ())


def test_a_name_that_came_to_mean_a_split_is_still_that_of_a_dataset_that_is_there(
    download: Download, tmp_path: Path
) -> None:
    source, data = download(), tmp_path / "data"
    with pytest.raises(DataError, match="--name 'Train': use letters, digits"):
        make_plan(source, data, name="Train")
    (data / "train").mkdir(parents=True)
    (data / "train" / "unmask.yaml").write_text("layout: folders\n", encoding="utf-8")
    assert make_plan(source, data, name="train").target == data / "train"


def test_splits_in_folders_are_one_dataset(download: Download, tmp_path: Path) -> None:
    paths = [f"{split}/{label}/a.mp4" for split in ("train", "test") for label in ("real", "fake")]
    plan = make_plan(download(*paths), tmp_path / "data")
    assert (plan.dataset.layout, sorted(plan.missing)) == ("folders", sorted(paths))
    list(bring(plan))
    (dataset,) = read_datasets(tmp_path / "data")
    assert [entry.split for entry in dataset.listing.entries] == ["test", "test", "trainval", "trainval"]


def test_what_is_gone_from_the_source_stays_and_is_told(download: Download, tmp_path: Path) -> None:
    source, data = download(), tmp_path / "data"
    list(bring(make_plan(source, data), copy=True))
    (source / "Fake" / "b.mp4").unlink()
    plan = make_plan(source, data)
    assert (plan.gone, plan.missing) == (("Fake/b.mp4",), ())


def test_what_a_killed_run_left_half_done_is_removed(download: Download, tmp_path: Path) -> None:
    source, data = download(), tmp_path / "data"
    half = data / "folders" / "Fake" / ".unmask-adding-123"
    half.parent.mkdir(parents=True)
    half.touch()
    (data / "folders" / "unmask.yaml").write_text("layout: folders\n", encoding="utf-8")
    list(bring(make_plan(source, data), copy=True))
    assert not half.exists()


def test_a_name_may_be_as_long_as_names_can_be(download: Download, tmp_path: Path) -> None:
    source = download("real/a.mp4", f"fake/{'b' * 251}.mp4")
    assert len(list(bring(make_plan(source, tmp_path / "data")))) == 2
