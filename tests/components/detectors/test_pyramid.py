"""Sizes of a picture, and what is cut out of them."""

import numpy as np
import pytest

from components.detectors.pyramid import build_pyramid, cut_candidates, resize, scales, shrink_to


def test_scales_end_where_the_picture_is_smaller_than_a_cell() -> None:
    assert scales(48, 24, 0.5) == [0.5, 0.25]
    assert scales(23, 24, 0.5) == []


def test_levels_fall_by_the_factor() -> None:
    levels = build_pyramid(np.zeros((100, 200, 3), np.uint8), smallest=24, factor=0.5)
    assert [level.image.shape[:2] for level in levels] == [(100, 200), (51, 101), (26, 51), (13, 26)]
    assert [level.scale for level in levels] == [1, 0.5, 0.25, 0.125]


@pytest.mark.parametrize(
    ("size", "longest_side", "expected"),
    [((100, 50), 200, (100, 50)), ((1920, 1080), 640, (640, 360)), ((1, 5000), 100, (1, 100))],
)
def test_only_larger_pictures_shrink(
    size: tuple[int, int], longest_side: int, expected: tuple[int, int]
) -> None:
    width, height = size
    assert shrink_to(np.zeros((height, width, 3), np.uint8), longest_side).shape[1::-1] == expected


def test_fine_patterns_are_averaged_where_much_is_left_out() -> None:
    stripes = np.zeros((120, 120, 3), np.uint8)
    stripes[:, ::2] = 200
    assert np.ptp(resize(stripes, 24, 24)) <= 40  # a fifth of each stripe at most; sampled, it would be 200


@pytest.mark.parametrize("side", [24, 48])
def test_crops_show_the_same_whatever_level_they_are_cut_from(side: int) -> None:
    ramp = np.linspace(0, 255, 480, dtype=np.float32)
    image = np.stack([np.broadcast_to(ramp, (300, 480)), np.broadcast_to(ramp[:300, None], (300, 480))], 2)
    image = np.dstack([image, image[:, :, 0]]).astype(np.uint8)
    levels = build_pyramid(image, smallest=20, factor=0.6)
    boxes = np.array([[41, 31, 240, 230], [1, 1, 480, 300], [101, 51, 160, 110]], np.float32)
    kept, crops = cut_candidates(levels, boxes, side)
    assert kept.tolist() == boxes.tolist()
    for (x1, y1, x2, y2), crop in zip(boxes.astype(int), crops, strict=True):
        direct = resize(image[y1 - 1 : y2, x1 - 1 : x2], side, side).astype(int)
        assert np.abs(crop - direct).max() <= 5  # half a pixel of the level


def test_boxes_are_clipped_and_those_beyond_are_left_out() -> None:
    image = np.full((40, 60, 3), 7, np.uint8)
    levels = build_pyramid(image, smallest=20, factor=0.6)
    boxes = np.array([[-30, -30, 10, 10], [70, 5, 90, 25], [50, 30, 80, 60]], np.float32)
    kept, crops = cut_candidates(levels, boxes, 24)
    assert kept.tolist() == boxes[[0, 2]].tolist()
    assert (crops == 7).all()
    assert cut_candidates(levels, boxes[:0], 24)[1].shape == (0, 24, 24, 3)
