"""A person's recording session: two clips of it, one of which is forged."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sample.forgery import METHODS, Method, draw_forgery_faults, forge, jpeg, transfer_tone
from sample.paint import PaintedHead, paint_head
from sample.person import draw_person
from sample.render import render_rgb
from sample.scene import RenderedFrame, RenderedScene, draw_scene
from sample.settings import SampleSettings
from sample.talking import Motion, draw_motion
from sample.texture import Raster

GAP = 0.8
"""Seconds of the session between its two clips."""


@dataclass(frozen=True)
class Casting:
    """Who is in a session and what is done to it; follows from the settings alone."""

    person: int
    genuine: str  # which clip stays as it is: "a" or "b"
    method: Method
    donor: int | None  # whose face a swap lays over the person's

    @property
    def forged(self) -> str:
        return "b" if self.genuine == "a" else "a"


@dataclass(frozen=True)
class Session:
    """The two clips of a session, ready to be encoded."""

    genuine: list[RenderedFrame]
    forged: list[RenderedFrame]
    masks: NDArray[np.bool_]  # (T, H, W), true where the forged clip was tampered with


def cast(settings: SampleSettings) -> list[Casting]:
    """Assigns methods to neighbours, two by two, so that those who swap faces swap with each other."""
    rng = np.random.default_rng([settings.seed, 1])
    coins = rng.integers(0, 2, settings.people)
    return [_casting(person, "ab"[coins[person]], settings.people) for person in range(settings.people)]


def _casting(person: int, genuine: str, people: int) -> Casting:
    method = METHODS[person // 2 % len(METHODS)]
    partner = person ^ 1
    if method == "swap" and partner >= people:  # the last of an odd number has nobody to swap with
        method = "self_blend"
    return Casting(person, genuine, method, partner if method == "swap" else None)


def record_session(settings: SampleSettings, casting: Casting) -> Session:
    """Renders a session's two clips and forge one of them."""
    rng = np.random.default_rng([settings.seed, casting.person, 2])
    person = draw_person(settings.seed, casting.person)
    head = paint_head(person)
    scene = draw_scene(person, settings.width, settings.height, rng)
    motion = draw_motion(scene, _times(settings), rng)
    shots = {name: _part(motion, name, settings.frames) for name in "ab"}
    genuine = [frame for frame, _ in render_rgb(head, scene, shots[casting.genuine], rng)]
    forged, masks = _forged_clip(settings, casting, head, scene, shots[casting.forged], rng)
    quality = scene.camera.jpeg_quality
    return Session(
        genuine=[jpeg(frame, quality) for frame in _vary(genuine, rng)],
        forged=[jpeg(frame, quality) for frame in forged],
        masks=np.stack([mask > 0.5 for mask in masks]),
    )


def record_genuine(settings: SampleSettings, person: int, stride: int = 1) -> list[RenderedFrame]:
    """Renders a genuine clip of a person, alone: for training from genuine faces only.

    It looks like a genuine clip of the sample, and is none of its clips, whatever the seed.

    Args:
        settings: `frames` is how many are rendered.
        person: index of who is seen.
        stride: frames of the recording from one that is rendered to the next.
    """
    rng = np.random.default_rng([settings.seed, person, 3])
    traits = draw_person(settings.seed, person)
    scene = draw_scene(traits, settings.width, settings.height, rng)
    times = np.arange(settings.frames) * stride / settings.fps
    motion = draw_motion(scene, times, rng)
    frames = [frame for frame, _ in render_rgb(paint_head(traits), scene, motion, rng)]
    return [jpeg(frame, scene.camera.jpeg_quality) for frame in _vary(frames, rng)]


def _times(settings: SampleSettings) -> NDArray[np.float64]:
    first = np.arange(settings.frames) / settings.fps
    return np.concatenate([first, first + first[-1] + GAP])


def _part(motion: Motion, name: str, frames: int) -> Motion:
    part = slice(0, frames) if name == "a" else slice(frames, None)
    return Motion(motion.poses[part], motion.expressions[part], motion.sway[part], motion.drift[part])


def _forged_clip(
    settings: SampleSettings,
    casting: Casting,
    head: PaintedHead,
    scene: RenderedScene,
    motion: Motion,
    rng: np.random.Generator,
) -> tuple[list[RenderedFrame], list[Raster]]:
    shots = list(render_rgb(head, scene, motion, rng))
    frames, masks = [frame for frame, _ in shots], [mask for _, mask in shots]
    sources: Sequence[RenderedFrame] = frames
    if casting.donor is not None:
        donor = paint_head(draw_person(settings.seed, casting.donor))
        faces = (frame for frame, _ in render_rgb(donor, scene, motion, rng))
        sources = [
            transfer_tone(face, frame, mask) for face, frame, mask in zip(faces, frames, masks, strict=True)
        ]
    return forge(frames, sources, masks, draw_forgery_faults(casting.method, rng), rng)


def _vary(frames: list[RenderedFrame], rng: np.random.Generator) -> list[RenderedFrame]:
    """One harmless change for a third of the genuine clips, so that 'processed' does not mean 'forged'."""
    change = rng.choice(["none", "smooth", "exposure", "shake"], p=[2 / 3, 1 / 9, 1 / 9, 1 / 9])
    if change == "smooth":
        return [cv2.GaussianBlur(frame, (0, 0), 0.5) for frame in frames]
    if change == "exposure":
        gains = 1 + rng.uniform(0.01, 0.03) * rng.standard_normal(len(frames))
        return [
            np.clip(frame * gain + 0.5, 0, 255).astype(np.uint8)
            for frame, gain in zip(frames, gains, strict=True)
        ]
    if change == "shake":
        moves = rng.uniform(0.4, 1.0) * rng.standard_normal((len(frames), 2))
        return [_moved(frame, move) for frame, move in zip(frames, moves, strict=True)]
    return frames


def _moved(frame: RenderedFrame, move: NDArray[np.float64]) -> RenderedFrame:
    matrix = np.array([[1, 0, move[0]], [0, 1, move[1]]], np.float32)
    return cv2.warpAffine(frame, matrix, frame.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
