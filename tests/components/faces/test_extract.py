from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from components.arrays import Floats32, Image
from components.detectors.detections import Detections
from components.detectors.full_frame import FullFrame
from components.detectors.settings import NoDetector
from components.faces.clip import Clip, Faces, Failure, Origin
from components.faces.extract import extract, frames_shown, nearest, places_of
from components.faces.policy import MAX_FACES, CropPolicy
from components.video.frames import probe, sample_frames
from components.video.limits import Limits
from components.video.sampling import Consecutive, Even, Every, RangeSampling, Sampling

Box = tuple[float, float, float, float]
FACE, SMALL = (20.0, 10.0, 60.0, 50.0), (70.0, 40.0, 84.0, 54.0)
D, I, R = Origin.DETECTED, Origin.INTERPOLATED, Origin.REPEATED  # noqa: E741


class Scripted:
    """Answers the sampled frames one after another with boxes written down before."""

    def __init__(self, frames: Sequence[Sequence[Box]], landmarks: Floats32 | None = None) -> None:
        self._frames = iter(frames)
        self._landmarks = np.full((5, 2), np.nan, np.float32) if landmarks is None else landmarks

    def detect(self, frame: Image, near: Floats32 | None = None) -> Detections:
        boxes = np.array(next(self._frames), np.float32).reshape(-1, 4)
        scores = np.linspace(1.0, 0.95, len(boxes), dtype=np.float32)
        return Detections(boxes, scores, np.repeat(self._landmarks[None], len(boxes), axis=0))


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """Makes a film in which nothing changes but its left edge, which tells the frame."""

    def make(frames: int) -> Path:
        path = tmp_path_factory.mktemp("film") / "a.mp4"
        with av.open(path, "w") as container:
            stream: Any = container.add_stream("libx264", rate=25, options={"crf": "1"})
            stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
            for index in range(frames):
                image = np.full((64, 96, 3), 120, np.uint8)
                image[:, :20] = 5 * index + 10
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
            container.mux(stream.encode())
        return path

    return make


@pytest.fixture(scope="module")
def video(film: Callable[[int], Path]) -> Path:
    return film(32)


