"""Folders of pictures and single pictures: what they are, which are taken, and what is refused."""

import errno
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from components.faces.pool import WorkerPool
from components.video.container import VideoFault
from components.video.examine import examine
from components.video.limits import Limits
from components.video.picture_files import is_clip, list_pictures
from components.video.sampling import Consecutive, Even, Every, Sampling
from components.video.source import map_frames, map_spread, probe
from components.video.still import still

LIMITS = Limits()


def save(path: Path, shade: int = 100, size: tuple[int, int] = (24, 16)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Pillow.fromarray(np.full((size[1], size[0], 3), shade, np.uint8)).save(path)
    return path


@pytest.fixture
def make_folder(tmp_path: Path) -> Callable[..., Path]:
    """Makes a folder of pictures, frame_0 and so on; the grey level of one is its number."""

    def make(count: int = 20, suffix: str = ".png", name: str = "clip") -> Path:
        for number in range(count):
            save(tmp_path / name / f"frame_{number}{suffix}", number)
        return tmp_path / name

    return make


def shades(path: Path, sampling: Sampling, limits: Limits = LIMITS) -> list[int]:
    """The grey levels of the frames taken; what came before a restart is void."""
    visited: list[int] = []

    def visit(frame: Any) -> int:
        visited.append(round(float(frame.image.mean())))
        assert frame.time == visited[-1] / 25
        return visited[-1]

    taken = map_frames(path, probe(path, limits), sampling, limits, visit, visited.clear)
    assert sorted(set(taken)) == visited
    return taken


def fault(path: Path, limits: Limits = LIMITS) -> tuple[str, str]:
    with pytest.raises(VideoFault) as caught:
        probe(path, limits)
    return caught.value.status, caught.value.reason


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [(".jpg", "mjpeg"), (".JPEG", "mjpeg"), (".png", "png"), (".bmp", "bmp"), (".webp", "webp")],
)
def test_a_folder_is_probed_like_a_video(make_folder: Callable[..., Path], suffix: str, codec: str) -> None:
    folder = make_folder(10, suffix)
    info = probe(folder, LIMITS)
    assert (info.frames, info.fps, info.duration, info.codec) == (10, 25.0, 0.4, codec)
    assert (info.width, info.height) == (24, 16)
    assert info.bytes == sum(path.stat().st_size for path in folder.iterdir())


@pytest.mark.parametrize(
    ("sampling", "expected"),
    [
        (Even(frames=4), [2, 7, 12, 17]),
        (Even(frames=20), list(range(20))),
        (Every(policy="every", step=7), [0, 7, 14]),
        (Consecutive(policy="clip", places=2, frames=3), [4, 5, 6, 14, 15, 16]),
    ],
)
def test_pictures_are_taken_by_number(
    make_folder: Callable[..., Path], sampling: Sampling, expected: list[int]
) -> None:
    assert shades(make_folder(), sampling) == expected


def test_order_is_natural_and_hidden_or_other_files_are_no_frames(tmp_path: Path) -> None:
    for name in ("f10.png", "F2.png", "f1.png", "f02b.png", ".f0.png"):
        save(tmp_path / name)
    (tmp_path / "list.txt").touch()
    os.mkfifo(tmp_path / "f3.png")
    assert [path.name for path in list_pictures(tmp_path)] == ["f1.png", "F2.png", "f02b.png", "f10.png"]


@pytest.mark.parametrize("content", [b"", b"no picture", None], ids=["empty", "text", "cut short"])
def test_a_damaged_picture_is_passed_over_like_a_damaged_packet(
    make_folder: Callable[..., Path], content: bytes | None
) -> None:
    folder = make_folder()
    for number in (0, 7, 10):  # one that tells the size, two that would be taken
        file = folder / f"frame_{number}.png"
        file.write_bytes(file.read_bytes()[:60] if content is None else content)
    assert shades(folder, Even(frames=4)) == [2, 6, 12, 17]
    assert map_spread(folder, probe(folder, LIMITS), 1, LIMITS, lambda frame: frame.time) == [9 / 25]


