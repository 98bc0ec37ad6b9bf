"""Hair on the canvas: five styles, brows and beards, all with strands."""

from dataclasses import dataclass

import cv2
import numpy as np

from sample.geometry import CROWN, EYE_Y, half_width
from sample.person import HairStyle, Person
from sample.skin import cover
from sample.texture import Raster, bump, fractal, paired, strands

_VOLUME: dict[HairStyle, float] = {"bald": 0.0, "buzz": 0.03, "short": 0.13, "curly": 0.24, "long": 0.17}
_END: dict[HairStyle, float] = {"bald": -9.0, "buzz": 0.02, "short": 0.1, "curly": 0.5, "long": 1.75}
"""How far down the sides the hair reaches, head units."""


@dataclass(frozen=True)
class Hair:
    """Hair of the head: behind the face and in front of it."""

    back: Raster  # (H, W) coverage
    front: Raster  # (H, W) coverage
    colour: Raster  # (H, W, 3) albedo
    relief: Raster  # (H, W) depth of the strands, head units
    lift: float  # how far the front stands off the skin, head units


def paint_hair(person: Person, u: Raster, v: Raster, density: float, rng: np.random.Generator) -> Hair:
    """Paints the person's hair style. `density` is canvas pixels per head unit."""
    style = person.hair_style
    texture = _curls(u, rng) if style == "curly" else _combed(person, u, v, rng)
    ragged = (0.012 + 0.05 * (style == "curly")) * fractal(rng, u.shape, 30, 4) + 0.012 * texture
    outline = _outline(person, u, v) + (ragged if style != "buzz" else 0.2 * ragged)
    outer = cover(outline, density * (0.35 if style == "buzz" else 0.7))
    front = outer * cover(_hairline(person, u, v) + ragged, density * (0.2 if style == "buzz" else 0.5))
    if style == "buzz":
        front = front * np.clip(0.78 + 0.12 * fractal(rng, u.shape, 3, 1), 0, 1)
    shade = np.clip(0.62 + 0.3 * texture + 0.1 * fractal(rng, u.shape, 60, 3), 0.12, 1.6)
    colour = np.asarray(person.hair, np.float32) * (shade * _sheen(v))[..., None] + 0.004
    relief = (0.012 + 0.03 * (style == "curly")) * texture
    back = outer * (1 - _throat(person, u, v)) if style in ("curly", "long") else np.zeros_like(outer)
    return Hair(back, front, colour, relief, lift=_VOLUME[style] * 0.5)


def _throat(person: Person, u: Raster, v: Raster) -> Raster:
    """Returns where the neck stands in front of the hair (H, W)."""
    across = 0.56 * person.face_width - np.abs(u)
    return cover(np.minimum(across, v - 0.6 * person.chin), 20.0)


def _outline(person: Person, u: Raster, v: Raster) -> Raster:
    """Returns signed distance to the hair's outer edge, positive inside."""
    if person.hair_style == "bald":
        return np.full_like(u, -1)
    volume, end = _VOLUME[person.hair_style], _END[person.hair_style]
    side = person.face_width + volume
    crown = (1 - np.sqrt((u / side) ** 2 + (v / (CROWN + volume)) ** 2)) * side
    flare = 0.14 if person.hair_style == "long" else -0.2
    flank = side + flare * np.clip(v, 0, None) ** 1.5 - np.abs(u)
    return np.minimum(np.where(v < 0, crown, flank), end - v).astype(np.float32)


def _hairline(person: Person, u: Raster, v: Raster) -> Raster:
    """Returns signed distance to the edge of the hair that lies on the face, positive in the hair."""
    across = np.abs(u) / (0.93 * person.face_width)
    sweep = np.abs(u - 0.55 * person.parting * person.face_width)
    if person.hair_style == "long":
        line = person.hairline - 0.12 + 0.62 * sweep**1.2 + 0.9 * across**8
        locks = np.abs(u) - np.maximum(half_width(person, np.minimum(v, 0.35)) * 0.9, 0.84)
        return np.maximum(line - v, np.where(v > -0.5, locks, -1)).astype(np.float32)
    line = person.hairline + 0.14 * np.clip(sweep, 0, 0.9) + 0.75 * across**7
    return np.minimum(line - v, 0.12 - v).astype(np.float32)


def _combed(person: Person, u: Raster, v: Raster, rng: np.random.Generator) -> Raster:
    root = (0.5 * person.parting, -1.62 if person.hair_style == "long" else -1.0)
    return strands(rng, u, v, root, density=70 if person.hair_style == "long" else 45)


def _curls(u: Raster, rng: np.random.Generator) -> Raster:
    """Rings of curls: level lines of smooth noise."""
    waves = np.sin(5.5 * fractal(rng, u.shape, 26, 2))
    return (0.9 * waves + 0.45 * fractal(rng, u.shape, 5, 2)).astype(np.float32)


def _sheen(v: Raster) -> Raster:
    return 1 + 0.35 * np.exp(-0.5 * ((v + 1.12) / 0.13) ** 2)


def paint_brows(person: Person, u: Raster, v: Raster, rng: np.random.Generator) -> Raster:
    """Paints coverage of both brows (H, W)."""
    inner, outer = person.eye_spacing - 0.24, person.eye_spacing + 0.27
    place = np.clip((np.abs(u) - inner) / (outer - inner), 0, 1)
    arch = person.brow_height + 0.1 * (place - 0.55) ** 2 - person.brow_tilt * (place - 0.5) * 0.8
    weight = person.brow_weight * (1 - 0.6 * place**2)
    within = np.clip(np.minimum(np.abs(u) - inner, outer - np.abs(u)) * 18 + 0.5, 0, 1)
    hairs = np.clip(0.75 + 0.4 * strands(rng, np.abs(u), v, (0.15, 0.2), 60), 0, 1)
    return (np.exp(-(((v - arch) / weight) ** 2)) * within * hairs * 0.92).astype(np.float32)


def paint_beard(person: Person, u: Raster, v: Raster, rng: np.random.Generator) -> Raster:
    """Paints coverage of the beard (H, W): stubble is a thin one."""
    if person.beard == "none":
        return np.zeros_like(u)
    lip = person.nose_length + 0.17
    moustache = bump(u, v, (0, lip), (0.2, 0.05))
    chin = bump(u, v, (0, person.chin - 0.18), (0.23, 0.2))
    region = moustache + chin
    if person.beard != "goatee":
        cheeks = 1 / (1 + np.exp(-(v - 0.2 - 1.1 * np.clip(0.95 - np.abs(u), 0, 1) ** 1.5) / 0.06))
        region = region + cheeks * (v > EYE_Y)
    hairs = 0.5 + 0.14 * strands(rng, u, v, (0.0, 0.1), 60) + 0.3 * fractal(rng, u.shape, 4, 2)
    strength = 0.5 if person.beard == "stubble" else 0.95
    mouth = bump(u, v, (0, 0.64), (0.2, 0.05))
    region = np.clip(region, 0, 1) * (1 - 0.8 * mouth)
    beard = strength * np.clip(1.9 * (region - 1 + np.clip(hairs, 0, 1)), 0, 1)
    return cv2.GaussianBlur(np.asarray(beard, np.float32), (0, 0), 0.8)


def stubble_shadow(person: Person, u: Raster, v: Raster) -> Raster:
    """Returns how much the roots of a beard darken the lower face (H, W)."""
    strength = 0.0 if person.beard == "none" else 0.22
    return strength * paired(u, v, (0.4, 0.85), (0.45, 0.3))
