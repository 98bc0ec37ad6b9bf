import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from components.arrays import Floats32, Image
from components.detectors.detections import Detections
from components.faces import cutter as room
from components.faces.cutter import AFRESH, LOOK_AHEAD, Cutter
from components.faces.policy import CropPolicy
from components.video.frames import Frame

Box = tuple[float, float, float, float]
LEFT, RIGHT = (20.0, 20.0, 60.0, 60.0), (120.0, 20.0, 150.0, 50.0)


class Scripted:
    """Answers frame by frame, and remembers what it was told."""

    def __init__(self, *frames: Sequence[Box]) -> None:
        self._frames = frames
        self.told: list[Floats32 | None] = []

    def detect(self, frame: Image, near: Floats32 | None = None) -> Detections:
        boxes = np.array(self._frames[len(self.told)], np.float32).reshape(-1, 4)
        self.told.append(near)
        return Detections(
            boxes, np.ones(len(boxes), np.float32), np.full((len(boxes), 5, 2), np.nan, np.float32)
        )


def picture(index: int) -> NDArray[np.uint8]:
    image = np.full((100, 200, 3), (180, 140, 120), np.uint8)
    image[90:] = index
    return image


def run(detector: Scripted, policy: CropPolicy, interval: float = 0.04) -> Cutter:
    cutter = Cutter(policy, detector)
    for index in range(len(detector._frames)):
        cutter.visit(Frame(picture(index), index * interval))
    cutter.finish()
    return cutter


def test_few_frames_are_held(policy: CropPolicy) -> None:
    cutter = Cutter(policy, Scripted(*[[LEFT]] * 30))
    alive: list[weakref.ref[Any]] = []
    for index in range(30):
        image = picture(index)
        alive.append(weakref.ref(image))
        cutter.visit(Frame(image, index / 25))
        del image
        assert sum(ref() is not None for ref in alive) <= LOOK_AHEAD
    cutter.finish()
    assert not any(ref() is not None for ref in alive)
    (cuts,) = cutter.cuts.values()
    assert sorted(cuts) == list(range(30))


def test_the_detector_is_told_where_faces_were_and_looks_afresh_now_and_then(policy: CropPolicy) -> None:
    detector = Scripted(*[[LEFT, RIGHT]] * 20)
    run(detector, policy)
    afresh = [index for index, near in enumerate(detector.told) if near is None]
    assert afresh == [0, AFRESH, 2 * AFRESH]
    for near in detector.told:
        assert near is None or sorted(near.tolist()) == [list(LEFT), list(RIGHT)]


@pytest.mark.parametrize(("interval", "told"), [(0.04, True), (0.099, True), (0.1, False), (0.66, False)])
def test_where_faces_were_long_ago_is_not_told(policy: CropPolicy, interval: float, told: bool) -> None:
    detector = Scripted([LEFT], [LEFT])
    run(detector, policy, interval)
    assert (detector.told[1] is not None) == told


def test_who_was_seen_for_some_time_and_is_missed_is_looked_for(policy: CropPolicy) -> None:
    detector = Scripted([LEFT, RIGHT], [LEFT], [LEFT, RIGHT], [LEFT, RIGHT], *[[LEFT]] * 6)
    run(detector, policy)
    counts = [0 if near is None else len(near) for near in detector.told]
    assert counts == [0, 2, 1, 2, 2, 2, 2, 2, 0, 1]


def test_nobody_to_tell_of(policy: CropPolicy) -> None:
    detector = Scripted([], [], [LEFT])
    run(detector, policy)
    assert detector.told == [None, None, None]


def test_what_is_no_place_is_no_face(policy: CropPolicy) -> None:
    odd = [(60.0, 20.0, 20.0, 60.0), (np.nan, 0.0, 9.0, 9.0), (-1e30, 0.0, 1e30, 9.0)]
    cutter = run(Scripted(*[[*odd, LEFT]] * 6), policy)
    (track,) = cutter.tracks
    assert [face.box.tolist() for face in track.sightings] == [list(LEFT)] * 6


def test_starting_again_forgets(policy: CropPolicy) -> None:
    detector = Scripted([RIGHT], [RIGHT], *[[LEFT]] * 6)
    cutter = Cutter(policy.model_copy(update={"fallback": "center"}), detector)
    cutter.visit(Frame(picture(0), 0.0))
    cutter.visit(Frame(picture(1), 0.04))
    cutter.restart()
    assert [cutter.visit(Frame(picture(index), index / 25)) for index in range(6)] == list(range(6))
    cutter.finish()
    (track,) = cutter.tracks
    assert len(track.sightings) == len(cutter.cuts[track]) == len(cutter.centres) == 6
    assert cutter.taken.tolist() == list(range(6))
    assert detector.told[2] is None


def test_the_least_prominent_faces_make_room(policy: CropPolicy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "CROPS_MEMORY", 12 * 3 * policy.size**2)
    passing = [(70.0 + 3 * t, 70.0, 80.0 + 3 * t, 80.0) for t in range(10)]
    cutter = run(Scripted(*[[LEFT, RIGHT, small] for small in passing]), policy)
    assert len(cutter.tracks) == 3
    (kept,) = cutter.cuts
    assert kept.last.side == 40
    assert len(cutter.cuts[kept]) == 10


def test_a_large_face_that_passes_makes_room_for_one_that_lasts(
    policy: CropPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "CROPS_MEMORY", 0)
    large = (100.0, 0.0, 190.0, 90.0)
    cutter = run(Scripted([LEFT, large], *[[LEFT]] * 7), policy)
    assert len(cutter.tracks) == 2
    (kept,) = cutter.cuts
    assert len(cutter.cuts[kept]) == 8


def test_there_is_always_room_for_the_faces_that_the_policy_asks_for(
    policy: CropPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "CROPS_MEMORY", 0)
    cutter = run(Scripted(*[[LEFT, RIGHT]] * 8), policy.model_copy(update={"tracks": "all"}))
    assert [len(cuts) for cuts in cutter.cuts.values()] == [8, 8]
