"""One recording session: room, clothes, light and camera, which all clips of the session share."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from sample.person import Person
from sample.texture import Raster, bump, fractal

MARGIN = 24
"""Background and torso reach this far beyond the picture, px at 240 px height; room for drift."""
RenderedFrame = NDArray[Any]
"""A picture, (H, W, 3) RGB, 8 bit."""


@dataclass(frozen=True)
class Light:
    """A wrapped key light, a weak fill from the other side and light from everywhere."""

    direction: Raster  # (3,) unit vector towards the key light; x right, y down, z to the camera
    key: Raster  # (3,) colour
    ambient: Raster  # (3,) colour


@dataclass(frozen=True)
class Camera:
    """What the camera makes of the light."""

    exposure: float
    balance: Raster  # (3,) gain of each channel
    gamma: float
    blur: float  # px
    noise: float  # grey levels
    vignette: Raster  # (H, W) gain
    jpeg_quality: int


@dataclass(frozen=True)
class RenderedScene:
    """Everything in the picture but the head."""

    width: int
    height: int
    unit: float  # px per head unit
    centre: tuple[float, float]  # of the head at rest, px
    background: Raster  # (H + 2·margin, W + 2·margin, 3) linear light
    torso: Raster  # the same size, (…, 4): colour times coverage, coverage
    light: Light
    camera: Camera


def draw_scene(person: Person, width: int, height: int, rng: np.random.Generator) -> RenderedScene:
    """Draws the session in which `person` is recorded."""
    unit = height / 240 * float(rng.uniform(46, 56))
    centre = (width * float(rng.uniform(0.42, 0.58)), height * float(rng.uniform(0.43, 0.49)))
    light = _draw_light(rng)
    return RenderedScene(
        width=width,
        height=height,
        unit=unit,
        centre=centre,
        background=_background(width, height, rng),
        torso=_torso(person, light, (width, height), unit, centre, rng),
        light=light,
        camera=_draw_camera(width, height, rng),
    )


def margin(height: int) -> int:
    """MARGIN at this picture height, px."""
    return round(MARGIN * height / 240)


def _draw_light(rng: np.random.Generator) -> Light:
    side = rng.choice([-1.0, 1.0]) * rng.uniform(0.15, 0.8)
    direction = np.array([side, rng.uniform(-0.75, -0.25), rng.uniform(0.6, 1.0)], np.float32)
    warmth = rng.uniform(-0.12, 0.16)
    key = rng.uniform(0.75, 1.05) * np.array([1 + warmth, 1, 1 - warmth])
    ambient = rng.uniform(0.28, 0.48) * np.array([1 - 0.5 * warmth, 1, 1 + 0.5 * warmth])
    return Light(direction / np.linalg.norm(direction), key.astype(np.float32), ambient.astype(np.float32))


def _draw_camera(width: int, height: int, rng: np.random.Generator) -> Camera:
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    vignette = 1 - rng.uniform(0.05, 0.25) * (x**2 + y**2) / 2
    return Camera(
        exposure=float(rng.uniform(0.95, 1.3)),
        balance=rng.uniform(0.93, 1.07, 3).astype(np.float32),
        gamma=float(rng.uniform(2.05, 2.4)),
        blur=height / 240 * float(rng.uniform(0.35, 0.75)),
        noise=float(rng.uniform(1.2, 3.2)),
        vignette=vignette.astype(np.float32),
        jpeg_quality=int(rng.integers(80, 95)),
    )


def _background(width: int, height: int, rng: np.random.Generator) -> Raster:
    """Returns a wall with light falling across it, and out-of-focus things in front of it."""
    edge = margin(height)
    shape = (height + 2 * edge, width + 2 * edge)
    wall = _muted(rng) * np.ones((*shape, 3), np.float32)
    y, x = np.mgrid[0 : 1 : shape[0] * 1j, 0 : 1 : shape[1] * 1j].astype(np.float32)
    for _ in range(int(rng.integers(2, 7))):
        _place_thing(wall, rng)
    soft = cv2.GaussianBlur(wall, (0, 0), height / 240 * float(rng.uniform(2.0, 5.0)))
    slope = 1 + rng.uniform(-0.5, 0.5) * (x - 0.5) + rng.uniform(-0.3, 0.3) * (y - 0.5)
    grain = 1 + 0.05 * fractal(rng, shape, 80, 3) + 0.02 * fractal(rng, shape, 5, 2)
    return np.asarray(np.clip(soft * (slope * grain)[..., None], 0.005, 1.2), np.float32)


def _place_thing(wall: Raster, rng: np.random.Generator) -> None:
    """A window, a picture, a shelf or a lamp, as a plain shape."""
    height, width = wall.shape[:2]
    x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
    colour = tuple(float(value) for value in _muted(rng) * rng.uniform(0.5, 1.8))
    if rng.uniform() < 0.3:
        cv2.circle(wall, (x, y), int(rng.integers(height // 20, height // 7)), colour, -1)
        return
    size = rng.integers(height // 12, height // 2, 2)
    cv2.rectangle(wall, (x, y), (x + int(size[0]), y + int(size[1])), colour, -1)
    if rng.uniform() < 0.5:
        inner = tuple(1.4 * value + 0.02 for value in colour)
        cv2.rectangle(wall, (x + 6, y + 6), (x + int(size[0]) - 6, y + int(size[1]) - 6), inner, -1)


def _muted(rng: np.random.Generator) -> Raster:
    grey, colour = rng.uniform(0.06, 0.5), rng.uniform(0.3, 1.0, 3)
    return np.asarray(grey * (0.45 + 0.55 * colour / colour.mean()), np.float32)


def _torso(
    person: Person,
    light: Light,
    size: tuple[int, int],
    unit: float,
    centre: tuple[float, float],
    rng: np.random.Generator,
) -> Raster:
    """Neck, shoulders and a shirt: colour times coverage, and coverage."""
    edge = margin(size[1])
    x = (np.arange(size[0] + 2 * edge, dtype=np.float32) + 0.5 - edge - centre[0]) / unit
    y = (np.arange(size[1] + 2 * edge, dtype=np.float32) + 0.5 - edge - centre[1]) / unit
    u, v = np.meshgrid(x, y)
    shirt, skin = _shirt(u, v, rng), np.asarray(person.skin, np.float32)
    throat = 0.5 * person.face_width + 0.12 * np.clip(v - 1.4, 0, 1) ** 2
    neck = np.clip((throat - np.abs(u)) * unit + 0.5, 0, 1) * (v > 0.5)
    collar = 1.78 + 0.35 * np.exp(-((u / 0.34) ** 2)) * rng.uniform(0.3, 1.3)
    slope = (
        collar
        + 0.32 * np.clip(np.abs(u) - 0.45, 0, None) ** 1.1
        + 0.5 * np.clip(np.abs(u) - 1.7, 0, None) ** 2
    )
    body = np.clip((v - slope) * unit + 0.5, 0, 1)
    chin_shadow = 1 - 0.62 * bump(u, v, (-0.15 * float(light.direction[0]), person.chin - 0.05), (0.75, 0.3))
    neck_light = _across(u, 0.55, light) * chin_shadow
    body_light = _across(u, 2.2, light) * (1 - 0.35 * np.exp(-np.clip(v - slope, 0, None) / 0.06))
    colour = (skin * neck_light[..., None] * neck[..., None]) * (1 - body[..., None])
    colour = (colour + shirt * (body_light * body)[..., None]) * (light.key + light.ambient)
    return np.dstack([colour, np.maximum(neck, body)]).astype(np.float32)


def _across(u: Raster, radius: float, light: Light) -> Raster:
    """Lights on an upright cylinder."""
    turn = np.clip(u / radius, -0.95, 0.95)
    facing = turn * light.direction[0] + np.sqrt(1 - turn**2) * light.direction[2]
    return np.asarray(0.25 + 0.6 * np.clip((facing + 0.3) / 1.3, 0, 1), np.float32)


def _shirt(u: Raster, v: Raster, rng: np.random.Generator) -> Raster:
    base, second = _muted(rng), _muted(rng)
    folds = 1 + 0.14 * fractal(rng, u.shape, 50, 3)
    pattern = rng.uniform()
    if pattern < 0.25:
        stripes = (np.sin(v * rng.uniform(12, 26)) > 0.2).astype(np.float32)
    elif pattern < 0.4:
        stripes = (np.sin(v * 14) > 0.5) * 0.5 + (np.sin(u * 14) > 0.5) * 0.5
    else:
        stripes = np.zeros_like(u)
    soft = cv2.GaussianBlur(np.asarray(stripes, np.float32), (0, 0), 0.7)[..., None]
    return np.asarray((base + 0.7 * soft * (second - base)) * folds[..., None], np.float32)
