from pathlib import Path

import pytest

from components.errors import DataError
from serving.videos import Found, find_videos


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_a_folder_is_searched_to_any_depth_and_sorted(tmp_path: Path) -> None:
    late, early = touch(tmp_path / "b.mp4"), touch(tmp_path / "a/deep/x.MOV")
    touch(tmp_path / "notes.txt")
    assert find_videos([tmp_path]).videos == (early, late)


def test_hidden_files_and_folders_are_left_out(tmp_path: Path) -> None:
    seen = touch(tmp_path / "a.webm")
    touch(tmp_path / ".b.mp4")
    touch(tmp_path / ".trash/c.mp4")
    assert find_videos([tmp_path]).videos == (seen,)


def test_a_named_file_is_taken_as_it_is(tmp_path: Path) -> None:
    named = [touch(tmp_path / "no-suffix"), touch(tmp_path / ".hidden.mp4"), tmp_path / "broken-link.mp4"]
    named[-1].symlink_to("gone.mp4")
    assert find_videos(named) == Found(tuple(named), ())


@pytest.mark.parametrize(
    ("name", "told"),
    [("gone.mp4", "No such file or directory"), ("x" * 300, "File name too long"), ("a.mp4/b", "Not a dir")],
)
def test_what_is_named_and_is_not_there_is_a_mistake(tmp_path: Path, name: str, told: str) -> None:
    there = touch(tmp_path / "a.mp4")
    with pytest.raises(DataError, match=f"^{tmp_path / name}: {told}.*; give a video or a folder of videos$"):
        find_videos([there, tmp_path / name])


def test_sources_keep_their_order_and_no_video_comes_twice(tmp_path: Path) -> None:
    first, second = touch(tmp_path / "a.mp4"), touch(tmp_path / "b.mp4")
    assert find_videos([second, tmp_path]).videos == (second, first)


def test_a_folder_without_videos_is_named(tmp_path: Path) -> None:
    touch(tmp_path / "readme.md")
    with pytest.raises(DataError, match=f"^{tmp_path}: no videos"):
        find_videos([tmp_path])