def test_too_few_sound_pictures(make_folder: Callable[..., Path], tmp_path: Path) -> None:
    assert fault(make_folder(7)) == ("too_short", "7 pictures; at least 8 are needed")
    folder = make_folder(9, name="damaged")
    for number in (3, 4):
        (folder / f"frame_{number}.png").write_bytes(b"")
    with pytest.raises(VideoFault, match="only 7 of 9 pictures can be decoded"):
        shades(folder, Even(frames=8))
    for file in folder.iterdir():
        file.write_bytes(b"\x89PNG")
    assert fault(folder)[0] == "undecodable"
    (tmp_path / "none").mkdir()
    assert fault(tmp_path / "none")[1].startswith("no pictures in this folder")


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (Limits(max_pixels=100), "24×16 px; the limit is 100 px"),
        (Limits(max_bytes=700), "bytes; the limit is 700"),
        (Limits(max_seconds=0.5), "20 pictures, 1 s at 25 a second; the limit is 0 s"),
    ],
)
def test_limits_hold_for_pictures(make_folder: Callable[..., Path], limits: Limits, reason: str) -> None:
    status, told = fault(make_folder(), limits)
    assert status == "too_large"
    assert told.endswith(reason)


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = save(tmp_path / "bomb.png")
    header = struct.pack(">4sIIBBBBB", b"IHDR", 30_000, 20_000, 8, 2, 0, 0, 0)
    content = bomb.read_bytes()
    bomb.write_bytes(content[:12] + header + struct.pack(">I", zlib.crc32(header)) + content[33:])
    monkeypatch.setattr(Pillow.Image, "load", lambda self: pytest.fail("decoded"))
    assert fault(bomb) == ("too_large", "a picture beyond the limit of 35389440 px")


def test_pictures_of_other_sizes_are_fitted_into_the_first(make_folder: Callable[..., Path]) -> None:
    folder = make_folder(8)
    save(folder / "frame_3.png", 200, (8, 16))
    save(folder / "frame_4.png", 200, (48, 32))
    info = probe(folder, LIMITS)
    frames = map_frames(folder, info, Even(frames=8), LIMITS, lambda frame: frame.image)
    assert {frame.shape for frame in frames} == {(16, 24, 3)}
    assert frames[3][8, :, 0].tolist() == [0] * 8 + [200] * 8 + [0] * 8  # not stretched
    assert (frames[4] == 200).all()


def corner(path: Path) -> list[int]:
    """The upper left pixel of a picture as it is decoded."""
    (pixel,) = map_frames(path, probe(path, LIMITS), Even(frames=8), LIMITS, lambda frame: frame.image[0, 0])
    return [int(value) for value in pixel]


def test_a_single_picture_is_one_frame_whatever_the_least(tmp_path: Path) -> None:
    info = probe(save(tmp_path / "a.png", 77), LIMITS)
    assert (info.frames, info.codec, info.width, info.height) == (1, "png", 24, 16)
    assert corner(tmp_path / "a.png") == [77, 77, 77]


@pytest.mark.parametrize(
    ("mode", "colour", "shown"),
    [
        ("RGBA", (0, 0, 0, 0), [255, 255, 255]),
        ("RGBA", (10, 20, 30, 255), [10, 20, 30]),
        ("LA", (50, 255), [50, 50, 50]),
        ("P", 3, [3, 3, 3]),
        ("1", 1, [255, 255, 255]),
        ("I;16", 20_000, [78, 78, 78]),
    ],
)
def test_what_a_viewer_shows_of_a_png(tmp_path: Path, mode: str, colour: Any, shown: list[int]) -> None:
    picture = Pillow.new(mode, (16, 16), colour)
    if mode == "P":
        picture.putpalette([value for grey in range(256) for value in (grey, grey, grey)])
    picture.save(tmp_path / "a.png")
    assert corner(tmp_path / "a.png") == shown


@pytest.mark.parametrize(
    ("orientation", "place"), [(1, (0, 0)), (3, (23, 15)), (6, (15, 0)), (8, (0, 23)), (2, (23, 0))]
)
def test_exif_orientation_is_honoured(tmp_path: Path, orientation: int, place: tuple[int, int]) -> None:
    pixels = np.zeros((16, 24, 3), np.uint8)
    pixels[:4, :4] = 255  # upper left as it is stored
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    Pillow.fromarray(pixels).save(tmp_path / "a.jpg", exif=exif, quality=100)
    info = probe(tmp_path / "a.jpg", LIMITS)
    (image,) = map_frames(tmp_path / "a.jpg", info, Even(), LIMITS, lambda frame: frame.image)
    assert image.shape == (info.height, info.width, 3)
    assert (image.argmax() // 3 % image.shape[1] > 11, image[place[1], place[0], 0] > 200) == (
        place[0] > 11,
        True,
    )


