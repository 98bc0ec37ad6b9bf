"""Noise that looks like matter: fractal noise for skin and walls, strands for hair."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Raster = NDArray[Any]
"""A picture or a field of numbers: (H, W) or (H, W, C), float32."""


def fractal(rng: np.random.Generator, shape: tuple[int, int], cell: float, octaves: int = 4) -> Raster:
    """Fractal noise of zero mean and about unit deviation.

    Args:
        rng: source of randomness.
        shape: (H, W) of the result.
        cell: size of the coarsest blobs, px.
        octaves: layers; each has half the blob size and 0.6 times the strength of the one before.
    """
    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        total += 0.6**octave * _layer(rng, shape, max(cell / 2**octave, 1.0))
    return _standardised(total)


def _layer(rng: np.random.Generator, shape: tuple[int, int], cell: float) -> Raster:
    height, width = (max(2, round(side / cell) + 1) for side in shape)
    coarse = rng.standard_normal((height, width), dtype=np.float32)
    return cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC)


def strands(
    rng: np.random.Generator, u: Raster, v: Raster, root: tuple[float, float], density: float
) -> Raster:
    """Strands that fan out from `root`: fine across, long along. Zero mean, about unit deviation.

    Args:
        rng: source of randomness.
        u: (H, W) horizontal coordinate, head units.
        v: (H, W) vertical coordinate, head units.
        root: where the strands come from, head units.
        density: strands per radian.
    """
    angle = np.arctan2(v - root[1], u - root[0]) + np.pi
    radius = np.hypot(u - root[0], v - root[1])
    across, along = round(2 * np.pi * density), 64
    sheet = fractal(rng, (along, across), 10.0, octaves=2) * 0.5 + _fine(rng, along, across)
    # A little waviness keeps the strands from looking ruled.
    angle = angle + 0.05 * np.sin(7 * radius + 3 * angle)
    column = (angle * density).astype(np.float32)
    row = (radius * 14).astype(np.float32)
    return cv2.remap(sheet, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)


def _fine(rng: np.random.Generator, along: int, across: int) -> Raster:
    noise = rng.standard_normal((along, across), dtype=np.float32)
    blurred = cv2.GaussianBlur(noise, (0, 0), sigmaX=0.7, sigmaY=6.0)
    return _standardised(blurred)


def _standardised(field: Raster) -> Raster:
    return np.asarray((field - field.mean()) / (field.std() + 1e-6), np.float32)


def bump(u: Raster, v: Raster, centre: tuple[float, float], spread: tuple[float, float]) -> Raster:
    """Returns a Gaussian bump of height 1."""
    horizontal = (u - centre[0]) / spread[0]
    vertical = (v - centre[1]) / spread[1]
    return np.exp(-0.5 * (horizontal * horizontal + vertical * vertical))


def paired(u: Raster, v: Raster, centre: tuple[float, float], spread: tuple[float, float]) -> Raster:
    """Returns the same bump on both sides of the face."""
    return bump(np.abs(u), v, centre, spread)


def mix(below: Raster, above: Raster | tuple[float, ...], cover: Raster) -> Raster:
    """Lay a colour or a picture (H, W, 3) over another where `cover` (H, W) is 1."""
    return below + cover[..., None] * (np.asarray(above, np.float32) - below)
