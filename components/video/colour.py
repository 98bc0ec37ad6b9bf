"""Light and colour of pictures: how much of them there is, and how to do without."""

import cv2
import numpy as np
from numpy.typing import NDArray

from components.arrays import Image

LUMA = np.array([0.299, 0.587, 0.114])
"""Weights of red, green and blue (ITU-R BT.601)."""

MOST_COLOURFUL = 512.0
"""No picture reaches it: each of the two axes of `colourfulness` has a spread of at most 255."""

CAST = 0.5
"""A picture has a cast if its weakest colour has less than this share of the strongest one's light. Lamps and
sunsets stay above, stage lights and night vision do not."""


def brightness(picture: Image) -> float:
    """Means luma of an RGB picture (H, W, 3), as a share of white."""
    return min(1.0, float(_means(picture) @ LUMA / 255))  # the weights' sum is rounded


def colourfulness(picture: Image) -> float:
    """Returns how colourful an RGB picture (H, W, 3) is: 0 is grey, 15 slightly, 45 averagely, 82 highly so.

    M3 of Hasler & Süsstrunk, 2003, Measuring Colourfulness in Natural Images,
    https://doi.org/10.1117/12.477378: how far from grey the colours lie, and how differently.
    """
    red, green, blue = cv2.split(picture.astype(np.float32))
    opponents = np.stack([red - green, (red + green) / 2 - blue]).reshape(2, -1)
    return float(np.linalg.norm(opponents.std(axis=1)) + 0.3 * np.linalg.norm(opponents.mean(axis=1)))


def has_cast(picture: Image) -> bool:
    """Tells whether one colour drowns another in an RGB picture (H, W, 3)."""
    means = _means(picture)
    return bool(means.min() < CAST * means.max())


def without_cast(picture: Image) -> Image:
    """An RGB picture (H, W, 3) in grey: the brightest colour of each pixel, stretched from black to white.

    Of a cast that colour holds nearly all there is to see; luma, or the other colours scaled up, would leave
    a detector less of it.
    """
    brightest = cv2.normalize(picture.max(axis=2), None, 0, 255, cv2.NORM_MINMAX)  # type: ignore[call-overload]
    return np.asarray(cv2.merge([brightest, brightest, brightest]), np.uint8)


def _means(picture: Image) -> NDArray[np.float64]:
    """(3,) of red, green and blue."""
    return np.array(cv2.mean(picture)[:3])
