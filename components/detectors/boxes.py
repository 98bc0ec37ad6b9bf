"""Geometry of face boxes: arrays (…, 4) of x1, y1, x2, y2 in pixels. Pure functions."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from components.arrays import Floats32

SEARCH_REACH = 3.0
"""Side of the square around a box in which its face is looked for again, in sides of the box."""

SAME = 0.3
"""Intersection over union from which on two boxes a moment apart are of the same face."""


@dataclass(frozen=True)
class Region:
    """A part of a picture."""

    x1: int
    y1: int
    x2: int
    y2: int
    side: float  # of the box that it was drawn around


def square(boxes: Floats32) -> Floats32:
    """Returns the smallest squares with the boxes' centres that hold them."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    halves = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True, initial=0.0) / 2
    return np.hstack([centres - halves, centres + halves])


def regress(boxes: Floats32, offsets: Floats32) -> Floats32:
    """Moves each corner by its offset, in sides of the box, whose last pixel counts as in facenet-pytorch."""
    return boxes + offsets * np.tile(boxes[:, 2:] - boxes[:, :2] + 1, 2)


def overlap(some: Floats32, others: Floats32) -> Floats32:
    """Returns the intersection over union of boxes (…, 4) and (…, 4), whose leading axes are broadcast."""
    low = np.maximum(some[..., :2], others[..., :2])
    high = np.minimum(some[..., 2:], others[..., 2:])
    shared = _areas(low, high)
    union = _areas(some[..., :2], some[..., 2:]) + _areas(others[..., :2], others[..., 2:]) - shared
    return np.asarray(shared / np.maximum(union, 1e-6), np.float32)


def overlaps(a: Floats32, b: Floats32) -> Floats32:
    """Returns the intersection over union (N, M) of each box of (N, 4) with each of (M, 4)."""
    return overlap(a[:, None], b[None])


def _areas(low: Floats32, high: Floats32) -> Floats32:
    return np.asarray(np.maximum(high - low, 0).prod(axis=-1))


def suppress(boxes: Floats32, scores: Floats32, threshold: float) -> NDArray[np.intp]:
    """Non-maximum suppression by intersection over union; indices to keep, best first."""
    rectangles = np.hstack([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]])
    return np.array(cv2.dnn.NMSBoxes(rectangles.tolist(), scores.tolist(), 0.0, threshold), np.intp)


def suppress_nested(boxes: Floats32, scores: Floats32, threshold: float) -> NDArray[np.intp]:
    """Non-maximum suppression by intersection over the smaller box; indices to keep, best first."""
    areas = (boxes[:, 2:] - boxes[:, :2] + 1).prod(axis=1)
    order = np.argsort(-scores, kind="stable")
    keep: list[int] = []
    while order.size:
        best, rest = order[0], order[1:]
        keep.append(int(best))
        sides = (
            np.minimum(boxes[best, 2:], boxes[rest, 2:]) - np.maximum(boxes[best, :2], boxes[rest, :2]) + 1
        )
        share = np.maximum(sides, 0).prod(axis=1) / np.minimum(areas[best], areas[rest])
        order = rest[share <= threshold]
    return np.array(keep, np.intp)


def regions(boxes: Floats32, width: int, height: int) -> list[Region]:
    """The parts of a picture around boxes, `SEARCH_REACH` boxes wide, without those beyond its edges."""
    sides = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, initial=0.0)
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    around = np.tile(centres, 2) + np.outer(sides, [-1, -1, 1, 1]) * (SEARCH_REACH / 2)
    corners = np.clip(np.rint(around), 0, [width, height, width, height]).astype(int).tolist()
    return [
        Region(x1, y1, x2, y2, float(side))
        for (x1, y1, x2, y2), side in zip(corners, sides, strict=True)
        if x1 < x2 and y1 < y2
    ]


def cut_off(boxes: Floats32, region: Region, width: int, height: int) -> NDArray[np.bool_]:
    """Which boxes (N,), px of the picture, reach over a side of the region that is not the picture's own."""
    low = boxes[:, :2] < [region.x1, region.y1]
    high = boxes[:, 2:] > [region.x2, region.y2]
    inner_low = np.array([region.x1 > 0, region.y1 > 0])
    inner_high = np.array([region.x2 < width, region.y2 < height])
    over: NDArray[np.bool_] = ((low & inner_low) | (high & inner_high)).any(axis=1)
    return over


def found_again(before: Floats32, now: Floats32) -> bool:
    """Returns whether each of the boxes (M, 4) has one of its own among those (N, 4) of a moment later."""
    if len(now) < len(before):
        return False
    shares = overlaps(before, now)
    nearest = shares.argmax(axis=1)
    return bool((shares.max(axis=1) >= SAME).all() and len(set(nearest.tolist())) == len(before))
