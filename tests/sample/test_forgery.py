"""What a forgery does to frames, and what it must leave alone."""

from typing import get_args

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from sample.forgery import (
    METHODS,
    Method,
    draw_forgery_faults,
    face_box,
    forge,
    jpeg,
    render_self_blend,
    transfer_tone,
)

Frame = NDArray[np.uint8]
MASK = np.zeros((120, 160), np.float32)
cv2.ellipse(MASK, (80, 60), (30, 38), 0, 0, 360, 1.0, -1)


def still(frames: int = 4, noise: float = 2.0) -> list[Frame]:
    """A grey face that does not move, with grain."""
    rng = np.random.default_rng(0)
    picture = np.full((120, 160, 3), 120.0)
    for centre in ((68, 50), (92, 50), (80, 78)):
        cv2.circle(picture, centre, 6, (40.0, 30.0, 30.0), -1)
    return [
        np.clip(picture + rng.normal(0, noise, picture.shape), 0, 255).astype(np.uint8) for _ in range(frames)
    ]


@pytest.mark.parametrize("method", METHODS)
def test_faults_stay_within_the_recipe(method: Method) -> None:
    for seed in range(50):
        faults = draw_forgery_faults(method, np.random.default_rng(seed))
        assert 5 <= abs(faults.tone[0]) <= 12
        assert 12 <= np.hypot(faults.tone[1], faults.tone[2]) <= 17.001
        assert abs(faults.contrast - 1) <= 0.17
        assert 0.025 <= abs(faults.scale - 1) <= 0.07
        assert abs(np.rad2deg(faults.rotation)) <= 3.7
        assert np.hypot(*faults.shift) <= 0.05
        assert np.abs(faults.elastic).max() <= 0.02
        assert 1 <= faults.edge <= 2
        assert 16 <= abs(faults.halo) <= 28


def test_each_signature_belongs_to_one_method() -> None:
    drawn = {method: draw_forgery_faults(method, np.random.default_rng(1)) for method in METHODS}
    assert set(METHODS) == set(get_args(Method))
    assert {m for m, f in drawn.items() if f.shrink > 1} == {"low_resolution"}
    assert {m for m, f in drawn.items() if f.hold or f.tone_jitter} == {"flicker"}
    assert {m for m, f in drawn.items() if f.jitter >= 1.5} == {"flicker"}


@pytest.mark.parametrize("method", METHODS)
def test_a_forgery_changes_the_face_and_nothing_else(method: Method, rng: np.random.Generator) -> None:
    frames = still()
    forged, covers = render_self_blend(frames, [MASK] * 4, method, rng)
    for before, after, cover in zip(frames, forged, covers, strict=True):
        changed = np.abs(after.astype(int) - before).max(axis=2)
        assert changed[cover > 0.9].mean() > 8
        assert changed[cover == 0].max() == 0
        overlap = ((cover > 0.5) & (MASK > 0.5)).sum() / ((cover > 0.5) | (MASK > 0.5)).sum()
        assert overlap > 0.85


def test_frames_given_are_not_written_to(rng: np.random.Generator) -> None:
    frames = still(2)
    copies = [frame.copy() for frame in frames]
    render_self_blend(frames, [MASK] * 2, "flicker", rng)
    assert all((frame == copy).all() for frame, copy in zip(frames, copies, strict=True))


def test_the_same_randomness_gives_the_same_forgery() -> None:
    once, again = (
        render_self_blend(still(), [MASK] * 4, "flicker", np.random.default_rng(9))[0] for _ in range(2)
    )
    assert all((a == b).all() for a, b in zip(once, again, strict=True))


def test_flicker_trembles_more_than_other_methods() -> None:
    def unrest(method: Method) -> float:
        forged, _ = render_self_blend(still(8, noise=0), [MASK] * 8, method, np.random.default_rng(2))
        return float(np.abs(np.diff(np.stack(forged).astype(float), axis=0)).mean())

    assert unrest("flicker") > 1.5 * max(unrest("self_blend"), unrest("low_resolution"))


def test_a_face_outside_the_picture_is_left_as_it_is(rng: np.random.Generator) -> None:
    frames, nothing = still(1), np.zeros_like(MASK)
    forged, covers = render_self_blend(frames, [nothing], "self_blend", rng)
    assert (forged[0] == frames[0]).all()
    assert covers[0].max() == 0
    assert face_box(nothing) is None


def test_a_swap_shows_the_source(rng: np.random.Generator) -> None:
    target, source = still(1, noise=0), [np.full((120, 160, 3), 120, np.uint8)]
    faults = draw_forgery_faults("swap", rng)
    forged, covers = forge(target, source, [MASK], faults, rng)
    core = cv2.erode(covers[0], np.ones((9, 9))) > 0.99
    # The dark eyes and mouth of the target are gone, but for the grain that stands in for their detail.
    assert forged[0][core].min() > 60 > target[0][core].min()


def test_tone_transfer_meets_the_targets_tone_and_keeps_pupils_dark() -> None:
    target = np.full((120, 160, 3), (200, 150, 130), np.uint8)
    source = np.full((120, 160, 3), (90, 60, 40), np.uint8)
    cv2.circle(source, (80, 60), 4, (8, 6, 5), -1)
    moved = transfer_tone(source, target, MASK)
    skin = moved[(MASK > 0.5) & (source[..., 0] == 90)].mean(axis=0)
    assert np.abs(skin - (200, 150, 130)).max() < 12
    assert moved[60, 80].max() < 60


def test_jpeg_keeps_size_and_colour_order() -> None:
    frame = np.full((32, 48, 3), (200, 40, 10), np.uint8)
    assert np.abs(jpeg(frame, 90).astype(int) - frame).max() < 6


@pytest.mark.parametrize(("grey", "lighter"), [(40, True), (235, False)])
def test_no_face_is_drowned_in_black_or_white(grey: int, lighter: bool) -> None:
    frame = np.full((120, 160, 3), grey, np.uint8)
    for seed in range(12):
        forged, covers = render_self_blend([frame], [MASK], "self_blend", np.random.default_rng(seed))
        core = cv2.cvtColor(forged[0], cv2.COLOR_RGB2GRAY)[covers[0] > 0.99].mean()
        assert (core > grey) == lighter
