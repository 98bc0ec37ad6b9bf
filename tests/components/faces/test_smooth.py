from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from components.faces.clip import Origin
from components.faces.smooth import Placed, placed, smoothed
from components.faces.track import Sighting

Floats = NDArray[np.float32]
SIGMA = 0.05


def at_25(frame: int) -> float:
    return frame / 25


def sighting(frame: int, x: float, time: float | None = None) -> Sighting:
    box = np.array([x, 0, x + 100, 100], np.float32)
    points = np.full((5, 2), x, np.float32)
    return Sighting(frame, 0, at_25(frame) if time is None else time, box, points, 0.9)


def place(
    faces: list[Sighting], frame: int, sigma: float = SIGMA, time: float | None = None
) -> Placed | None:
    return placed(faces, frame, at_25(frame) if time is None else time, sigma, reach=4)


def test_a_face_that_stands_still_shakes_less() -> None:
    rng = np.random.default_rng(1)
    faces = [sighting(t, 200 + rng.normal(0, 3)) for t in range(200)]
    raw = np.array([face.box[0] for face in faces])
    found = [place(faces[: t + 5], t) for t in range(4, 196)]
    smooth = np.array([face.box[0] for face in found if face])
    assert smooth.std() < 0.6 * raw.std()
    assert np.abs(np.diff(smooth)).mean() < 0.35 * np.abs(np.diff(raw)).mean()
    assert smooth.mean() == pytest.approx(raw.mean(), abs=0.2)


def test_a_box_is_not_turned_inside_out() -> None:
    sides = (400, 1, 1, 1, 400)
    faces = [
        replace(sighting(t, 0), box=np.array([0, 0, side, side], np.float32)) for t, side in enumerate(sides)
    ]
    faces += [replace(sighting(5, 0), box=np.array([0, 0, 1, 1], np.float32))]
    for frame in range(6):
        found = place(faces, frame)
        assert found is not None
        assert (found.box[:2] <= found.box[2:]).all()


@pytest.mark.parametrize("frame", [0, 1, 5, 9])
def test_a_face_that_moves_steadily_is_where_it_is(frame: int) -> None:
    faces = [sighting(t, 13.0 * t) for t in range(10)]
    found = place(faces, frame)
    assert found is not None
    assert found.box == pytest.approx(faces[frame].box, abs=1e-3)
    assert found.landmarks == pytest.approx(faces[frame].landmarks, abs=1e-3)
    assert (found.score, found.origin) == (0.9, Origin.DETECTED)


@pytest.mark.parametrize(("sigma", "interval"), [(0.0, 0.04), (SIGMA, 0.16), (SIGMA, 0.66), (1.0, 10.0)])
def test_sparse_samples_are_left_as_they_are(sigma: float, interval: float) -> None:
    faces = [sighting(t, 31.0 * (t % 2), time=interval * t) for t in range(5)]
    found = place(faces, 2, sigma, interval * 2)
    assert found is not None
    assert (found.box == faces[2].box).all()


def test_weights_fall_off_with_time_not_with_samples() -> None:
    times = np.array([0.0, 0.01, 0.02, 0.12])
    values = np.array([0.0, 0.0, 0.0, 10.0], np.float32)
    near = smoothed(times, values, 0.01, SIGMA)
    spread = smoothed(np.array([0.0, 0.04, 0.08, 0.12]), values, 0.04, SIGMA)
    assert abs(near) < abs(spread)


def test_samples_of_one_moment_are_averaged() -> None:
    assert smoothed(np.zeros(3), np.array([1.0, 2.0, 3.0], np.float32), 0.0, SIGMA) == pytest.approx(2.0)


def test_unknown_landmarks_spoil_no_others() -> None:
    faces = [sighting(t, 10.0) for t in range(5)]
    faces[1].landmarks[:] = np.nan
    known, unknown = place(faces, 2), place(faces, 1)
    assert known is not None
    assert unknown is not None
    assert known.landmarks == pytest.approx(10.0)
    assert np.isnan(unknown.landmarks).all()
    assert unknown.box[0] == pytest.approx(10.0)


@pytest.mark.parametrize(
    ("gap", "interval", "moved", "filled"),
    [
        (1, 0.04, 10.0, True),
        (4, 0.04, 30.0, True),
        (5, 0.04, 0.0, False),  # longer than what is held
        (1, 0.04, 40.0, False),  # an overlap of 0.43
        (1, 0.66, 10.0, True),
        (1, 0.66, 90.0, False),
        (1, 1.1, 0.0, False),  # another shot may lie in between
    ],
)
def test_gaps_are_filled_between_neighbours_that_agree(
    gap: int, interval: float, moved: float, filled: bool
) -> None:
    faces = [sighting(0, 0.0), sighting(gap + 1, moved, time=interval * (gap + 1))]
    found = place(faces, 1, time=interval)
    assert (found is not None) == filled
    if found is not None:
        assert found.box[0] == pytest.approx(moved / (gap + 1), abs=1e-4)
        assert found.landmarks == pytest.approx(moved / (gap + 1), abs=1e-4)
        assert (found.score, found.origin) == (0.0, Origin.INTERPOLATED)


@pytest.mark.parametrize("frame", [0, 4])
def test_nothing_is_made_up_before_the_first_sighting_or_after_the_last(frame: int) -> None:
    assert place([sighting(1, 0.0), sighting(2, 0.0), sighting(3, 0.0)], frame) is None
