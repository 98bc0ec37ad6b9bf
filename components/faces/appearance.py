"""What a face looks like, told cheaply: enough to keep people apart who cross, not to know them again.

Colour histograms (Swain and Ballard, 1991, https://doi.org/10.1007/BF00130487) of the upper and of the lower
face. Unlike thumbnails of a few pixels they hardly change as a face turns, talks or moves within its box, and
two people seldom share the colours of skin, hair and beard in both halves.
"""

import cv2
import numpy as np

from components.arrays import Floats32, Image

PATCH = 32  # px to which a face is brought
HISTOGRAM_BINS = 8
RANGES = ((0, 256), (100, 180), (100, 180))
"""Of the channels of CIELAB, as OpenCV scales it to 8 bits; no skin or hair lies further out."""

CHANNEL_WEIGHTS = (0.5, 1.0, 1.0)
"""Of the channels; lightness also changes with the light."""

INSET = 0.1
"""Share of the box's width that is left out at either side, where the background shows; as much of its height
is added above and below, for hair and beard."""

LENGTH = 2 * len(RANGES) * HISTOGRAM_BINS


def looks(frame: Image, boxes: Floats32) -> Floats32:
    """Describes the faces in boxes (N, 4) of an RGB frame: (N, LENGTH)."""
    return np.array([_look(frame, box) for box in boxes], np.float32).reshape(len(boxes), LENGTH)


def unlikeness(some: Floats32, others: Floats32) -> Floats32:
    """Returns how different looks (M, LENGTH) and (N, LENGTH) are: (M, N), 0 where they are the same."""
    return np.asarray(np.linalg.norm(some[:, None] - others[None], axis=2), np.float32)


def _look(frame: Image, box: Floats32) -> Floats32:
    """Cumulative histograms: their distance grows with how far a colour moves, not only that it does."""
    patch = cv2.cvtColor(_patch(frame, box), cv2.COLOR_RGB2LAB)
    halves = (patch[: PATCH // 2], patch[PATCH // 2 :])
    counts = [
        weight * cv2.calcHist([half], [channel], None, [HISTOGRAM_BINS], list(RANGES[channel])).ravel()
        for half in halves
        for channel, weight in enumerate(CHANNEL_WEIGHTS)
    ]
    shares = np.cumsum(counts, axis=1) / (PATCH * PATCH // 2)
    return np.asarray(shares.ravel() / np.sqrt(2), np.float32)


def _patch(frame: Image, box: Floats32) -> Image:
    """PATCH × PATCH samples of a face; aliasing is no harm to a histogram."""
    x1, y1, x2, y2 = (float(value) for value in box)
    width, height = max(x2 - x1, 1.0), max(y2 - y1, 1.0)
    left, top = x1 + INSET * width, y1 - INSET * height
    across, down = (1 - 2 * INSET) * width / PATCH, (1 + 2 * INSET) * height / PATCH
    place = np.array([[across, 0, left + across / 2], [0, down, top + down / 2]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    patch = cv2.warpAffine(frame, place, (PATCH, PATCH), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return patch.astype(np.uint8, copy=False)
