"""Square crops around a face box."""

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]


def crop_face(frame: Image, box: Floats, size: int, margin: float) -> Image:
    """Cut a square around a box, centred on it, and resize it.

    Args:
        frame: RGB (H, W, 3).
        box: x1, y1, x2, y2 in px of the frame; may reach beyond its edges, where the edge is repeated.
        size: side of the result, px.
        margin: by how much the square is larger than the box's longer side, as a share of that.

    Returns:
        RGB (size, size, 3).
    """
    side = max(1, round(float(max(box[2] - box[0], box[3] - box[1])) * (1.0 + margin)))
    left, top = (round(float(low + high - side) / 2) for low, high in ((box[0], box[2]), (box[1], box[3])))
    square = _cut(frame, left, top, side)
    method = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR  # area averaging shows blocks when enlarging
    return cv2.resize(square, (size, size), interpolation=method).astype(np.uint8, copy=False)


def _cut(frame: Image, left: int, top: int, side: int) -> Image:
    """A square that may reach beyond the frame, where the frame's edge is repeated."""
    rows = np.clip(np.arange(top, top + side), 0, frame.shape[0] - 1)
    columns = np.clip(np.arange(left, left + side), 0, frame.shape[1] - 1)
    return frame[rows[:, None], columns]
