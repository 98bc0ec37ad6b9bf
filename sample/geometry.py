"""The shape of a head and where its points land in the picture.

The face is painted frontally on a square canvas. A depth map over the same canvas gives the normals for the
light, and turns a pose into the canvas point that each picture point shows.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sample.person import Person
from sample.texture import Raster, bump, paired

EXTENT = 2.0
"""The canvas spans −EXTENT … EXTENT head units in both directions."""
RESOLUTION = 64
"""Canvas pixels per head unit."""
SIZE = int(2 * EXTENT * RESOLUTION)
CROWN = 1.45
"""Height of the skull above the origin, head units."""
EYE_Y = -0.17
_PIVOT = 0.2  # depth of the axis the head turns about
_STEPS = 4


@dataclass(frozen=True)
class Pose:
    """Where a head is in the picture and how it is turned."""

    yaw: float  # radians, positive turns to the picture's right
    pitch: float  # radians, positive looks down
    roll: float  # radians, positive tilts clockwise
    x: float  # centre, px
    y: float  # centre, px
    scale: float  # px per head unit

    def rotation(self) -> NDArray[np.float32]:
        """Returns the (3, 3) matrix from head to camera axes."""
        cy, sy, cp, sp = np.cos(self.yaw), np.sin(self.yaw), np.cos(self.pitch), np.sin(self.pitch)
        cr, sr = np.cos(self.roll), np.sin(self.roll)
        yaw = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
        pitch = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
        roll = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
        return np.asarray(roll @ pitch @ yaw, np.float32)


def grid(oversampling: int = 1) -> tuple[Raster, Raster]:
    """Head coordinates (u, v) of the canvas's pixel centres, each (SIZE·k, SIZE·k)."""
    steps = (np.arange(SIZE * oversampling, dtype=np.float32) + 0.5) / (RESOLUTION * oversampling) - EXTENT
    u, v = np.meshgrid(steps, steps)
    return u, v


def half_width(person: Person, v: Raster) -> Raster:
    """Returns half the face's width at height `v`; 0 above the crown and below the chin."""
    upper = np.sqrt(np.clip(1 - (v / CROWN) ** 2, 0, 1))
    jaw = np.clip(1 - (np.clip(v, 0, None) / person.chin) ** person.jaw, 0, 1)
    return person.face_width * np.where(v < 0, upper, jaw**0.55).astype(np.float32)


def depth(person: Person, u: Raster, v: Raster) -> Raster:
    """Returns how far each point of the face stands out, head units; about 1 at the middle of the face."""
    z = _skull(u, v)
    z += _nose(person, u, v)
    z += 0.075 * paired(u, v, (0.34, person.brow_height + 0.07), (0.26, 0.09))
    z -= 0.13 * paired(u, v, (person.eye_spacing, EYE_Y - 0.02), (0.2, 0.13))
    z += 0.075 * paired(u, v, (person.eye_spacing, EYE_Y), (0.15, 0.09))
    z += 0.07 * paired(u, v, (0.56, 0.2), (0.22, 0.18))
    z += 0.06 * bump(u, v, (0, 0.63), (0.27, 0.12))
    z -= 0.035 * bump(u, v, (0, 0.84), (0.2, 0.05))
    z += 0.09 * bump(u, v, (0, person.chin - 0.2), (0.22, 0.12))
    return z


def _skull(u: Raster, v: Raster) -> Raster:
    """Returns a paraboloid that grows no steeper outside the face, so that every pose can be inverted."""
    distance = (u / 1.12) ** 2 + ((v + 0.05) / 1.5) ** 2
    return 1.0 - 0.72 * np.where(distance < 1, distance**1.15, 2.3 * np.sqrt(np.maximum(distance, 1)) - 1.3)


def _nose(person: Person, u: Raster, v: Raster) -> Raster:
    tip, width = person.nose_length, person.nose_width
    along = np.clip((v + 0.3) / (tip + 0.3), 0, 1)
    end = 1 / (1 + np.exp((v - tip - 0.05) / 0.028))
    ridge = (0.05 + 0.2 * along**1.3) * np.exp(-0.5 * (u / ((0.08 + 0.05 * along) * width)) ** 2) * end
    ridge *= 1 / (1 + np.exp(-(v + 0.32) / 0.05))
    wings = 0.09 * paired(u, v, (0.14 * width, tip + 0.005), (0.055 * width, 0.06))
    return ridge + wings + 0.09 * bump(u, v, (0, tip - 0.03), (0.1 * width, 0.09))


def normals(z: Raster, softness: float = 1.0) -> Raster:
    """Unit normals (H, W, 3) of a canvas depth map; x right, y down, z towards the camera."""
    smooth = cv2.GaussianBlur(z, (0, 0), softness)
    slope_x = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=RESOLUTION / 8)
    slope_y = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=RESOLUTION / 8)
    length = np.sqrt(slope_x**2 + slope_y**2 + 1)
    return np.dstack([-slope_x / length, -slope_y / length, 1 / length])


def occlusion(z: Raster) -> Raster:
    """Returns how much of the surrounding light reaches a point: below 1 in hollows."""
    hollow = cv2.GaussianBlur(z, (0, 0), 0.12 * RESOLUTION) - z
    return np.asarray(np.clip(1 - 4.5 * np.clip(hollow, 0, None), 0.35, 1), np.float32)


def face_map(
    z: Raster, pose: Pose, top_left: tuple[int, int], shape: tuple[int, int]
) -> tuple[Raster, Raster]:
    """Returns the canvas pixel that each pixel of a picture region shows, as cv2.remap wants it.

    Orthographic rotation, inverted by fixed-point steps at half the region's resolution.

    Args:
        z: (SIZE, SIZE) depth of the canvas.
        pose: the head's pose.
        top_left: (x, y) of the region in the picture, px.
        shape: (H, W) of the region.
    """
    rows, columns = (shape[0] + 1) // 2, (shape[1] + 1) // 2
    x = (np.arange(columns, dtype=np.float32) * 2 + 0.5 + top_left[0] - pose.x) / pose.scale
    y = (np.arange(rows, dtype=np.float32) * 2 + 0.5 + top_left[1] - pose.y) / pose.scale
    u, v = _unproject(z, pose.rotation(), *np.meshgrid(x, y))
    size = (columns * 2, rows * 2)
    whole = [
        cv2.resize(part, size, interpolation=cv2.INTER_LINEAR)[: shape[0], : shape[1]] for part in (u, v)
    ]
    return _pixels(whole[0]), _pixels(whole[1])


def _unproject(z: Raster, rotation: NDArray[np.float32], x: Raster, y: Raster) -> tuple[Raster, Raster]:
    inverse = np.linalg.inv(rotation[:2, :2])
    u, v = x, y
    for _ in range(_STEPS):
        height = (
            cv2.remap(z, _pixels(u), _pixels(v), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) - _PIVOT
        )
        across, down = x - rotation[0, 2] * height, y - rotation[1, 2] * height
        u = inverse[0, 0] * across + inverse[0, 1] * down
        v = inverse[1, 0] * across + inverse[1, 1] * down
    return u, v


def _pixels(coordinate: Raster) -> Raster:
    return (coordinate + EXTENT) * RESOLUTION - 0.5
