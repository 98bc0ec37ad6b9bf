"""What moves in a face, painted anew for every frame: eyes and mouth."""

from dataclasses import dataclass

import numpy as np

from sample.geometry import EXTENT, EYE_Y, RESOLUTION, SIZE
from sample.person import Person
from sample.skin import cover
from sample.texture import Raster, mix

MOUTH_Y = 0.25  # of the closed mouth, below the tip of the nose
_SCLERA = np.array([0.66, 0.62, 0.58], np.float32)
_TEETH = np.array([0.72, 0.68, 0.58], np.float32)
_TONGUE = np.array([0.42, 0.13, 0.12], np.float32)
_CAVITY = np.array([0.045, 0.012, 0.01], np.float32)


@dataclass(frozen=True)
class Expression:
    """What a face does at one moment."""

    blink: float  # 0 open … 1 shut
    gaze: tuple[float, float]  # share of an eye's half width
    mouth: float  # 0 closed … 1 open
    smile: float  # −1 … 1
    width: float  # of the mouth: 1 at rest, less for rounded vowels


def paint_features(albedo: Raster, person: Person, expression: Expression) -> Raster:
    """Paints a copy of the canvas (SIZE, SIZE, 3) with eyes and mouth in this expression."""
    painted = albedo.copy()
    for side in (-1, 1):
        _paint_eye(painted, person, side, expression)
    _paint_mouth(painted, person, expression)
    return painted


def _patch(
    centre: tuple[float, float], half: tuple[float, float]
) -> tuple[tuple[slice, slice], Raster, Raster]:
    """Returns a part of the canvas around a point: its slices, and its coordinates from the point."""
    spans = []
    for middle, reach in zip(centre, half, strict=True):
        first = max(0, int((middle - reach + EXTENT) * RESOLUTION))
        spans.append(slice(first, min(SIZE, int((middle + reach + EXTENT) * RESOLUTION) + 1)))
    x, y = ((np.arange(s.start, s.stop, dtype=np.float32) + 0.5) / RESOLUTION - EXTENT for s in spans)
    u, v = np.meshgrid(x - centre[0], y - centre[1])
    return (spans[1], spans[0]), u, v


def _paint_eye(canvas: Raster, person: Person, side: int, expression: Expression) -> None:
    where, u, v = _patch((side * person.eye_spacing, EYE_Y), (0.36, 0.24))
    tilt = person.eye_tilt
    across = (u * side * np.cos(tilt) - v * np.sin(tilt)) / person.eye_size  # −1 inner … 1 outer corner
    down = u * side * np.sin(tilt) + v * np.cos(tilt)
    arch = np.clip(1 - across**2, 0, 1)
    lower = 0.34 * person.eye_size * arch * (1 + 0.2 * across)
    lifted = -0.56 * person.eye_size * arch**0.7 * (1 - 0.15 * across)
    upper = lifted + expression.blink * (0.85 * lower - lifted)
    ball = _eyeball(person, u, v, expression.gaze, down - upper, across)
    opening = cover(np.minimum(down - upper, lower - down), RESOLUTION) * (np.abs(across) < 1)
    patch = mix(canvas[where], ball, opening)
    edge = np.clip(1.25 - np.abs(across), 0, 0.25) * 4
    lashes = 0.85 * np.exp(-(((down - upper) / 0.022) ** 2)) * edge
    crease = 0.3 * np.exp(-(((down - lifted + 0.055) / 0.02) ** 2)) * edge * (1 - 0.6 * expression.blink)
    rim = 0.28 * np.exp(-(((down - lower - 0.008) / 0.018) ** 2)) * edge
    canvas[where] = patch * (1 - np.clip(lashes + crease + rim, 0, 0.92))[..., None]


