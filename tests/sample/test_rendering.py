"""People, their movement and the frames they end up in."""

from dataclasses import replace

import numpy as np
import pytest

from sample.features import Expression, paint_features
from sample.geometry import EXTENT, EYE_Y, RESOLUTION
from sample.paint import PaintedHead, paint_head
from sample.person import draw_person
from sample.render import render_rgb
from sample.scene import RenderedScene, draw_scene
from sample.talking import MAX_YAW, Motion, draw_motion

REST = Expression(blink=0.0, gaze=(0.0, 0.0), mouth=0.0, smile=0.0, width=1.0)


@pytest.fixture
def scene(head: PaintedHead, rng: np.random.Generator) -> RenderedScene:
    return draw_scene(head.person, 320, 240, rng)


def draw(scene: RenderedScene, seconds: float, seed: int = 1) -> Motion:
    return draw_motion(scene, np.arange(0, seconds, 0.04), np.random.default_rng(seed))


def test_people_are_drawn_from_the_seed_alone() -> None:
    assert draw_person(4, 7) == draw_person(4, 7)
    assert draw_person(4, 7) != draw_person(4, 8)
    assert draw_person(4, 7) != draw_person(5, 7)


def test_a_sample_shows_every_style_and_all_tones() -> None:
    people = [draw_person(2026, index) for index in range(72)]
    assert {person.hair_style for person in people} == {"bald", "buzz", "short", "curly", "long"}
    assert {person.beard for person in people} == {"none", "stubble", "goatee", "full"}
    assert {person.glasses for person in people} == {"none", "round", "square"}
    tones = sorted(float(np.mean(person.skin)) for person in people)
    assert tones[0] < 0.08
    assert tones[-1] > 0.5


def test_painting_is_repeatable() -> None:
    once, again = (paint_head(draw_person(4, 1)) for _ in range(2))
    assert (once.albedo == again.albedo).all()
    assert (once.normals == again.normals).all()


@pytest.mark.parametrize("style", ["bald", "buzz", "short", "curly", "long"])
def test_every_hair_style_paints(style: str) -> None:
    head = paint_head(replace(draw_person(4, 2), hair_style=style))
    crown = head.cover[int((-1.5 + EXTENT) * RESOLUTION)].max()
    assert np.isfinite(head.albedo).all()
    assert (crown > 0.5) == (style in {"short", "curly", "long"})


def test_a_blink_changes_the_eyes_and_nothing_else(head: PaintedHead) -> None:
    opened = paint_features(head.albedo, head.person, REST)
    shut = paint_features(head.albedo, head.person, replace(REST, blink=1.0))
    rows = np.flatnonzero(np.abs(opened - shut).max(axis=(1, 2)))
    eye = int((EYE_Y + EXTENT) * RESOLUTION)
    assert eye - 0.26 * RESOLUTION < rows.min() < rows.max() < eye + 0.26 * RESOLUTION


def test_an_open_mouth_is_dark_inside(head: PaintedHead) -> None:
    where = int((head.person.nose_length + 0.25 + 0.03 + EXTENT) * RESOLUTION)
    middle = int(EXTENT * RESOLUTION)
    open_wide = paint_features(head.albedo, head.person, replace(REST, mouth=1.0))
    closed = paint_features(head.albedo, head.person, REST)
    assert open_wide[where : where + 5, middle].mean() < 0.6 * closed[where : where + 5, middle].mean()


def test_movement_is_smooth_and_within_bounds(scene: RenderedScene) -> None:
    for seed in range(20):
        motion = draw(scene, 3.0, seed)
        yaw = np.array([pose.yaw for pose in motion.poses])
        x = np.array([pose.x for pose in motion.poses])
        assert np.abs(yaw).max() <= MAX_YAW
        assert np.abs(np.diff(yaw)).max() < np.deg2rad(6)
        assert np.abs(np.diff(x)).max() < 4
        assert all(0 <= expression.mouth <= 1 for expression in motion.expressions)


def test_people_blink_and_talk(scene: RenderedScene) -> None:
    motions = [draw(scene, 3.0, seed) for seed in range(10)]
    assert all(max(e.blink for e in motion.expressions) > 0.9 for motion in motions)
    assert all(max(e.mouth for e in motion.expressions) > 0.2 for motion in motions)


def test_frames_are_pictures_and_masks_lie_on_the_face(head: PaintedHead, scene: RenderedScene) -> None:
    motion = draw(scene, 0.12)
    shots = list(render_rgb(head, scene, motion, np.random.default_rng(0)))
    assert len(shots) == 3
    for (frame, mask), pose in zip(shots, motion.poses, strict=True):
        assert frame.shape == (240, 320, 3)
        assert frame.dtype == np.uint8
        assert 20 < frame.mean() < 220
        rows, columns = np.nonzero(mask > 0.5)
        assert abs(columns.mean() - pose.x) < 0.35 * scene.unit
        assert 1.0 * scene.unit < columns.max() - columns.min() < 2.2 * scene.unit
        assert 1.2 * scene.unit < rows.max() - rows.min() < 2.4 * scene.unit


def test_the_head_covers_the_background(head: PaintedHead, scene: RenderedScene) -> None:
    motion = draw(scene, 0.04)
    other = replace(scene, background=1 - scene.background)
    quiet = replace(scene.camera, noise=0.0)
    (frame, mask), (changed, _) = (
        next(render_rgb(head, replace(s, camera=quiet), motion, np.random.default_rng(0)))
        for s in (scene, other)
    )
    difference = np.abs(frame.astype(int) - changed).max(axis=2)
    assert difference[mask > 0.99].max() == 0
    assert difference[:20].mean() > 20
