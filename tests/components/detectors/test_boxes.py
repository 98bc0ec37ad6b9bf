"""Geometry of boxes, by hand."""

from typing import Any

import numpy as np
import pytest

from components.detectors.boxes import (
    Region,
    cut_off,
    found_again,
    overlap,
    overlaps,
    regions,
    regress,
    square,
    suppress,
    suppress_nested,
)

Box = tuple[float, float, float, float]


def boxes(*rows: Box) -> np.ndarray[Any, Any]:
    return np.array(rows, np.float32).reshape(-1, 4)


def test_suppression_keeps_the_best_of_each_heap() -> None:
    heap = boxes((0, 0, 10, 10), (1, 0, 11, 10), (50, 0, 60, 10), (0, 0, 4, 4))
    scores = np.array([0.8, 0.9, 0.7, 0.95], np.float32)
    assert suppress(heap, scores, 0.5).tolist() == [3, 1, 2]
    assert suppress_nested(heap, scores, 0.5).tolist() == [3, 2]
    assert suppress(heap[:0], scores[:0], 0.5).tolist() == suppress_nested(heap[:0], scores[:0], 0.5).tolist()


def test_squares_keep_the_centre() -> None:
    assert square(boxes((0, 0, 10, 20), (0, 0, 8, 2))).tolist() == [[-5, 0, 15, 20], [0, -3, 8, 5]]


def test_regression_moves_corners_by_shares_of_the_side() -> None:
    offsets = boxes((0.1, 0.0, -0.1, 0.5))
    assert np.allclose(regress(boxes((0, 0, 9, 19)), offsets), [[1, 0, 8, 29]])


def test_overlap_is_intersection_over_union() -> None:
    shares = overlaps(boxes((0, 0, 10, 10), (20, 20, 30, 30)), boxes((0, 0, 10, 10), (5, 0, 15, 10)))
    assert np.allclose(shares, [[1, 1 / 3], [0, 0]])
    assert overlaps(boxes(), boxes((0, 0, 1, 1))).shape == (0, 1)
    assert overlaps(boxes((3, 3, 3, 3)), boxes((3, 3, 3, 3))).tolist() == [[0]]  # nothing in nothing


def test_overlap_is_broadcast() -> None:
    some = boxes((0, 0, 10, 10), (5, 0, 15, 10))
    assert np.allclose(overlap(some, some[::-1]), [1 / 3, 1 / 3])
    assert overlap(some[0], some[0]) == 1


@pytest.mark.parametrize(
    ("box", "region"),
    [
        ((40, 40, 60, 60), Region(20, 20, 80, 80, 20)),
        ((40, 45, 60, 55), Region(20, 20, 80, 80, 20)),  # a square around the longer side
        ((0, 0, 20, 20), Region(0, 0, 40, 40, 20)),
        ((90, 60, 110, 80), Region(70, 40, 100, 90, 20)),
    ],
)
def test_a_region_is_three_boxes_wide_and_within_the_picture(box: Box, region: Region) -> None:
    assert regions(boxes(box), 100, 90) == [region]


def test_a_box_beyond_the_picture_has_no_region() -> None:
    assert regions(boxes((300, 0, 310, 10), (-90, 0, -80, 10), (10, 10, 10, 10)), 100, 90) == []
    assert regions(boxes(), 100, 90) == []


@pytest.mark.parametrize(
    ("box", "over"),
    [
        ((25, 25, 75, 75), False),
        ((15, 25, 75, 75), True),
        ((25, 25, 75, 81), True),
        ((25, 25, 110, 75), False),  # over the picture's own right side
    ],
)
def test_a_face_that_an_inner_side_cuts_is_told_from_one_at_the_edge_of_the_picture(
    box: Box, over: bool
) -> None:
    assert cut_off(boxes(box), Region(20, 20, 100, 80, 20), 100, 200).tolist() == [over]


@pytest.mark.parametrize(
    ("now", "again"),
    [
        ([(1, 0, 11, 10), (52, 0, 62, 10)], True),
        ([(1, 0, 11, 10), (52, 0, 62, 10), (90, 90, 99, 99)], True),  # one more does no harm
        ([(1, 0, 11, 10)], False),
        ([(1, 0, 11, 10), (70, 0, 80, 10)], False),
        ([], False),
    ],
)
def test_every_face_has_to_be_found_again(now: list[Box], again: bool) -> None:
    assert found_again(boxes((0, 0, 10, 10), (50, 0, 60, 10)), boxes(*now)) is again


def test_one_face_is_not_two_faces_found_again() -> None:
    crossing = boxes((0, 0, 10, 10), (2, 0, 12, 10))
    assert not found_again(crossing, boxes((1, 0, 11, 10), (50, 0, 60, 10)))
    assert found_again(crossing, crossing)