def _eyeball(
    person: Person, u: Raster, v: Raster, gaze: tuple[float, float], below_lid: Raster, across: Raster
) -> Raster:
    """Sclera, iris with limbal ring, pupil and highlight."""
    radius = 0.47 * person.eye_size
    x, y = u - gaze[0] * person.eye_size, v + 0.02 - gaze[1] * person.eye_size
    distance = np.hypot(x, y)
    shade = 1 - 0.3 * across**2 - 0.45 * np.exp(-np.clip(below_lid, 0, 1) / 0.035)
    # Whites as bright as light skin's would glow in a dark face.
    white = _SCLERA * (0.6 + 0.6 * float(np.mean(person.skin)))
    ball = white * np.clip(shade, 0.2, 1)[..., None]
    ring = 1 - 0.55 * np.clip(distance / radius, 0, 1) ** 6 + 0.12 * np.sin(11 * np.arctan2(y, x))
    iris = 1.5 * np.asarray(person.iris, np.float32) * (ring * np.clip(shade + 0.1, 0.3, 1))[..., None]
    ball = mix(ball, iris, cover(radius - distance, RESOLUTION))
    ball = mix(ball, (0.008, 0.007, 0.007), cover(0.44 * radius - distance, RESOLUTION))
    glint = np.exp(-(((x + 0.35 * radius) ** 2 + (y + 0.4 * radius) ** 2) / (0.26 * radius) ** 2))
    return ball + 1.1 * glint[..., None].astype(np.float32)


def _paint_mouth(canvas: Raster, person: Person, expression: Expression) -> None:
    centre = person.nose_length + MOUTH_Y
    where, u, v = _patch((0.0, centre), (0.56, 0.34))
    half = person.mouth_width * expression.width * (1 + 0.14 * expression.smile)
    across = u / half
    arch = np.clip(1 - across**2, 0, 1)
    down = v + 0.055 * expression.smile * across**2 - 0.02 * expression.smile
    full, gap = person.lip_fullness, expression.mouth
    bow = 1 - 0.32 * np.exp(-((across / 0.16) ** 2))  # the dip of Cupid's bow
    inner_top, inner_bottom = -0.05 * gap * arch, 0.17 * gap * arch
    outer_top = inner_top - 0.062 * full * arch**0.65 * bow
    outer_bottom = inner_bottom + 0.078 * full * arch**0.6
    inside = _cavity(across, down, inner_top, inner_bottom, gap)
    lips = _lips(person, u, down, inner_top, inner_bottom, outer_top, outer_bottom)
    patch = mix(
        canvas[where],
        lips,
        0.88 * cover(np.minimum(down - outer_top, outer_bottom - down), 22.0) * (arch > 0),
    )
    patch = mix(
        patch, inside, cover(np.minimum(down - inner_top, inner_bottom - down), RESOLUTION) * (gap > 0.03)
    )
    seam = (0.75 - 0.4 * min(gap, 1)) * np.exp(-(((down - inner_top) / 0.016) ** 2)) * np.clip(arch * 6, 0, 1)
    below = 0.18 * np.exp(-(((down - outer_bottom - 0.03) / 0.03) ** 2)) * arch
    corner = 0.35 * np.exp(-(((np.abs(across) - 1) / 0.09) ** 2) - (down / 0.03) ** 2)
    canvas[where] = patch * (1 - np.clip(seam + below + corner, 0, 0.9))[..., None]


def _lips(
    person: Person,
    u: Raster,
    down: Raster,
    top: Raster,
    bottom: Raster,
    outer_top: Raster,
    outer_bottom: Raster,
) -> Raster:
    """Upper lip in shade, lower lip with a highlight, fine wrinkles across both."""
    middle = (bottom + outer_bottom) / 2
    light = np.where(down < (top + bottom) / 2, 0.78, 1.05) + 0.05 * np.sin(150 * u)
    shine = 0.16 * np.exp(-(((down - middle) / 0.022) ** 2) - (u / 0.14) ** 2)
    return np.asarray(np.asarray(person.lips) * light[..., None] + shine[..., None], np.float32)


def _cavity(across: Raster, down: Raster, top: Raster, bottom: Raster, gap: float) -> Raster:
    """Returns the open mouth: upper teeth, tongue, dark behind."""
    tongue = np.clip(1 - (across / 0.62) ** 2 - ((down - bottom + 0.01) / (0.085 * gap + 1e-3)) ** 2, 0, 1)
    inside = mix(np.broadcast_to(_CAVITY, (*across.shape, 3)), _TONGUE, np.clip(2 * tongue, 0, 1))
    reach = top + 0.06 * min(1.0, 1.6 * gap)
    teeth = cover(reach - down, 40.0) * np.clip((0.8 - np.abs(across)) * 6, 0, 1)
    gaps = 1 - 0.14 * np.clip(np.cos(across * 26), 0, 1) ** 6 - 0.35 * across**2
    return mix(inside, _TEETH * gaps[..., None], teeth)