def frames_of(clip: Clip) -> list[int]:
    """Which frame of the film each crop is from."""
    return [round((float(crop[crop.shape[0] // 2, 1, 0]) - 10) / 5) for crop in clip.crops]


def cut(path: Path, policy: CropPolicy, frames: Sequence[Sequence[Box]], **update: object) -> Faces:
    faces = extract(path, policy.model_copy(update=update), Limits(min_frames=2), Scripted(frames))
    assert isinstance(faces, Faces)
    return faces


def test_a_face_that_is_always_there(video: Path, policy: CropPolicy, limits: Limits) -> None:
    faces = cut(video, policy, [[FACE]] * 8)
    clip = faces.main
    assert clip.crops.shape == (8, 64, 64, 3)
    assert clip.crops.dtype == np.uint8
    assert (clip.boxes == FACE).all()
    assert clip.landmarks.shape == (8, 5, 2)
    assert clip.origins.tolist() == [D] * 8
    assert (faces.frames, faces.face_share, faces.tracks, faces.fallback) == (8, 1.0, 1, None)
    assert (len(faces.clips), clip.box_side) == (1, 40.0)
    assert faces.info == probe(video, limits)
    assert faces.times.tolist() == sample_frames(video, 8, limits)[1]
    assert frames_of(clip) == [round(25 * time) for time in faces.times]


SEEN_TWICE = [[], [], [FACE], [], [], [FACE], [], []]
AWAY_AND_BACK = [[], [], [FACE], [], [], [(40.0, 10.0, 80.0, 50.0)], [], []]


@pytest.mark.parametrize(
    ("frames", "origins", "shown"),
    [
        (SEEN_TWICE, [R, R, D, I, I, D, R, R], [2, 2, 2, 3, 4, 5, 5, 5]),
        (AWAY_AND_BACK, [R, R, D, R, R, D, R, R], [2, 2, 2, 2, 5, 5, 5, 5]),
    ],
)
def test_frames_in_which_the_face_is_not_seen(
    video: Path, policy: CropPolicy, frames: list[list[Box]], origins: list[Origin], shown: list[int]
) -> None:
    faces = cut(video, policy, frames)
    clip = faces.main
    assert faces.face_share == 0.25
    assert clip.origins.tolist() == origins
    if frames is SEEN_TWICE:
        assert frames_of(clip) == [round(25 * faces.times[index]) for index in shown]
    assert (clip.scores > 0).tolist() == [origin != I for origin in origins]
    assert clip.boxes.tolist() == [clip.boxes[index].tolist() for index in shown]
    assert (np.diff(faces.times) > 0).all()


@pytest.mark.parametrize("length", [8, 48])
def test_a_video_shorter_than_the_clip_fills_it(video: Path, policy: CropPolicy, length: int) -> None:
    faces = cut(video, policy, [[FACE]] * 32, sampling=Even(frames=length))
    assert faces.main.crops.shape[0] == length
    assert faces.frames == min(length, 32)
    assert len(set(faces.times)) == faces.frames
    assert list(faces.times) == sorted(faces.times)
    assert (faces.main.origins == D).all()


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
def test_too_little_of_a_face(
    video: Path, policy: CropPolicy, frames: list[list[Box]], failure: Failure
) -> None:
    assert extract(video, policy, Limits(), Scripted(frames)) == failure
    faces = cut(video, policy, frames, fallback="center")
    assert (faces.fallback, faces.tracks, faces.frames, faces.face_share) == (
        "center",
        failure.tracks,
        8,
        0.0,
    )
    assert (faces.main.boxes == (16, 0, 80, 64)).all()
    assert not faces.main.scores.any()
    assert np.isnan(faces.main.landmarks).all()
    assert faces.main.box_side == 64
    assert frames_of(faces.main) == [round(25 * time) for time in faces.times]


def test_the_middle_is_not_cut_where_a_face_is(video: Path, policy: CropPolicy) -> None:
    faces = cut(video, policy, [[FACE]] * 8, fallback="center")
    assert faces.fallback is None
    assert (faces.main.boxes == FACE).all()


def test_a_broken_video_is_a_failure(tmp_path: Path, policy: CropPolicy, limits: Limits) -> None:
    (tmp_path / "a.mp4").touch()
    assert extract(tmp_path / "a.mp4", policy, limits, Scripted([])) == Failure(
        "undecodable", "the file is empty"
    )


@pytest.mark.parametrize(
    ("tracks", "share", "boxes"),
    [("main", 0.25, [FACE]), ("all", 0.25, [FACE, SMALL]), ("all", 0.75, [FACE])],
)
def test_which_faces_are_scored(
    video: Path, policy: CropPolicy, tracks: str, share: float, boxes: list[Box]
) -> None:
    found = [[SMALL, FACE] if index % 2 else [FACE] for index in range(8)]
    faces = cut(video, policy, found, tracks=tracks, min_face_share=share)
    assert faces.tracks == 2
    assert [clip.boxes[0].tolist() for clip in faces.clips] == [list(box) for box in boxes]
    assert all((clip.boxes == clip.boxes[0]).all() for clip in faces.clips)
    assert all(len(clip.crops) == 8 for clip in faces.clips)


@pytest.mark.parametrize(("score", "scored"), [(0.5, [FACE, SMALL]), (0.97, [FACE]), (1.0, [FACE])])
def test_of_faces_beside_the_main_one_the_detector_must_be_surer(
    video: Path, policy: CropPolicy, score: float, scored: list[Box]
) -> None:
    faces = cut(video, policy, [[FACE, SMALL]] * 8, tracks="all", min_score=score)
    assert [clip.boxes[0].tolist() for clip in faces.clips] == [list(box) for box in scored]


LARGE = (48.0, 8.0, 92.0, 52.0)


@pytest.mark.parametrize("tracks", ["main", "all"])
@pytest.mark.parametrize("fallback", ["none", "center"])
def test_a_large_face_that_is_seldom_there_does_not_hide_a_small_one_that_always_is(
    video: Path, policy: CropPolicy, tracks: str, fallback: str
) -> None:
    small = (26.0, 40.0, 38.0, 52.0)
    found = [[LARGE, small] if index == 3 else [small] for index in range(8)]
    faces = cut(video, policy, found, tracks=tracks, fallback=fallback)
    assert (faces.tracks, faces.fallback, faces.face_share) == (2, None, 1.0)
    assert [clip.boxes[0].tolist() for clip in faces.clips] == [list(small)]


def test_where_no_face_lasts_the_one_seen_longest_is_told_of(video: Path, policy: CropPolicy) -> None:
    small = (26.0, 40.0, 38.0, 52.0)
    found = [[LARGE], [], [small], [small], [small], [], [], []]
    failure = extract(video, policy.model_copy(update={"min_face_share": 0.5}), Limits(), Scripted(found))
    assert failure == Failure("no_face", "the face shows in 3 of 8 frames, 50% are needed", 8, 0.375, 2)


@pytest.mark.parametrize("share", [0.625, 0.625 + 1e-9])
def test_a_share_is_met_exactly(video: Path, policy: CropPolicy, share: float) -> None:
    found = [[FACE]] * 5 + [[]] * 3
    faces = extract(video, policy.model_copy(update={"min_face_share": share}), Limits(), Scripted(found))
    assert isinstance(faces, Faces) == (share == 0.625)


def test_a_crowd_is_looked_at_in_part(video: Path, policy: CropPolicy) -> None:
    crowd = [(200.0 * i, 0.0, 200.0 * i + 40, 40.0) for i in range(MAX_FACES + 5)]
    faces = cut(video, policy, [crowd] * 8, tracks="all")
    assert (faces.tracks, len(faces.clips)) == (MAX_FACES, MAX_FACES)


def test_a_place_borrows_from_another_only_where_it_shows_no_face(
    film: Callable[[int], Path], policy: CropPolicy
) -> None:
    path, sampling = film(13), Consecutive(policy="clip", places=3, frames=4)
    seen = [[], [], [], [FACE], [], [], [], [FACE], [], [], [], []]
    faces = cut(path, policy, seen, sampling=sampling, min_face_share=0.1, smoothing=0.0)
    first, second = (round(25 * faces.times[index]) for index in (3, 7))
    shown = frames_of(faces.main)
    assert shown[:4] == [first] * 4
    assert shown[7:] == [second] * 5
    assert faces.main.origins[[3, 7]].tolist() == [D, D]


@pytest.mark.parametrize("border", ["edge", "mirror", "black"])
def test_without_a_detector_the_whole_frame_is_cut(video: Path, policy: CropPolicy, border: str) -> None:
    whole = policy.model_copy(update={"detector": NoDetector(name="none"), "border": border, "size": 96})
    faces = extract(video, whole, Limits(), FullFrame())
    assert isinstance(faces, Faces)
    clip = faces.main
    assert (clip.boxes == (0, 0, 96, 64)).all()
    assert (faces.tracks, faces.face_share, clip.box_side) == (1, 1.0, 96.0)
    for crop, frame in zip(clip.crops, sample_frames(video, 8, Limits())[0], strict=True):
        assert np.array_equal(crop[16:80], frame)
        assert crop[:16].any() == (border != "black")


def test_another_shot_is_no_other_face_where_nothing_is_detected(
    tmp_path: Path, make_video: Callable[..., Path], policy: CropPolicy
) -> None:
    path = make_video(tmp_path / "a.mp4")  # goes from black to white
    faces = extract(
        path, policy.model_copy(update={"detector": NoDetector(name="none")}), Limits(), FullFrame()
    )
    assert isinstance(faces, Faces)
    assert (faces.tracks, faces.face_share) == (1, 1.0)


def test_faces_are_aligned_where_landmarks_are_known(video: Path, policy: CropPolicy) -> None:
    points = np.array([[30, 40], [30, 25], [40, 32], [50, 38], [50, 27]], np.float32)  # lying on its side
    aligned = policy.model_copy(update={"align": "landmarks"})
    turned, straight = (
        extract(video, aligned, Limits(), Scripted([[FACE]] * 8, landmarks)) for landmarks in (points, None)
    )
    assert isinstance(turned, Faces)
    assert isinstance(straight, Faces)
    assert np.array_equal(straight.main.crops, cut(video, policy, [[FACE]] * 8).main.crops)
    edge = turned.main.crops[4].astype(int)
    assert abs(edge[2, 32, 0] - 120) > 10  # the film's left edge is above
    assert abs(straight.main.crops[4][2, 32, 0].astype(int) - 120) <= 2
    assert (turned.main.landmarks == points).all()


@pytest.mark.parametrize(
    ("sampling", "taken", "expected"),
    [
        (Even(frames=4), [0, 1, 2, 3], [0, 1, 2, 3]),
        (Even(frames=4), [0, 1], [0, 0, 1, 1]),
        (Even(frames=4), [0, 1, 1, 2], [0, 1, 1, 2]),  # a frame that is shown for long
        (Consecutive(policy="clip", places=2, frames=3), [0, 1, 2, 3], [0, 0, 1, 2, 2, 3]),
        (RangeSampling(policy="range", least=3, most=5), [0], [0, 0, 0]),
        (RangeSampling(policy="range", least=3, most=5), [0, 1, 2, 3], [0, 1, 2, 3]),
        (Every(policy="every", step=2, most=5), [0, 1], [0, 1]),
    ],
)
def test_frames_of_a_clip(sampling: Sampling, taken: list[int], expected: list[int]) -> None:
    shown = frames_shown(sampling, np.array(taken))
    assert shown.tolist() == expected
    assert sampling.lengths[0] <= len(shown) <= sampling.lengths[1]


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        ([0, 1, 2, 3, 4, 5], [0, 0, 0, 1, 1, 1]),
        ([0, 1, 2, 2, 3, 4], [0, 0, 0, 1, 1]),  # two places share a frame
        ([0, 1, 2, 3], [0, 0, 0, 0]),  # a short video is one place
    ],
)
def test_places(taken: list[int], expected: list[int]) -> None:
    sampling = Consecutive(policy="clip", places=2, frames=3)
    assert places_of(sampling, np.array(taken)).tolist() == expected
    assert not places_of(Even(frames=6), np.array(taken)).any()


def indices(*values: int) -> NDArray[np.intp]:
    return np.array(values, np.intp)


@pytest.mark.parametrize(
    ("present", "times", "places", "expected"),
    [
        ([0, 1, 2, 3], [0, 1, 2, 3], [0] * 4, [0, 1, 2, 3]),
        ([1, 2], [0, 1, 2, 3], [0] * 4, [1, 1, 2, 2]),
        ([0, 2], [0, 1, 2, 3], [0] * 4, [0, 0, 2, 2]),  # as near: the earlier
        ([0, 3], [0, 2, 2.5, 3], [0] * 4, [0, 3, 3, 3]),  # in time, not in frames
        ([1, 3], [0, 1, 1.1, 2], [0, 0, 1, 1], [1, 1, 3, 3]),
        ([1], [0, 1, 1.1, 2], [0, 0, 1, 1], [1, 1, 1, 1]),
    ],
)
def test_what_stands_in(
    present: list[int], times: list[float], places: list[int], expected: list[int]
) -> None:
    found = nearest(indices(*present), indices(0, 1, 2, 3), np.array(times), indices(*places))
    assert found.tolist() == expected
