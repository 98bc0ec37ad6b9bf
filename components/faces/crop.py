"""Square crops of a frame, exact to a fraction of a pixel.

Where a crop lies is an affine map `(2, 3)` from crop to frame. Both are measured from the outer corner of the
first pixel, so that pixel `i` reaches from `i` to `i + 1`, and a crop from 0 to its `size`.
"""

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from components.arrays import Floats32, Image

Map = NDArray[np.float64]
Border = Literal["edge", "mirror", "black"]

SPARSE = 1.5
"""Pixels of the frame between two samples, at most: from there on, several samples are averaged.

Linear interpolation itself averages two pixels; at this distance it passes as much of the finest detail as
averaging over the area would (0.4 of it, and 0.3).
"""

_BORDERS = {
    "edge": cv2.BORDER_REPLICATE,
    "mirror": cv2.BORDER_REFLECT_101,
    "black": cv2.BORDER_CONSTANT,
}


def crop_face(frame: Image, box: Floats32, size: int, margin: float, border: Border = "edge") -> Image:
    """Cuts a square around a box, centred on it, and resizes it.

    Args:
        frame: RGB (H, W, 3).
        box: x1, y1, x2, y2 in px of the frame; may reach beyond its edges.
        size: side of the result, px.
        margin: by how much the square is larger than the box's longer side, as a share of that.
        border: what lies beyond the frame: its edge repeated, its mirror image, or black.

    Returns:
        RGB (size, size, 3).
    """
    return cut_face(frame, around(box, size, margin), size, border)


def around(box: Floats32, size: int, margin: float) -> Map:
    """Returns where the square around a box lies."""
    x1, y1, x2, y2 = (float(value) for value in box)
    side = max(1.0, max(x2 - x1, y2 - y1) * (1.0 + margin))
    step = side / size
    return np.array([[step, 0.0, (x1 + x2 - side) / 2], [0.0, step, (y1 + y2 - side) / 2]])


def cut_face(frame: Image, place: Map, size: int, border: Border = "edge") -> Image:
    """Returns the crop of `size` px at a place: linear where it enlarges, averaged where it shrinks."""
    step = float(np.hypot(place[0, 0], place[1, 0]))
    halvings = max(0, int(np.ceil(np.log2(step / SPARSE))))
    fine = _sampled(frame, place, size << halvings, 2.0**-halvings, border)
    for halving in reversed(range(halvings)):  # by two each time: OpenCV is fast at nothing else
        half = (size << halving, size << halving)
        fine = cv2.resize(fine, half, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    return fine


def _sampled(frame: Image, place: Map, size: int, step: float, border: Border) -> Image:
    """`size` × `size` samples, `step` px of the crop apart."""
    to_frame = place.copy()
    to_frame[:, :2] *= step
    to_frame[:, 2] += to_frame[:, :2].sum(axis=1) / 2 - 0.5  # OpenCV measures from the first pixel's centre
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    sampled = cv2.warpAffine(frame, to_frame, (size, size), flags=flags, borderMode=_BORDERS[border])
    return sampled.astype(np.uint8, copy=False)
