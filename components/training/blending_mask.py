"""Where a face lies in its crops, and the soft outline along which another picture of it is blended in.

All is drawn once, in coordinates of the face itself, and laid onto each frame by that frame's landmarks.
So it keeps its shape through a clip, and follows the face.

Coordinates of the face: the origin lies midway between eyes and mouth, x points along the eyes to the right
of the picture, y down to the chin, and from eyes to mouth it is 1. The chin lies at about 1.1, the hairline
at -1.4, and the cheeks at ±0.9.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from components.arrays import Floats32, Floats64
from components.faces.align import TEMPLATE

MASK_REACH = 2.0
"""Half the side of the square, in coordinates of the face, in which outlines and displacements are drawn."""

NARROWEST, LEANING = 0.65, 0.25
"""Of a face that is turned away: its width as a share of its height, at least, and its shear, at most. In a
profile the five points nearly lie on a line, and say little about where the cheek ends."""

TURNED, FARTHEST_BEHIND = 0.8, 0.3
"""How far the middle of a face that is turned away lies behind that of its eyes and mouth: beside how far the
nose lies before it, and at most."""

BOX_HEIGHT, BOX_MIDDLE = 2.7, -0.18
"""A detector's box in coordinates of the face: its longer side, and how far its middle is down."""


SIZES, FARTHEST = (0.4, 2.0), 1.5
"""Of a face by its landmarks, beside one that fills its box: how large it may be, and how far away. Landmarks
beyond that are a detector's mistake."""


@dataclass(frozen=True)
class Outline:
    """An egg in coordinates of the face."""

    top: float
    bottom: float
    width: float  # half of it


OUTLINES = {
    "brow to chin": (0.4, Outline(-0.95, 1.1, 0.85)),
    "hairline to chin": (0.2, Outline(-1.4, 1.1, 0.9)),
    "eyes, nose and mouth": (0.2, Outline(-0.75, 0.85, 0.62)),
    "mouth and jaw": (0.1, Outline(0.0, 1.1, 0.72)),
    "eyes and brows": (0.1, Outline(-0.95, 0.2, 0.8)),
}
"""What forgeries replace, and how often each is drawn."""


def face_maps(landmarks: Floats32, boxes: Floats32) -> Floats64:
    """Returns where a face lies: of each frame the affine map from coordinates of the face to px of the crop.

    Args:
        landmarks: (T, 5, 2) px of the crop: eyes, nose, corners of the mouth. Without a mouth the face is
            upright to its eyes; without eyes it lies between where it is in the frames before and after.
        boxes: (T, 4) px of the crop, which decide where no frame of the clip has landmarks that fit them.

    Returns:
        (T, 2, 3).
    """
    maps, of_boxes = _of_points(landmarks.astype(np.float64)), _of_boxes(boxes.astype(np.float64))
    known = _plausible(maps, of_boxes)
    if not known.any():
        return of_boxes
    frames = np.arange(len(maps))
    rows = maps.reshape(len(maps), 6)
    filled = [np.interp(frames, frames[known], numbers[known]) for numbers in rows.T]
    return np.stack(filled, axis=1).reshape(maps.shape)


def _of_points(points: Floats64) -> Floats64:
    """(T, 2, 3) of landmarks (T, 5, 2); not numbers where there are no eyes, or all lies in one point."""
    eye_distance, mouth_width, height = _proportions()
    eyes, eye_line = points[:, :2].mean(axis=1), points[:, 1] - points[:, 0]
    mouth, mouth_line = points[:, 3:].mean(axis=1), points[:, 4] - points[:, 3]
    upright = np.stack([-eye_line[:, 1], eye_line[:, 0]], axis=1) * (height / eye_distance)
    no_mouth = ~np.isfinite(mouth + mouth_line).all(axis=1, keepdims=True)
    down = np.where(no_mouth, upright, mouth - eyes)
    both = (eye_line + mouth_line) / (eye_distance + mouth_width)
    across = np.where(no_mouth, eye_line / eye_distance, both) * height
    axes = _steadied(across, down)
    middle = eyes + down / 2
    return np.stack([*axes, middle + _behind(points[:, 2] - middle, *axes)], axis=2)


def _behind(nose: Floats64, across: Floats64, down: Floats64) -> Floats64:
    """(T, 2): by how much a turned face reaches further to the side that its nose (T, 2) points away from."""
    width, height = (np.linalg.norm(axis, axis=1, keepdims=True) for axis in (across, down))
    aside = across / width
    offset = np.nan_to_num((nose * aside).sum(axis=1, keepdims=True))
    most = FARTHEST_BEHIND * height
    return np.asarray(np.clip(-TURNED * offset, -most, most) * aside)


def _plausible(maps: Floats64, of_boxes: Floats64) -> NDArray[np.bool_]:
    """(T,): which maps of landmarks are about where, and about as large as, their boxes say."""
    unit = of_boxes[:, 0, 0]
    ratio = np.linalg.norm(maps[:, :, 1], axis=1) / unit  # of the way from eyes to mouth
    away = np.abs(maps[:, :, 2] - of_boxes[:, :, 2]).max(axis=1) / unit
    return np.asarray(
        (ratio >= SIZES[0]) & (ratio <= SIZES[1]) & (away <= FARTHEST)
    )  # no for what is no number


