from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.faces.clip import Clip, Failure
from components.faces.extract import MAX_FACES, extract, fill
from components.faces.mtcnn import Detections, Mtcnn
from components.faces.policy import CropPolicy, Even, Limits
from components.faces.video import evenly_spaced, probe, sample_frames


class Scripted(Mtcnn):
    """Answers the sampled frames one after another with boxes written down before."""

    def __init__(self, *frames: list[tuple[float, float, float, float]]) -> None:
        self._frames = iter(frames)

    def detect(self, frame: Any) -> Detections:
        boxes = np.array(next(self._frames), np.float32).reshape(-1, 4)
        points = np.repeat(boxes[:, None, :2], 5, axis=1)
        return Detections(boxes, np.linspace(1.0, 0.9, len(boxes), dtype=np.float32), points)


FACE = (20.0, 10.0, 60.0, 50.0)


@pytest.fixture
def video(tmp_path: Path, make_video: Callable[..., Path]) -> Path:
    return make_video(tmp_path / "a.mp4", frames=32)


def test_a_clip_of_a_face_that_is_always_there(video: Path, policy: CropPolicy, limits: Limits) -> None:
    clip = extract(video, policy, limits, Scripted(*[[FACE]] * 8))
    assert isinstance(clip, Clip)
    assert clip.crops.shape == (8, 64, 64, 3)
    assert clip.crops.dtype == np.uint8
    assert (clip.boxes == FACE).all()
    assert clip.landmarks.shape == (8, 5, 2)
    assert (clip.frames, clip.face_share, clip.tracks, clip.box_side) == (8, 1.0, 1, 40.0)
    assert clip.info == probe(video, limits)
    assert clip.times.tolist() == sample_frames(video, 8, limits)[1]
    greys = [frame[-1, -1, 0] for frame in sample_frames(video, 8, limits)[0]]
    assert [crop[-1, -1, 0] for crop in clip.crops] == greys


def test_frames_without_the_face_are_filled_with_the_nearest(
    video: Path, policy: CropPolicy, limits: Limits
) -> None:
    clip = extract(video, policy, limits, Scripted([], [], [FACE], [], [], [FACE], [], []))
    assert isinstance(clip, Clip)
    assert clip.face_share == 0.25
    times = [evenly_spaced(32, 8)[i] / 25 for i in (2, 5)]
    assert clip.times == pytest.approx([times[0]] * 4 + [times[1]] * 4)
    assert len({crop.tobytes() for crop in clip.crops}) == 2


def test_a_video_shorter_than_the_clip_fills_it(video: Path, limits: Limits) -> None:
    clip = extract(video, CropPolicy(sampling=Even(frames=48), size=64), limits, Scripted(*[[FACE]] * 32))
    assert isinstance(clip, Clip)
    assert clip.crops.shape[0] == 48
    assert clip.frames == 32
    assert len(set(clip.times)) == 32
    assert list(clip.times) == sorted(clip.times)


@pytest.mark.parametrize(
    ("frames", "failure"),
    [
        ([[]] * 8, Failure("no_face", "no face in any of 8 frames", 8)),
        (
            [[FACE], *[[]] * 7],
            Failure("no_face", "the face shows in 1 of 8 frames, 25% are needed", 8, 0.125, 1),
        ),
    ],
)
def test_too_little_of_a_face_is_no_face(
    video: Path, policy: CropPolicy, limits: Limits, frames: list[Any], failure: Failure
) -> None:
    assert extract(video, policy, limits, Scripted(*frames)) == failure


def test_a_broken_video_is_a_failure(tmp_path: Path, policy: CropPolicy, limits: Limits) -> None:
    (tmp_path / "a.mp4").touch()
    assert extract(tmp_path / "a.mp4", policy, limits, Scripted()) == Failure(
        "undecodable", "the file is empty"
    )


def test_the_main_face_is_followed_past_others(video: Path, policy: CropPolicy, limits: Limits) -> None:
    small = (70.0, 40.0, 84.0, 54.0)
    found = [[small, FACE] if index % 2 else [FACE, small] for index in range(8)]
    clip = extract(video, policy, limits, Scripted(*found))
    assert isinstance(clip, Clip)
    assert clip.tracks == 2
    assert (clip.boxes == FACE).all()


def test_a_crowd_is_looked_at_in_part(video: Path, policy: CropPolicy, limits: Limits) -> None:
    crowd = [(200.0 * i, 0.0, 200.0 * i + 40, 40.0) for i in range(MAX_FACES + 5)]
    clip = extract(video, policy, limits, Scripted(*[crowd] * 8))
    assert isinstance(clip, Clip)
    assert clip.tracks == MAX_FACES


@pytest.mark.parametrize(
    ("present", "sampled", "length", "expected"),
    [
        ([0, 1, 2, 3], 4, 4, [0, 1, 2, 3]),
        ([1, 2], 4, 4, [0, 0, 1, 1]),
        ([0, 3], 4, 4, [0, 0, 1, 1]),
        ([0, 2], 4, 4, [0, 0, 1, 1]),  # as near: the earlier
        ([2], 4, 4, [0, 0, 0, 0]),
        ([0, 1], 2, 4, [0, 0, 1, 1]),
    ],
)
def test_fill(present: list[int], sampled: int, length: int, expected: list[int]) -> None:
    assert fill(present, sampled, length) == expected
