"""Small pictures from the middle of videos."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from components.video import frames as video
from components.video.container import VideoFault
from components.video.limits import Limits
from components.video.still import still


@pytest.mark.parametrize(
    ("size", "rotation", "shape"),
    [
        ((320, 240), 0.0, (120, 160, 3)),
        ((240, 320), 0.0, (160, 120, 3)),
        ((320, 240), 90.0, (160, 120, 3)),
        ((96, 64), 0.0, (64, 96, 3)),
        ((640, 16), 0.0, (4, 160, 3)),
    ],
)
def test_shape(
    tmp_path: Path,
    make_video: Callable[..., Path],
    size: tuple[int, int],
    rotation: float,
    shape: tuple[int, int, int],
) -> None:
    image = still(make_video(tmp_path / "a.mp4", size=size, rotation=rotation), Limits()).image
    assert image.shape == shape
    assert image.dtype == np.uint8


def test_it_is_of_the_middle(tmp_path: Path, make_video: Callable[..., Path]) -> None:
    image = still(make_video(tmp_path / "a.mp4", frames=31), Limits()).image
    assert abs(int(image[-5, -5, 0]) - 8 * 15) <= 8 + 3  # the grey level tells the frame


def test_one_that_costs_too_much_is_a_fault(
    tmp_path: Path, make_video: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video, "MAX_PIXELS", 96 * 64)
    with pytest.raises(VideoFault, match="costs too much"):
        still(make_video(tmp_path / "a.mp4"), Limits())
