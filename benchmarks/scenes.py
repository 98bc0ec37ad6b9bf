"""Rendered videos for benchmarks of decoding and of face detection: nobody in them was ever photographed.

Faces are those of `sample`, before a background with more texture than the sample's. A scene is
rendered once, at 1080 lines, and scaled: the same footage at every size.
"""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from sample import render, scene
from sample.paint import PaintedHead, paint_head
from sample.person import draw_person
from sample.scene import RenderedFrame, RenderedScene, draw_scene
from sample.talking import Motion, draw_motion
from sample.texture import fractal

HEIGHTS = (360, 720, 1080)
FPS = 30
SECONDS = 10
RENDERED = 45
"""Frames that are rendered; shown forwards and backwards in turn until the video is long enough."""

SEED = 2028

# Of each face: centre, as shares of the picture's width and height, and side, as a share of its height.
SCENES: dict[str, tuple[tuple[float, float, float], ...]] = {
    "speaker": ((0.52, 0.42, 0.40),),
    "crowd": (
        (0.06, 0.26, 0.06),
        (0.44, 0.22, 0.08),
        (0.93, 0.24, 0.11),
        (0.28, 0.34, 0.16),
        (0.72, 0.36, 0.22),
        (0.48, 0.60, 0.30),
    ),
}


@dataclass(frozen=True)
class Actor:
    """One person in a scene."""

    head: PaintedHead
    scene: RenderedScene
    motion: Motion


def film_all(folder: Path) -> list[Path]:
    """Every scene at every height, `speaker-720p.mp4` …; files that are there already are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as processes:
        made = processes.map(film, SCENES, [folder] * len(SCENES))
        return [path for paths in made for path in paths]


def film(name: str, folder: Path) -> list[Path]:
    """Write a scene as H.264 with x264's default settings, at each of `HEIGHTS`, and where its heads are."""
    paths = [folder / f"{name}-{height}p.mp4" for height in HEIGHTS]
    if all(path.is_file() for path in (*paths, folder / f"{name}.json")):
        return paths
    width = HEIGHTS[-1] * 16 // 9
    stage, actors = cast(SCENES[name], width, HEIGHTS[-1])
    poses = [[actor.motion.poses[index] for actor in actors] for index in range(RENDERED)]
    places = [[(pose.x / width, pose.y / HEIGHTS[-1]) for pose in frame] for frame in poses]
    (folder / f"{name}.json").write_text(json.dumps(places), encoding="utf-8")
    frames = list(shoot(stage, actors))
    for height, path in zip(HEIGHTS, paths, strict=True):
        size = (height * 16 // 9, height)
        encode(path, [cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in frames])
    return paths


def heads(video: Path, time: float) -> list[tuple[float, float]]:
    """Where the heads are at a moment, a point between the eyes of each: shares of width and height."""
    places = json.loads((video.parent / f"{video.stem.split('-')[0]}.json").read_text(encoding="utf-8"))
    order = there_and_back(len(places))
    return [(x, y) for x, y in places[order[round(time * FPS) % len(order)]]]


def cast(
    spots: Sequence[tuple[float, float, float]], width: int, height: int
) -> tuple[RenderedScene, list[Actor]]:
    """The set, and people at these spots, the largest last."""
    rng = np.random.default_rng(SEED)
    stage = draw_scene(draw_person(SEED, 0), width, height, rng)
    texture = 1 + 0.3 * fractal(rng, stage.background.shape[:2], height / 12, 6)
    background = np.clip(stage.background * texture[..., None], 0.005, 1.2)
    camera = replace(stage.camera, blur=0.8, noise=3.0)  # the sample's blur grows with the picture
    stage = replace(stage, background=background, camera=camera)
    return stage, [_actor(index, spot, stage, rng) for index, spot in enumerate(spots)]


def shoot(stage: RenderedScene, actors: Sequence[Actor]) -> Iterator[RenderedFrame]:
    """Render `RENDERED` frames, the last of the people in front."""
    rng = np.random.default_rng(SEED)
    for index in range(RENDERED):
        light = render._shifted(stage.background, stage, actors[0].motion.drift[index])
        for actor in actors:
            torso = render._shifted(actor.scene.torso, stage, actor.motion.sway[index])
            light *= 1 - torso[..., 3:]
            light += torso[..., :3]
            motion = actor.motion
            render._draw_head(light, actor.head, actor.scene, motion.poses[index], motion.expressions[index])
        yield render.expose(light, stage.camera, rng)


def _actor(
    index: int, spot: tuple[float, float, float], stage: RenderedScene, rng: np.random.Generator
) -> Actor:
    person = draw_person(SEED, index)
    unit = spot[2] * stage.height / 2  # a face is about two units wide
    centre = (spot[0] * stage.width, spot[1] * stage.height)
    torso = scene._torso(person, stage.light, (stage.width, stage.height), unit, centre, rng)
    placed = replace(stage, unit=unit, centre=centre, torso=torso)
    return Actor(paint_head(person), placed, draw_motion(placed, np.arange(RENDERED) / FPS, rng))


def encode(path: Path, frames: Sequence[RenderedFrame]) -> None:
    """Write `SECONDS` of video."""
    order = there_and_back(len(frames))
    partial = path.with_stem(f".{path.stem}")
    with av.open(partial, "w") as container:
        stream: Any = container.add_stream("libx264", rate=FPS)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for index in range(SECONDS * FPS):
            frame = av.VideoFrame.from_ndarray(frames[order[index % len(order)]], "rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    partial.replace(path)


def there_and_back(count: int) -> list[int]:
    """The order in which rendered frames are shown, again and again."""
    return [*range(count), *range(count - 2, 0, -1)]
