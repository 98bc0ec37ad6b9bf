"""How a talking head moves: smooth turns, speech, blinks and a drifting camera, as functions of time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sample.features import Expression
from sample.geometry import Pose
from sample.scene import RenderedScene

Series = NDArray[np.float64]
MAX_YAW = np.deg2rad(24.0)


@dataclass(frozen=True)
class Motion:
    """A recording's movement, one entry per frame."""

    poses: list[Pose]
    expressions: list[Expression]
    sway: Series  # (T, 2) shift of the torso, px
    drift: Series  # (T, 2) shift of the background, px


def draw_motion(scene: RenderedScene, times: Series, rng: np.random.Generator) -> Motion:
    """Moves a head through a session.

    Args:
        scene: gives the head's place and size at rest.
        times: (T,) seconds since the session's start.
        rng: the session's source of randomness; the same one gives one continuous movement.
    """
    px = scene.unit / 50
    drift = px * 2.5 * np.stack([_wander(times, 0.4, rng), _wander(times, 0.4, rng)], axis=1)
    sway = drift + px * np.stack([3 * _wander(times, 0.5, rng), 1 * _wander(times, 0.6, rng)], axis=1)
    return Motion(_poses(scene, times, sway, rng), _expressions(times, rng), sway, drift)


def _poses(scene: RenderedScene, times: Series, sway: Series, rng: np.random.Generator) -> list[Pose]:
    rest = np.deg2rad([rng.uniform(-12, 12), rng.uniform(-4, 6), rng.uniform(-4, 4)])
    swing = np.deg2rad([rng.uniform(5, 13), rng.uniform(2, 6), rng.uniform(1, 4)])
    angles = [rest[i] + swing[i] * _wander(times, rate, rng) for i, rate in enumerate((0.7, 0.9, 0.6))]
    yaw = np.clip(angles[0], -MAX_YAW, MAX_YAW)
    x = scene.centre[0] + sway[:, 0] + 0.1 * scene.unit * np.sin(yaw)
    y = scene.centre[1] + sway[:, 1] + 0.02 * scene.unit * _wander(times, 1.2, rng)
    scale = scene.unit * (1 + 0.015 * _wander(times, 0.4, rng))
    rows = zip(yaw, angles[1], angles[2], x, y, scale, strict=True)
    return [Pose(*(float(value) for value in row)) for row in rows]


def _expressions(times: Series, rng: np.random.Generator) -> list[Expression]:
    mouth = _speech(times, rng)
    blink = _blinks(times, rng)
    gaze_x, gaze_y = 0.16 * _wander(times, 0.5, rng), 0.06 * _wander(times, 0.5, rng)
    smile = rng.uniform(-0.4, 0.8) + 0.35 * _wander(times, 0.5, rng)
    width = 1 - 0.16 * np.clip(_wander(times, 2.6, rng), 0, 1) * np.clip(3 * mouth, 0, 1)
    rows = zip(blink, gaze_x, gaze_y, mouth, np.clip(smile, -1, 1), width, strict=True)
    return [
        Expression(float(b), (float(x), float(y)), float(m), float(s), float(w)) for b, x, y, m, s, w in rows
    ]


def _wander(times: Series, rate: float, rng: np.random.Generator) -> Series:
    """Smooths movement within about ±1; `rate` is its slowest frequency in Hz."""
    frequencies = rate * np.array([1.0, 1.7, 2.9]) * rng.uniform(0.8, 1.2, 3)
    phases = rng.uniform(0, 2 * np.pi, 3)
    waves = np.sin(2 * np.pi * np.outer(times, frequencies) + phases)
    return np.asarray(waves @ np.array([0.65, 0.28, 0.12]))


def _speech(times: Series, rng: np.random.Generator) -> Series:
    """Returns how far the mouth is open: syllables at 3 to 5 Hz, with pauses."""
    syllables = 0.5 + 0.5 * np.sin(2 * np.pi * rng.uniform(3, 4.6) * times + 2.5 * _wander(times, 0.9, rng))
    loudness = np.clip(0.75 + 0.6 * _wander(times, 0.5, rng), 0.1, 1)
    return rng.uniform(0.55, 1.0) * loudness * syllables**1.4


def _blinks(times: Series, rng: np.random.Generator) -> Series:
    """Returns a blink every second or so; a little less than a fifth of a second each."""
    starts = np.cumsum(rng.uniform(0.5, 1.6, 12)) - 0.4
    nearest = np.abs(times[:, None] - starts[None]).min(axis=1)
    return np.asarray(np.clip(1.5 - nearest / 0.065, 0, 1))
