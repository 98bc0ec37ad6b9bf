from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import pytest

from components.faces.crop import Border, crop_face

# Every pixel tells its place: red its column, green its row.
FRAME = np.dstack(
    [
        *np.meshgrid(np.arange(100, dtype=np.uint8), np.arange(80, dtype=np.uint8)),
        np.zeros((80, 100), np.uint8),
    ]
)


def box(*corners: float) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.array(corners, np.float32)


def test_without_margin_and_scale_the_pixels_are_the_frames_own() -> None:
    assert np.array_equal(crop_face(FRAME, box(20, 10, 52, 42), 32, 0.0), FRAME[10:42, 20:52])


def test_the_margin_is_a_share_of_the_side_and_the_centre_stays() -> None:
    assert np.array_equal(crop_face(FRAME, box(30, 20, 62, 52), 48, 0.5), FRAME[12:60, 22:70])


def test_a_tall_box_becomes_a_square_of_its_longer_side() -> None:
    assert np.array_equal(crop_face(FRAME, box(30, 10, 40, 50), 40, 0.0), FRAME[10:50, 15:55])


def test_beyond_the_frame_its_edge_is_repeated() -> None:
    crop = crop_face(FRAME, box(-10, -10, 22, 22), 32, 0.0)
    assert np.array_equal(crop[10:, 10:], FRAME[:22, :22])
    assert (crop[:10, :10] == FRAME[0, 0]).all()
    crop = crop_face(FRAME, box(80, 60, 112, 92), 32, 0.0)
    assert np.array_equal(crop[:20, :20], FRAME[60:, 80:])
    assert (crop[20:, 20:] == FRAME[-1, -1]).all()


@pytest.mark.parametrize(
    ("border", "beyond"),
    [("edge", [0, 0, 0, 0]), ("mirror", [4, 3, 2, 1]), ("black", [0, 0, 0, 0])],
)
def test_what_lies_beyond_the_frame(border: Border, beyond: list[int]) -> None:
    crop = crop_face(FRAME + 7 * np.uint8(border != "mirror"), box(-4, 20, 28, 52), 32, 0.0, border)
    expected = [7] * 4 if border == "edge" else beyond
    assert crop[5, :4, 0].tolist() == expected
    assert crop[5, 4, 0] == (0 if border == "mirror" else 7)


@pytest.mark.parametrize("shift", [0.25, 0.5, 0.75])
@pytest.mark.parametrize("side", [12, 16, 22, 32, 44])
def test_a_crop_moves_by_fractions_of_a_pixel(shift: float, side: int) -> None:
    """On a ramp of four grey levels a pixel, brightness tells the place."""
    ramp = np.tile(np.arange(0, 256, 4, dtype=np.uint8)[None, :, None], (64, 1, 3))
    still, moved = (
        crop_face(ramp, box(8 + x, 8, 8 + x + side, 8 + side), 16, 0.0)[..., 0].mean() for x in (0, shift)
    )
    assert moved - still == pytest.approx(4 * shift, abs=0.3)  # brightness is whole numbers
    assert still == pytest.approx(4 * (8 + side / 2 - 0.5), abs=0.5)


def test_crops_do_not_jump_where_boxes_creep() -> None:
    picture = cv2.GaussianBlur(np.random.default_rng(3).integers(0, 256, (200, 200, 3), np.uint8), (0, 0), 3)
    crops = [
        crop_face(picture, box(50 + x, 50, 120 + x, 120), 64, 0.3).astype(float)
        for x in np.arange(0, 2, 0.125)
    ]
    steps = [np.abs(after - before).mean() for before, after in pairwise(crops)]
    assert max(steps) < 2 * np.mean(steps)


def test_shrinking_averages() -> None:
    board = np.zeros((64, 64, 3), np.uint8)
    board[::2, ::2] = board[1::2, 1::2] = 200
    assert (crop_face(board, box(0, 0, 64, 64), 32, 0.0) == 100).all()


@pytest.mark.parametrize("side", [41, 70, 96, 150, 230])
def test_shrinking_looks_like_averaging_over_areas(side: int) -> None:
    noise = np.random.default_rng(5).integers(0, 256, (240, 240, 3), np.uint8)
    picture = cv2.GaussianBlur(noise, (0, 0), 1)
    crop = crop_face(picture, box(4, 4, 4 + side, 4 + side), 32, 0.0)
    area = cv2.resize(picture[4 : 4 + side, 4 : 4 + side], (32, 32), interpolation=cv2.INTER_AREA)
    difference = np.abs(crop.astype(float) - area).mean()
    assert difference < 0.25 * np.abs(area - area.mean()).mean()


def test_enlarging_shows_no_blocks() -> None:
    crop = crop_face(FRAME, box(20, 20, 36, 36), 64, 0.0)
    steps = np.diff(crop[32, :, 0].astype(int))
    assert steps.min() >= 0
    assert steps.max() == 1
    assert np.count_nonzero(steps) >= 14


@pytest.mark.parametrize("corners", [(5, 5, 5, 5), (200, 200, 260, 260), (-50, -50, 300, 300)])
def test_odd_boxes_still_yield_a_crop(corners: tuple[float, ...]) -> None:
    crop = crop_face(FRAME, box(*corners), 32, 0.3)
    assert crop.shape == (32, 32, 3)
    assert crop.dtype == np.uint8
