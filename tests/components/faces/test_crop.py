from typing import Any

import numpy as np
import pytest

from components.faces.crop import crop_face

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


def test_shrinking_averages() -> None:
    board = np.zeros((64, 64, 3), np.uint8)
    board[::2, ::2] = board[1::2, 1::2] = 200
    assert (crop_face(board, box(0, 0, 64, 64), 32, 0.0) == 100).all()


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
