"""What a person is shown of a video, and what a worker may claim to have seen."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.arrays import Floats32, Image
from components.detectors.detections import Detections
from components.faces.clip import Faces, Failure
from components.faces.extract import extract
from components.faces.look import LOOK_SIDE, MOST_PICTURES, Look, Sighted, look, read_look, sampled_frames
from components.faces.policy import CropPolicy
from components.faces.pool import WorkerPool
from components.sandbox.protocol import ProtocolError
from components.video.container import VideoFault
from components.video.frames import VideoInfo
from components.video.limits import Limits
from components.video.sampling import Even

POLICY = CropPolicy(sampling=Even(frames=4), size=32, tracks="all")
INFO = VideoInfo(30, 25.0, 320, 240, 1.2, "h264", 1000)


class TwoFaces:
    """Finds a face in every frame, and another one in every other."""

    def __init__(self) -> None:
        self._frames = 0

    def detect(self, frame: Image, near: Floats32 | None = None) -> Detections:
        self._frames += 1
        count = 1 + self._frames % 2
        boxes = np.array([[2, 2, 22, 22], [60, 30, 80, 50]], np.float32)[:count]
        return Detections(boxes, np.ones(count, np.float32), np.full((count, 5, 2), np.nan, np.float32))


class Nobody:
    def detect(self, frame: Image, near: Floats32 | None = None) -> Detections:
        return Detections(
            np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty((0, 5, 2), np.float32)
        )


def made(result: Faces | Failure, **changed: Any) -> Look:
    face = Sighted(1, 0, np.array([1, 2, 3, 4], np.float32), 0.5, np.full((5, 2), np.nan, np.float32))
    other = Sighted(3, 1, np.array([5, 2, 9, 4], np.float32), 1.0, np.ones((5, 2), np.float32))
    values: dict[str, Any] = {
        "info": INFO,
        "times": np.arange(4.0),
        "pictures": np.zeros((4, 30, 40, 3), np.uint8),
        "sighted": (face, other),
        "scored": (1,),
        "cpu": 0.5,
        "wall": 1.0,
    }
    return Look(result, **(values | changed))


@pytest.mark.parametrize(
    ("frames", "expected"), [(0, []), (3, [0, 1, 2]), (MOST_PICTURES, list(range(MOST_PICTURES)))]
)
def test_all_frames_are_shown(frames: int, expected: list[int]) -> None:
    assert sampled_frames(frames) == expected


def test_of_many_frames_some_are_shown() -> None:
    indices = sampled_frames(500)
    assert len(indices) == MOST_PICTURES
    assert indices[0] == 0
    assert set(np.diff(indices)) == {7, 8}


def test_a_look_ends_as_extracting_does_and_keeps_what_was_seen(
    make_video: Callable[..., Path], tmp_path: Path
) -> None:
    video = make_video(tmp_path / "a.mp4")
    found = look(video, POLICY, Limits(), TwoFaces())
    cut = extract(video, POLICY, Limits(), TwoFaces())
    assert isinstance(cut, Faces)
    assert isinstance(found.result, Faces)
    assert found.result.parts()[0] == cut.parts()[0]
    assert np.array_equal(found.result.main.crops, cut.main.crops)
    assert found.pictures.shape == (4, 64, 96, 3)
    assert [face.frame for face in found.sighted] == [0, 0, 1, 2, 2, 3]
    assert len({face.track for face in found.sighted}) == cut.tracks
    assert len(found.scored) == len(cut.clips)
    assert np.all(np.diff(found.times) > 0)
    assert found.wall > 0


def test_pictures_are_small(make_video: Callable[..., Path], tmp_path: Path) -> None:
    video = make_video(tmp_path / "a.mp4", size=(960, 240))
    assert look(video, POLICY, Limits(), Nobody()).pictures.shape == (4, 120, LOOK_SIDE, 3)


def test_where_nobody_is_found_the_frames_are_shown(make_video: Callable[..., Path], tmp_path: Path) -> None:
    found = look(make_video(tmp_path / "a.mp4"), POLICY, Limits(), Nobody())
    assert isinstance(found.result, Failure)
    assert found.result.status == "no_face"
    assert (len(found.pictures), found.sighted, found.scored) == (4, (), ())


def test_a_file_that_is_no_video_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("text", encoding="utf-8")
    with pytest.raises(VideoFault):
        look(tmp_path / "a.mp4", POLICY, Limits(), Nobody())


@pytest.mark.parametrize("failed", [False, True])
def test_what_a_worker_sends_is_what_is_read(make_faces: Callable[..., Faces], failed: bool) -> None:
    sent = made(Failure("no_face", "nobody") if failed else make_faces(4, 32))
    header, arrays = sent.parts()
    read = read_look(header, arrays, POLICY)
    assert isinstance(read, Look)
    assert isinstance(read.result, Failure) == failed
    for one, other in zip(read.sighted, sent.sighted, strict=True):
        assert (one.frame, one.track, one.score) == (other.frame, other.track, other.score)
        assert np.array_equal(one.box, other.box)
        assert np.array_equal(one.landmarks, other.landmarks, equal_nan=True)
    assert np.array_equal(read.times, sent.times)
    assert (read.info, read.scored, read.cpu, read.wall) == (INFO, (1,), 0.5, 1.0)


def test_a_video_without_frames_is_a_failure() -> None:
    failure = {"failure": {"status": "undecodable", "reason": "no"}}
    assert read_look(failure, {}, POLICY) == Failure("undecodable", "no")


def nonsense() -> Iterator[Any]:
    box, points = np.array([1, 2, 3, 4], np.float32), np.ones((5, 2), np.float32)
    changes: dict[str, dict[str, Any]] = {
        "no frames": {"times": np.empty(0), "pictures": np.empty((0, 30, 40, 3), np.uint8), "sighted": ()},
        "more frames than asked for": {"times": np.arange(5.0)},
        "times that are none": {"times": np.array([0, 1, np.nan, 2])},
        "times that go back": {"times": np.array([0, 2, 1, 3.0])},
        "a box inside out": {"sighted": (Sighted(0, 0, box[::-1], 1.0, points),), "scored": ()},
        "a box far away": {"sighted": (Sighted(0, 0, box * 1e9, 1.0, points),), "scored": ()},
        "a video of no width": {"info": replace(INFO, width=0)},
        "endless seconds": {"cpu": np.inf},
        "fewer pictures": {"pictures": np.zeros((3, 30, 40, 3), np.uint8)},
        "large pictures": {"pictures": np.zeros((4, 1, LOOK_SIDE + 1, 3), np.uint8)},
        "empty pictures": {"pictures": np.zeros((4, 0, 40, 3), np.uint8)},
        "grey pictures": {"pictures": np.zeros((4, 30, 40, 1), np.uint8)},
        "pictures of numbers": {"pictures": np.zeros((4, 30, 40, 3), np.float32)},
        "a scored face that was not seen": {"scored": (2,)},
        "negative seconds": {"cpu": -1.0},
        "a frame that was not sampled": {"sighted": (Sighted(4, 0, box, 1.0, points),), "scored": ()},
        "a negative track": {"sighted": (Sighted(0, -1, box, 1.0, points),), "scored": ()},
        "too many tracks": {"sighted": (Sighted(0, 1, box, 1.0, points),), "scored": ()},
        "a box without end": {"sighted": (Sighted(0, 0, box * np.inf, 1.0, points),), "scored": ()},
        "eyes far away": {"sighted": (Sighted(0, 0, box, 1.0, points * 1e9),), "scored": ()},
    }
    for name, changed in changes.items():
        yield pytest.param(changed, id=name)


@pytest.mark.parametrize("changed", list(nonsense()))
def test_nonsense_is_refused(changed: dict[str, Any]) -> None:
    header, arrays = made(Failure("no_face", "nobody"), **changed).parts()
    with pytest.raises(ProtocolError):
        read_look(header, arrays, POLICY)


@pytest.mark.parametrize("missing", ["pictures", "seen", "seen_times", "look"])
def test_an_answer_that_lacks_something_is_refused(make_faces: Callable[..., Faces], missing: str) -> None:
    header, arrays = made(make_faces(4, 32)).parts()
    header.pop(missing, None)
    arrays.pop(missing, None)
    with pytest.raises(ProtocolError):
        read_look(header, arrays, POLICY)


def test_a_pool_looks_at_every_path(detector: Path, make_video: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "b.mp4").touch()
    with WorkerPool(1, Limits(), POLICY, detector) as pool:
        found = dict(pool.look([make_video(tmp_path / "a.mp4"), tmp_path / "b.mp4"]))
    assert isinstance(found[0], Look)
    assert isinstance(found[1], Failure)
    assert found[1].status == "undecodable"
