"""Where boxes and landmarks lie in the crops: what a clip holds in px of the video, in px of its crops."""

import numpy as np

from components.arrays import Floats32
from components.faces.align import on_template
from components.faces.crop import Map, around
from components.faces.policy import CropPolicy


def crop_place(box: Floats32, landmarks: Floats32, policy: CropPolicy) -> Map:
    """Returns where a crop was cut, (2, 3) from crop to frame, as in `components.faces.crop`.

    A clip's boxes and landmarks are those that its crops were cut by, smoothed and filled in already.

    Args:
        box: (4,) of a clip, px of the upright video.
        landmarks: (5, 2) of the same frame, px of the upright video; NaN where they are not known.
        policy: the clip's.
    """
    margin = 0.0 if not policy.detector.looks else policy.margin
    place = on_template(landmarks, box, policy.size, margin) if policy.align == "landmarks" else None
    return around(box, policy.size, margin) if place is None else place


def in_crop(boxes: Floats32, landmarks: Floats32, policy: CropPolicy) -> tuple[Floats32, Floats32]:
    """Returns boxes and landmarks of a clip in px of its crops.

    Where a crop was turned, its box becomes the upright one of the same middle and sides.

    Not for clips with `Faces.fallback`, which are the middle of the frame whatever the margin.

    Args:
        boxes: (T, 4) x1, y1, x2, y2 in px of the upright video, measured from its outer corner.
        landmarks: (T, 5, 2) in px of the upright video, measured from its first pixel's centre; NaN: unknown.
        policy: by which the clip was cut.

    Returns:
        The same in px of the crops, measured in the same way: boxes (T, 4), landmarks (T, 5, 2).
    """
    placed = [_placed(box, points, policy) for box, points in zip(boxes, landmarks, strict=True)]
    own_boxes, own_landmarks = zip(*placed, strict=True)
    return np.stack(own_boxes), np.stack(own_landmarks)


def _placed(box: Floats32, points: Floats32, policy: CropPolicy) -> tuple[Floats32, Floats32]:
    """Returns a box (4,) and landmarks (5, 2) in px of the crop."""
    place = crop_place(box, points, policy)
    step = float(np.hypot(place[0, 0], place[1, 0]))
    to_crop = np.linalg.inv(place[:, :2])
    corners = box.astype(np.float64).reshape(2, 2)
    middle = to_crop @ (corners.mean(axis=0) - place[:, 2])
    half = (corners[1] - corners[0]) / step / 2
    own_points = (points + 0.5 - place[:, 2]) @ to_crop.T - 0.5  # a place counts from the outer corner
    return np.hstack([middle - half, middle + half]).astype(np.float32), own_points.astype(np.float32)
