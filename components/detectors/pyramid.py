"""A picture at falling sizes, and squares cut out of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from components.arrays import Floats32, Image

CELL = 12
"""Side of the squares that PNet, the first network of MTCNN, looks at, px."""


@dataclass(frozen=True)
class Level:
    """A picture at one size."""

    image: Image
    scale: float  # by which coordinates of the picture are multiplied


def scales(shorter_side: int, smallest: float, factor: float) -> list[float]:
    """Scales at which faces from `smallest` px to that of the picture's shorter side fill a cell."""
    factors = [CELL / smallest]
    while shorter_side * factors[-1] >= CELL:
        factors.append(factors[-1] * factor)
    return factors[:-1]


def build_pyramid(image: Image, smallest: float, factor: float) -> list[Level]:
    """The picture itself, then its levels; each is made from the one before, which costs half as much."""
    height, width = image.shape[:2]
    levels = [Level(image, 1.0)]
    for scale in scales(min(height, width), smallest, factor):
        size = (int(width * scale + 1), int(height * scale + 1))
        levels.append(Level(resize(levels[-1].image, *size), scale))
    return levels


def shrink_to(image: Image, longest_side: int) -> Image:
    """Returns a picture of at most this size, px."""
    height, width = image.shape[:2]
    scale = longest_side / max(height, width)
    if scale >= 1:
        return image
    return resize(image, max(1, round(width * scale)), max(1, round(height * scale)))


def resize(image: Image, width: int, height: int) -> Image:
    """Average areas where it shrinks to less than half; otherwise interpolate, which is five times faster."""
    far = image.shape[1] > 2 * width or image.shape[0] > 2 * height
    method = cv2.INTER_AREA if far else cv2.INTER_LINEAR
    return cv2.resize(image, (width, height), interpolation=method).astype(np.uint8, copy=False)


def cut_candidates(levels: Sequence[Level], boxes: Floats32, side: int) -> tuple[Floats32, Image]:
    """Cuts boxes out of the smallest level that shows them at `side` px or more.

    Args:
        levels: of which the first is the picture itself.
        boxes: (N, 4) px of the picture, counted from 1 as facenet-pytorch does; clipped to the picture.
        side: of the crops, px.

    Returns:
        The boxes that lie in the picture, (M, 4), and their crops (M, side, side, 3).
    """
    height, width = levels[0].image.shape[:2]
    corners = boxes.astype(np.int64)  # towards zero, as facenet-pytorch
    low = np.maximum(corners[:, :2], 1) - 1
    high = np.minimum(corners[:, 2:], [width, height])
    inside = (high > low).all(axis=1)
    low, high = low[inside], high[inside]
    ratios = np.array([[level.image.shape[1] / width, level.image.shape[0] / height] for level in levels])
    large = (high - low).max(axis=1)[:, None] * ratios.min(axis=1) >= side  # (M, levels)
    chosen = np.maximum(large.sum(axis=1) - 1, 0)
    low = np.rint(low * ratios[chosen]).astype(np.int64)
    high = np.maximum(np.rint(high * ratios[chosen]).astype(np.int64), low + 1)
    crops = np.empty((len(low), side, side, 3), np.uint8)
    for index, (level, (x1, y1), (x2, y2)) in enumerate(
        zip(chosen.tolist(), low.tolist(), high.tolist(), strict=True)
    ):
        crops[index] = resize(levels[level].image[y1:y2, x1:x2], side, side)
    return boxes[inside], crops
