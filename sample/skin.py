"""Skin on the canvas: tone, mottling, freckles, age lines, ears, nostrils."""

import cv2
import numpy as np

from sample.geometry import EXTENT, EYE_Y, RESOLUTION, half_width
from sample.person import Person
from sample.texture import Raster, bump, fractal, paired

_FRACTION_BITS = 4  # OpenCV draws at sixteenths of a pixel


def cover(distance: Raster, pixels_per_unit: float) -> Raster:
    """Returns coverage of a shape from the signed distance (head units, positive inside) to its edge."""
    return np.clip(distance * pixels_per_unit + 0.5, 0, 1).astype(np.float32)


def face_cover(person: Person, u: Raster, v: Raster, pixels_per_unit: float) -> Raster:
    """Returns coverage of the face itself, crown to chin."""
    distance = half_width(person, v) - np.abs(u)
    steep = np.abs(np.gradient(half_width(person, v[:, :1])[:, 0], v[:, 0]))[:, None]
    return cover(distance / np.sqrt(1 + np.minimum(steep, 8.0) ** 2), pixels_per_unit)


def ear_cover(person: Person, u: Raster, v: Raster, pixels_per_unit: float) -> Raster:
    """Returns coverage of both ears."""
    across = (np.abs(u) - person.face_width - 0.015 - 0.06 * (EYE_Y - v)) / 0.115
    down = (v - EYE_Y - 0.14) / 0.27
    return cover((1 - np.sqrt(across**2 + down**2)) * 0.115, pixels_per_unit)


def paint_skin(person: Person, u: Raster, v: Raster, rng: np.random.Generator) -> tuple[Raster, Raster]:
    """Albedo of the bare skin (H, W, 3) in linear light, and its lines (H, W), 1 where deepest."""
    shape = u.shape
    lines = age_lines(person, shape, rng)
    darkness = 1 + 0.05 * fractal(rng, shape, 90, 5) + 0.035 * fractal(rng, shape, 6, 2)
    darkness *= 1 - 0.4 * lines
    darkness *= 1 - 0.16 * paired(u, v, (person.eye_spacing, EYE_Y + 0.02), (0.2, 0.12))
    darkness *= 1 - (0.1 + 0.14 * person.age) * paired(
        u, v, (person.eye_spacing - 0.02, EYE_Y + 0.14), (0.13, 0.045)
    )
    darkness *= 1 - 0.3 * person.freckles * _freckles(person, u, v, rng)
    albedo = np.asarray(person.skin, np.float32) * darkness[..., None]
    albedo *= 1 + _blush(person, u, v, rng)[..., None] * np.array([0.12, -0.14, -0.12], np.float32)
    return albedo * (1 - _hollows(person, u, v))[..., None], lines


def _blush(person: Person, u: Raster, v: Raster, rng: np.random.Generator) -> Raster:
    strength = rng.uniform(0.5, 1.3)
    cheeks = paired(u, v, (0.56, 0.22), (0.22, 0.17))
    nose = bump(u, v, (0, person.nose_length), (0.14, 0.12))
    ears = (np.abs(u) > person.face_width).astype(np.float32)
    return strength * (cheeks + 0.8 * nose + 0.7 * ears + 0.25 * fractal(rng, u.shape, 60, 3))


def _hollows(person: Person, u: Raster, v: Raster) -> Raster:
    """Nostrils and the shells of the ears, where no light comes out."""
    tip, width = person.nose_length, person.nose_width
    nostrils = 0.85 * paired(u, v, (0.085 * width, tip + 0.07), (0.036 * width, 0.02))
    under = 0.3 * bump(u, v, (0, tip + 0.09), (0.14 * width, 0.03))
    shells = 0.45 * paired(u, v, (person.face_width + 0.03, EYE_Y + 0.13), (0.035, 0.1))
    return np.clip(nostrils + under + shells, 0, 0.95)


def _freckles(person: Person, u: Raster, v: Raster, rng: np.random.Generator) -> Raster:
    field = fractal(rng, u.shape, 7, 2) + 0.5 * fractal(rng, u.shape, 50, 2)
    where = (
        paired(u, v, (0.4, 0.16), (0.32, 0.24)) + bump(u, v, (0, 0.1), (0.2, 0.2)) if person.freckles else 0.0
    )
    return np.asarray(np.clip((field - 1.0) * 2.5, 0, 1) * np.clip(where, 0, 1), np.float32)


def age_lines(person: Person, shape: tuple[int, ...], rng: np.random.Generator) -> Raster:
    """Forehead, frown, crow's feet, bags and the folds beside the mouth, stronger with age."""
    canvas = np.zeros(shape[:2], np.uint8)
    deep, mild = 255 * person.age, 255 * (0.25 + 0.6 * person.age)
    for row in range(3):
        across = np.linspace(-0.5, 0.5, 20) * rng.uniform(0.7, 1.1)
        _stroke(
            canvas, across, -0.66 - 0.11 * row + 0.03 * np.sin(6 * across + rng.uniform(0, 6)), 0.7 * deep
        )
    reach = np.linspace(0, 1, 12)
    for side in (-1, 1):
        eye = side * person.eye_spacing
        _stroke(
            canvas, side * (0.17 + 0.25 * reach**0.8), person.nose_length + 0.02 + 0.36 * reach**1.3, mild
        )
        _stroke(canvas, eye + side * 0.2 * (2 * reach - 1), EYE_Y + 0.13 + 0.05 * np.sin(np.pi * reach), mild)
        _stroke(canvas, side * (0.05 + 0.01 * reach), -0.5 + 0.14 * reach, 0.8 * deep)
        for ray in (-0.08, 0.0, 0.08):
            _stroke(canvas, eye + side * (0.25 + 0.1 * reach), EYE_Y + 0.02 + ray * (0.5 + reach), 0.7 * deep)
    return cv2.GaussianBlur(canvas, (0, 0), 1.6).astype(np.float32) / 140


def _stroke(canvas: np.ndarray, u: np.ndarray, v: np.ndarray, strength: float) -> None:
    scale = canvas.shape[0] / (2 * EXTENT) * 2**_FRACTION_BITS
    points = ((np.stack([u, v], axis=1) + EXTENT) * scale).astype(np.int32)
    width = max(1, canvas.shape[0] // int(2 * EXTENT * RESOLUTION))
    cv2.polylines(canvas, [points], False, int(strength), width, cv2.LINE_AA, _FRACTION_BITS)
