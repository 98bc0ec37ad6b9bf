"""Glasses, laid over the eyes."""

import cv2
import numpy as np

from sample import geometry
from sample.geometry import EXTENT, EYE_Y, RESOLUTION, SIZE
from sample.person import Person
from sample.texture import Raster

_OVERSAMPLING = 4
_POWER = {"round": 2.2, "square": 5.0}
"""Exponent of the rim's superellipse."""


def paint_glasses(person: Person) -> Raster | None:
    """Colour times coverage and coverage (SIZE, SIZE, 4), or None for someone without glasses."""
    if person.glasses == "none":
        return None
    rng = np.random.default_rng([*person.seed, 2])
    lines = np.zeros((SIZE * _OVERSAMPLING,) * 2, np.uint8)
    width = int(rng.integers(6, 14))
    for side in (-1, 1):
        _line(lines, _rim(person, side), width)
        temple = [
            (side * (person.eye_spacing + 0.27), EYE_Y - 0.05),
            (side * (person.face_width + 0.05), EYE_Y - 0.08),
        ]
        _line(lines, np.array(temple), max(4, width - 3))
    bridge = np.linspace(-1, 1, 9)
    _line(
        lines,
        np.stack([bridge * (person.eye_spacing - 0.27), EYE_Y - 0.06 - 0.04 * (1 - bridge**2)], 1),
        width,
    )
    cover = cv2.resize(lines, (SIZE, SIZE), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    frame = np.asarray(rng.uniform(0.01, 0.16, 3) * rng.choice([0.3, 1.0, 2.0]), np.float32)
    return _with_lenses(person, cover, frame)


def _with_lenses(person: Person, cover: Raster, frame: Raster) -> Raster:
    """Adds lenses that reflect a little light."""
    u, v = geometry.grid()
    across, down = (np.abs(u) - person.eye_spacing) / 0.28, (v - EYE_Y - 0.02) / 0.22
    lens = np.clip((1 - across**2 - down**2) * 8, 0, 1) * (0.05 + 0.09 * np.clip(-down - 0.4 * across, 0, 1))
    glare = lens * (1 - cover)
    colour = cover[..., None] * frame + glare[..., None] * np.float32(0.8)
    return np.dstack([colour, cover + glare]).astype(np.float32)


def _rim(person: Person, side: int) -> np.ndarray:
    turn = np.linspace(0, 2 * np.pi, 60)
    power = 2 / _POWER[person.glasses]
    across = np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** power * 0.28
    down = np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** power * 0.21
    return np.stack([side * person.eye_spacing + across, EYE_Y + 0.02 + down], axis=1)


def _line(canvas: np.ndarray, points: np.ndarray, width: int) -> None:
    pixels = ((points + EXTENT) * RESOLUTION * _OVERSAMPLING * 16).astype(np.int32)
    cv2.polylines(canvas, [pixels], False, 255, width, cv2.LINE_AA, 4)