def _proportions() -> tuple[float, float, float]:
    """Measures the template's face: from eye to eye, across the mouth, and from eyes to mouth."""
    eyes, mouth = TEMPLATE[:2], TEMPLATE[3:]
    height = float(np.linalg.norm(mouth.mean(axis=0) - eyes.mean(axis=0)))
    return float(np.ptp(eyes[:, 0])), float(np.ptp(mouth[:, 0])), height


def _steadied(across: Floats64, down: Floats64) -> tuple[Floats64, Floats64]:
    """Returns both axes (T, 2) of a face, neither much shorter than the other, nor far from a right angle."""
    width, height = (np.linalg.norm(axis, axis=1, keepdims=True) for axis in (across, down))
    with np.errstate(invalid="ignore", divide="ignore"):
        along = down / height
    height = np.maximum(height, NARROWEST * width)
    aside = np.stack([along[:, 1], -along[:, 0]], axis=1)
    width, lean = ((across * axis).sum(axis=1, keepdims=True) for axis in (aside, along))
    width = np.where(width < 0, -1, 1) * np.clip(np.abs(width), NARROWEST * height, height / NARROWEST)
    return width * aside + np.clip(lean, -LEANING * height, LEANING * height) * along, height * along


def _of_boxes(boxes: Floats64) -> Floats64:
    """Returns (T, 2, 3) of upright faces in boxes (T, 4)."""
    low, high = boxes[:, :2], boxes[:, 2:]
    unit = (high - low).max(axis=1) / BOX_HEIGHT
    maps = np.zeros((len(boxes), 2, 3))
    maps[:, 0, 0] = maps[:, 1, 1] = unit
    maps[:, :, 2] = (low + high) / 2 - 0.5  # from the outer corner of the first pixel to its centre
    maps[:, 1, 2] -= BOX_MIDDLE * unit
    return maps


def canvas_map(side: int) -> Floats64:
    """Returns (2, 3) from pixels of a drawing, `side` px wide, to coordinates of the face."""
    step = 2 * MASK_REACH / side
    return np.array([[step, 0.0, step / 2 - MASK_REACH], [0.0, step, step / 2 - MASK_REACH]])


def followed_by(first: Floats64, second: Floats64) -> Floats64:
    """Returns one affine map (2, 3) after another."""
    joined: Floats64 = second @ np.vstack([first, [0.0, 0.0, 1.0]])
    return joined


def draw_mask(generator: np.random.Generator, side: int) -> Floats32:
    """Draws how much of a face is replaced where, 0…1, (side, side) over the square of `MASK_REACH`.

    The outline is waved, which is what an elastic deformation does to a mask's edge, and blurred.
    """
    shares, outlines = zip(*OUTLINES.values(), strict=True)
    outline = outlines[int(generator.choice(len(outlines), p=shares))]
    softness = float(np.exp(generator.uniform(np.log(0.03), np.log(0.2))))
    contour = _contour(outline, generator) * (1 - softness * generator.uniform(0, 0.5))
    to_pixels = cv2.invertAffineTransform(canvas_map(side))
    points = contour @ to_pixels[:, :2].T + to_pixels[:, 2]
    mask = np.zeros((side, side), np.uint8)
    fraction = 4  # bits after the point
    cv2.fillPoly(mask, [np.rint(points * 2**fraction).astype(np.int32)], 255, cv2.LINE_AA, fraction)
    blurred = cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), softness * side / (2 * MASK_REACH))
    return np.asarray(blurred, np.float32)


def _contour(outline: Outline, generator: np.random.Generator) -> Floats64:
    """Returns (N, 2) points around an egg, waved and stretched."""
    angles = np.linspace(0, 2 * np.pi, 96, endpoint=False)
    roundness = 2 / generator.uniform(2.0, 2.8)  # 1: an ellipse; less: closer to a rectangle
    x, y = (np.sign(turn) * np.abs(turn) ** roundness for turn in (np.cos(angles), np.sin(angles)))
    x = x * (1 - generator.uniform(0.0, 0.2) * y)  # narrower at the chin
    orders = np.arange(2, 7)
    heights = generator.normal(0, 0.07, len(orders)) / np.sqrt(orders)
    phases = generator.uniform(0, 2 * np.pi, len(orders))
    waves = 1 + (heights[:, None] * np.cos(orders[:, None] * angles + phases[:, None])).sum(axis=0)
    stretch = generator.uniform(0.88, 1.08, 2)
    halves = np.array([outline.width, (outline.bottom - outline.top) / 2]) * stretch
    points = np.stack([x, y], axis=1) * waves[:, None] * halves
    return np.asarray(points + np.array([0.0, (outline.top + outline.bottom) / 2]), np.float64)
