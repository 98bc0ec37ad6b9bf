"""Pictures at given moments, held against a full decode, and what finding them costs."""

from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from components.faces import seek
from components.faces.container import decode
from components.faces.policy import Limits
from components.faces.seek import map_spread
from components.faces.video import Frame, probe

MakeScene = Callable[..., Path]


def spread(path: Path, count: int) -> list[Frame]:
    return map_spread(path, probe(path, Limits()), count, Limits(), lambda frame: frame)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each frame that seeking decodes."""
    counted: list[int] = []

    def counting(*arguments: object) -> Iterator[object]:
        for frame in decode(*arguments):  # type: ignore[arg-type]
            counted.append(1)
            yield frame

    monkeypatch.setattr(seek, "decode", counting)
    return counted


@pytest.mark.parametrize("count", [1, 5])
@pytest.mark.parametrize(
    ("name", "gop", "codec"),
    [
        ("a.mp4", 250, "libx264"),
        ("a.mp4", 10, "libx264"),
        ("a.mkv", 10, "libx264"),
        ("a.ts", 10, "libx264"),
        ("a.avi", 10, "mpeg4"),
        ("a.mpg", 10, "mpeg2video"),
    ],
)
def test_the_picture_shown_at_each_moment(
    tmp_path: Path, make_scene: MakeScene, name: str, gop: int, codec: str, count: int
) -> None:
    path = make_scene(tmp_path / name, gop=gop, codec=codec, seconds=6.0)
    found = spread(path, count)
    assert len(found) == count
    whole, seconds = full_decode(path), probe(path, Limits()).duration
    for part, frame in enumerate(found):
        nearest = np.abs(whole - frame.image).mean(axis=(1, 2, 3)).argmin()
        assert nearest == pytest.approx(25 * (part + 0.5) / count * seconds, abs=2)


def full_decode(path: Path) -> NDArray[np.int16]:
    """All frames (T, H, W, 3)."""
    with av.open(path) as container:
        return np.stack([f.to_ndarray(format="rgb24").astype(np.int16) for f in container.decode(video=0)])


def test_a_long_video_costs_some_groups_of_pictures(
    tmp_path: Path, make_scene: MakeScene, decoded: list[int]
) -> None:
    path = make_scene(tmp_path / "a.mp4", gop=25, seconds=40.0)
    assert len(spread(path, 4)) == 4
    assert len(decoded) < 4 * 30  # of 1000


def test_a_short_video_is_decoded_once(tmp_path: Path, make_scene: MakeScene, decoded: list[int]) -> None:
    path = make_scene(tmp_path / "a.mp4", seconds=2.4)
    assert len(spread(path, 4)) == 4
    assert len(decoded) <= 60


def test_what_costs_too_much_is_let_go(
    tmp_path: Path, make_scene: MakeScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_scene(tmp_path / "a.mp4", seconds=4.0)
    monkeypatch.setattr(seek, "MAX_PIXELS", 160 * 120 * 40)
    assert spread(path, 4) == []


def test_fewer_frames_than_moments(tmp_path: Path, make_scene: MakeScene) -> None:
    path = make_scene(tmp_path / "a.mp4", seconds=0.4, fps=25)  # ten frames
    assert len(spread(path, 12)) in {10, 12}
