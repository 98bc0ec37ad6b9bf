import os
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


def test_what_is_left_out_is_told_in_one_line_for_each_folder(tmp_path: Path) -> None:
    touch(tmp_path / "a/x.webm")
    touch(tmp_path / "a/.trash/c.mp4")
    touch(tmp_path / "a/notes.txt")
    touch(tmp_path / "b/y.mp4")
    (tmp_path / "b/up").symlink_to(tmp_path / "a")
    found = find_videos([tmp_path / "a", tmp_path / "b"])
    assert found.videos == (tmp_path / "a/x.webm", tmp_path / "b/y.mp4")
    assert found.left_out == (
        f"{tmp_path}/a: left out: 1 file that is no video (notes.txt), 1 hidden (.trash)",
        f"{tmp_path}/b: left out: 1 folder listed under another path (up)",
    )


def test_videos_of_any_name_and_behind_links_are_found(tmp_path: Path) -> None:
    names = ["a.mp4", "b.f4v", "c.3g2", "d.qt", "e.VOB", "no_suffix"]
    for name in names:
        touch(tmp_path / "elsewhere" / name).write_bytes(b"\0\0\0\x18ftypisom")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/linked").symlink_to(tmp_path / "elsewhere")
    found = find_videos([tmp_path / "folder"])
    assert [path.name for path in found.videos] == names
    assert found.left_out == ()


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


@pytest.mark.parametrize(("second", "told"), [("link", "."), ("", "folder, link")])
def test_a_folder_that_is_named_twice_is_searched_once_and_no_mistake(
    tmp_path: Path, second: str, told: str
) -> None:
    video = touch(tmp_path / "folder/a.mp4")
    (tmp_path / "link").symlink_to("folder")
    found = find_videos([tmp_path / "folder", tmp_path / second])
    assert found.videos == (video,)
    (line,) = found.left_out
    assert line.startswith(f"{tmp_path / second}: left out: ")
    assert line.endswith(f"listed under another path ({told})")


def test_a_folder_without_videos_is_named_with_what_it_holds(tmp_path: Path) -> None:
    touch(tmp_path / "readme.md")
    there = r"but 1 file that is no video \(readme.md\); put some there"
    with pytest.raises(DataError, match=f"^{tmp_path}: no videos in this folder {there}"):
        find_videos([tmp_path])


@pytest.mark.parametrize(("shut", "told"), [("", "cannot be read"), ("sub", "1 folder that cannot be read")])
def test_a_folder_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shut: str, told: str
) -> None:
    touch(tmp_path / "sub/a.mp4")
    allowed = os.scandir

    def refuse(path: Path) -> object:
        if Path(path) == tmp_path / shut:
            raise PermissionError(13, "Permission denied")
        return allowed(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(DataError, match=f"^{tmp_path}: .*{told}"):
        find_videos([tmp_path])
    monkeypatch.undo()
    assert find_videos([tmp_path]).videos == (tmp_path / "sub/a.mp4",)
