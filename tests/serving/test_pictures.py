"""Pictures on their way through serving: found, scored, and said to be what they are."""

from collections.abc import Callable
from pathlib import Path

import pytest

from components.bundle import Bundle
from components.errors import DataError
from serving.batch.run import scan_library
from serving.scorer import Scorer
from serving.videos import find_videos


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_a_folder_of_pictures_is_one_clip_and_loose_ones_are_left_out(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.png", "a/2.png", "a/list.txt", "b/deep/1.jpg", "b/deep/2.jpg", "b/cover.jpg")
    touch(tmp_path, "c.mp4", "d/film.mp4", "d/still1.jpg", "d/still2.jpg", "e/alone.png")
    found = find_videos([tmp_path])
    assert found.videos == tuple(tmp_path / path for path in ("a", "b/deep", "c.mp4", "d/film.mp4"))
    clips, left_out = found.left_out
    assert clips.startswith(f"{tmp_path}: folders of pictures, one clip each: 2 (a, b/deep); to have each")
    assert "left out: 4 pictures by themselves (b/cover.jpg, d/still1.jpg, d/still2.jpg and" in left_out
    assert left_out.endswith(" 1 more), 1 file that is no video (a/list.txt)")


def test_pictures_are_taken_as_they_are_named(tmp_path: Path) -> None:
    touch(tmp_path, "1.png", "2.png")
    found = find_videos([tmp_path])
    assert found.videos == (tmp_path,)
    assert found.left_out[0].startswith(f"{tmp_path}: a folder of pictures, which is one clip; to have")
    assert find_videos([tmp_path / "2.png"]).videos == (tmp_path / "2.png",)


def test_a_folder_with_one_picture_is_refused_with_a_remedy(tmp_path: Path) -> None:
    touch(tmp_path, "alone.png")
    with pytest.raises(DataError, match=r"but 1 picture by itself \(alone.png\); .*, or name pictures"):
        find_videos([tmp_path])


def test_a_batch_sees_that_a_folder_of_pictures_has_changed(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.png", "a/2.png")
    (before,) = scan_library(tmp_path).videos
    assert (before.file, before.bytes) == ("a", 0)
    assert scan_library(tmp_path).videos == (before,)
    (tmp_path / "a/1.png").rename(tmp_path / "a/3.png")  # now the last one
    (renamed,) = scan_library(tmp_path).videos
    (tmp_path / "a/2.png").write_bytes(b"other")
    (written,) = scan_library(tmp_path).videos
    assert len({before, renamed, written}) == 3


def test_pictures_are_scored(
    real_bundle: Bundle, sample_data: Path, make_frames: Callable[..., Path], tmp_path: Path
) -> None:
    """A folder of frames like a video; one of them alone, too, with its frame repeated."""
    folder = make_frames(next((sample_data / "real").iterdir()), tmp_path / "frames", count=5)
    (tmp_path / "none").mkdir()
    with Scorer(real_bundle, provider="cpu", workers=1) as scorer:
        clip, picture, none = scorer.score([folder, folder / "2.png", tmp_path / "none"])
    assert (clip.status, clip.frames, clip.note) == ("ok", 4, "")
    assert (picture.status, picture.frames, picture.face_share) == ("ok", 1, 1.0)
    assert picture.note == "a single picture, and the model learnt from videos: weaker evidence"
    assert none.reason == "no pictures in this folder; accepted are jpg, png, bmp and webp"