def test_cmyk_and_pictures_with_further_views(tmp_path: Path) -> None:
    Pillow.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / "cmyk.jpg", quality=100)
    red, green, blue = corner(tmp_path / "cmyk.jpg")
    assert red > 200
    assert max(green, blue) < 60
    views = [Pillow.new("RGB", (16, 16), (grey,) * 3) for grey in (90, 160)]
    views[0].save(tmp_path / "views.jpg", "MPO", save_all=True, append_images=views[1:])
    assert corner(tmp_path / "views.jpg") == [90, 90, 90]


@pytest.mark.parametrize("suffix", [".png", ".webp"])
def test_what_moves_is_refused_in_words(tmp_path: Path, suffix: str) -> None:
    frames = [Pillow.new("RGB", (16, 16), (grey, 0, 0)) for grey in (9, 90)]
    frames[0].save(tmp_path / f"a{suffix}", save_all=True, append_images=frames[1:])
    assert fault(tmp_path / f"a{suffix}") == ("undecodable", "the picture moves; make a video (mp4) of it")


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"text", "not a picture, whatever its name says"), (b"", "not a picture"), (None, "cut short")],
)
def test_a_single_file_that_cannot_be_decoded_says_why(
    tmp_path: Path, content: bytes | None, reason: str
) -> None:
    file = save(tmp_path / "a.jpg", size=(200, 200))
    file.write_bytes(file.read_bytes()[:900] if content is None else content)
    status, told = fault(file)
    assert status == "undecodable"
    assert reason in told


def test_what_the_system_refuses_is_not_called_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Pillow, "open", refuse)
    (tmp_path / "a.png").touch()
    assert fault(tmp_path / "a.png") == ("undecodable", "cannot be read: Permission denied")


def test_memory_that_is_missing_is_not_called_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def starve(*_: object, **__: object) -> None:
        raise MemoryError

    file = save(tmp_path / "a.png")
    monkeypatch.setattr(Pillow.Image, "convert", starve)
    with pytest.raises(MemoryError):
        probe(file, LIMITS)


def test_no_pipe_is_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    assert fault(tmp_path / "a.png") == ("undecodable", "not a regular file")


def test_workers_look_at_pictures_too(make_folder: Callable[..., Path], pool: WorkerPool) -> None:
    folder = make_folder()
    assert pool.probe_one(folder) == probe(folder, LIMITS)
    assert pool.examine_one(folder) == examine(folder, LIMITS)
    assert still(folder, LIMITS).image.mean() == 10


@pytest.mark.parametrize(
    ("pictures", "videos", "others", "expected"),
    [
        (2, 0, 0, True), (1, 0, 0, False), (2, 0, 1, True), (2, 0, 2, False),
        (20, 0, 2, True), (20, 0, 3, False), (20, 1, 0, False), (0, 0, 0, False),
    ],
)  # fmt: skip
def test_which_folders_are_a_clip(pictures: int, videos: int, others: int, expected: bool) -> None:
    assert is_clip(pictures, videos, others) is expected


@pytest.mark.parametrize("copies", [8, 40])
def test_one_picture_over_and_over_is_no_clip(tmp_path: Path, copies: int) -> None:
    for number in range(copies):
        save(tmp_path / "clip" / f"{number}.png")
    with pytest.raises(VideoFault, match="only 1 different pictures") as caught:
        examine(tmp_path / "clip", LIMITS)
    assert caught.value.status == "too_short"


def test_a_picture_that_comes_again_and_again_counts_once(tmp_path: Path) -> None:
    order = [*range(12), *[11] * 100, *range(12, 48)]
    for number, shade in enumerate(order):
        save(tmp_path / "clip" / f"{number}.png", shade)
    info = probe(tmp_path / "clip", LIMITS)
    taken = map_frames(
        tmp_path / "clip", info, Even(frames=16), LIMITS, lambda frame: int(frame.image[0, 0, 0])
    )
    assert taken == [3 * part + 1 for part in range(16)]
