"""What is wrong with a face that is blended in: its tone, its detail, its compression, its place.

A clip's faults are drawn once and are the same in every frame, as a forger's tool would leave them. Lengths
are in coordinates of the face (`components.training.blending_mask`) unless they say px.
"""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from components.arrays import Floats64, Image
from components.video.colour import LUMA

Detail = Literal["blur", "sharpen", "rescale"]


@dataclass(frozen=True)
class Tone:
    """A change of colour, linear in RGB."""

    shift: tuple[float, float, float]  # levels; warmer or colder, brighter or darker
    contrast: float  # 1: as it is
    saturation: float  # 1: as it is
    hue: float  # radians

    def matrix(self, middle: Floats64) -> Floats64:
        """Returns (3, 4) of `cv2.transform`; `middle` is the colour (3,) that contrast leaves as it is."""
        cos, sin = np.cos(self.hue), np.sin(self.hue)
        # Rodrigues' turn about the axis of greys, which have no hue and stay where they are.
        crossed = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / np.sqrt(3)
        turn = cos * np.eye(3) + (1 - cos) / 3 + sin * crossed
        grey = np.tile(LUMA, (3, 1))
        linear = (self.saturation * (np.eye(3) - grey) + grey) @ turn * self.contrast
        return np.column_stack([linear, middle * (1 - self.contrast) + self.shift])


@dataclass(frozen=True)
class Faults:
    """The faults of the face of one clip; None: it has no such fault."""

    tone: Tone | None
    detail: tuple[tuple[Detail, float], ...]  # kinds, each with its strength
    jpeg: int | None  # quality
    place: Floats64 | None  # (2, 3) in coordinates of the face: where what shows at a point is taken from
    elastic: Floats64 | None  # (5, 5, 2) displacements over the face, smooth in between


def draw_faults(generator: np.random.Generator) -> Faults:
    """Draws the faults of one clip, of which at least one can be seen."""
    has_tone, has_detail, has_jpeg, has_place, has_elastic = generator.random(5) < (0.8, 0.7, 0.4, 0.6, 0.4)
    return Faults(
        tone=_draw_tone(generator) if has_tone or not (has_detail or has_place) else None,
        detail=_draw_detail(generator) if has_detail else (),
        jpeg=int(generator.integers(25, 86)) if has_jpeg else None,
        place=_draw_place(generator) if has_place else None,
        elastic=generator.normal(0, generator.uniform(0.01, 0.04), (5, 5, 2)) if has_elastic else None,
    )


def _draw_tone(generator: np.random.Generator) -> Tone:
    brightness, warmth, tint = generator.uniform(0.2, 1, 3) * generator.choice((-1, 1), 3) * (16, 10, 5)
    return Tone(
        shift=(float(brightness + warmth), float(brightness + tint), float(brightness - warmth)),
        contrast=float(generator.uniform(0.82, 1.2)),
        saturation=float(generator.uniform(0.75, 1.3)),
        hue=float(generator.uniform(-0.1, 0.1)),
    )


_STRENGTHS: dict[Detail, tuple[float, float]] = {
    "blur": (0.006, 0.016),  # sigma, share of the side
    "sharpen": (0.5, 1.5),  # share of the detail that is added
    "rescale": (0.4, 0.8),  # of the side
}


def _draw_detail(generator: np.random.Generator) -> tuple[tuple[Detail, float], ...]:
    kinds = list(_STRENGTHS)
    drawn = generator.permutation(len(kinds))[: 1 + int(generator.random() < 0.25)]
    return tuple((kinds[index], float(generator.uniform(*_STRENGTHS[kinds[index]]))) for index in drawn)


def _draw_place(generator: np.random.Generator) -> Floats64:
    """Draws a small turn, two scales and a shift."""
    angle = generator.uniform(-0.06, 0.06)
    scales = generator.uniform(0.95, 1.06) * generator.uniform(0.98, 1.02, 2)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.column_stack([turn * scales, generator.uniform(-0.06, 0.06, 2)])


def degraded(image: Image, faults: Faults) -> Image:
    """Returns a frame (S, S, 3) with the faults of detail and compression."""
    for kind, strength in faults.detail:
        image = _DETAIL[kind](image, strength)
    return image if faults.jpeg is None else _compressed(image, faults.jpeg)


def _blurred(image: Image, share: float) -> Image:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), share * len(image)), np.uint8)


def _sharpened(image: Image, share: float) -> Image:
    return np.asarray(cv2.addWeighted(image, 1 + share, _blurred(image, 0.01), -share, 0), np.uint8)


def _rescaled(image: Image, share: float) -> Image:
    height, width = image.shape[:2]
    fewer = (max(1, round(width * share)), max(1, round(height * share)))
    small = cv2.resize(image, fewer, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


_DETAIL = {"blur": _blurred, "sharpen": _sharpened, "rescale": _rescaled}


def _compressed(image: Image, quality: int) -> Image:
    as_bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    _, content = cv2.imencode(".jpg", as_bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = np.asarray(cv2.imdecode(content, cv2.IMREAD_COLOR))
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)
