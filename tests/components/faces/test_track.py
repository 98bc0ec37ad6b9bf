from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from components.detectors.detections import Detections
from components.faces.appearance import LENGTH
from components.faces.track import MAX_LIVE, Sighting, Track, Tracker, costs, match

Face = tuple[float, float, float, int]
"""Centre, side, and who it is, which the tracker is told by the looks only."""


def look(person: int, noise: float = 0.0) -> NDArray[np.float32]:
    """Looks of different people are 0.7 apart."""
    vector = np.zeros(LENGTH, np.float32)
    vector[person % LENGTH] = 0.5 + noise
    return vector


def track_faces(frames: Sequence[Sequence[Face]], interval: float = 0.04, alike: bool = False) -> Tracker:
    tracker = Tracker()
    for index, faces in enumerate(frames):
        boxes = [(x - side / 2, y - side / 2, x + side / 2, y + side / 2) for x, y, side, _ in faces]
        found = Detections(
            np.array(boxes, np.float32).reshape(-1, 4),
            np.ones(len(faces), np.float32),
            np.zeros((len(faces), 5, 2), np.float32),
        )
        looks = np.array([look(0 if alike else who) for *_, who in faces]).reshape(-1, LENGTH)
        tracker.update(index, index * interval, found, looks)
    return tracker


def people(tracker: Tracker, frames: Sequence[Sequence[Face]]) -> list[list[int]]:
    """Who is in each track."""
    return [[frames[face.frame][face.detection][3] for face in track.sightings] for track in tracker.tracks]


def sighting(x: float, side: float = 100.0, time: float = 0.0) -> Sighting:
    box = np.array([x - side / 2, -side / 2, x + side / 2, side / 2], np.float32)
    return Sighting(0, 0, time, box, np.zeros((5, 2), np.float32), 1.0)


@pytest.mark.parametrize(
    ("x", "side", "seconds", "unlike", "same"),
    [
        (0.0, 100.0, 1.0, 0.0, True),
        (140.0, 100.0, 1.0, 0.1, True),  # no overlap, yet within reach
        (160.0, 100.0, 1.0, 0.1, True),  # a little further, and familiar
        (230.0, 100.0, 1.0, 0.2, False),  # a neighbour who looks much the same
        (140.0, 100.0, 1.0, 0.4, False),  # nearer, but hardly the same
        (0.0, 100.0, 1.0, 0.4, True),  # the same place, in another light
        (0.0, 100.0, 1.0, 0.6, False),  # somebody else's close-up
        (310.0, 100.0, 9.0, 0.0, False),  # out of reach for good
        (100.0, 100.0, 1.0, 0.2, True),
        (100.0, 100.0, 0.04, 0.2, False),  # nobody is that fast
        (0.0, 190.0, 1.0, 0.0, True),
        (0.0, 210.0, 1.0, 0.0, False),  # another face in front
        (0.0, 45.0, 1.0, 0.0, False),
    ],
)
def test_what_counts_as_the_same_face(
    x: float, side: float, seconds: float, unlike: float, same: bool
) -> None:
    track = Track([sighting(0.0)], look(0))
    cost = costs([track], [sighting(x, side, seconds)], look(0, unlike)[None])
    assert (cost[0, 0] < 1) == same


def test_a_face_is_expected_between_where_it_was_and_where_it_would_be() -> None:
    track = Track([sighting(0.0)], look(0))
    track.add(sighting(100.0, time=0.5), look(0), clear=True)
    behind, still, onward, beyond = (
        costs([track], [sighting(x, time=1.0)], look(0)[None])[0, 0] for x in (50.0, 100.0, 200.0, 250.0)
    )
    assert still == onward == 0
    assert behind == pytest.approx(beyond)
    assert behind > 0


def test_the_nearer_face_goes_on_where_all_look_alike() -> None:
    frames = [[(0, 0, 100, 0), (130, 0, 100, 1)], [(125, 0, 100, 1)]]
    assert people(track_faces(frames, 0.5, alike=True), frames) == [[0], [1, 1]]


@pytest.mark.parametrize("alike", [True, False])
@pytest.mark.parametrize("turned", [True, False])
def test_two_people_side_by_side_stay_apart(alike: bool, turned: bool) -> None:
    frames = [[(10.0 * t, 0, 100, 0), (220 + 10.0 * t, 0, 100, 1)] for t in range(5)]
    if turned:  # the order of detections tells nothing
        frames = [faces[:: 1 if t % 2 else -1] for t, faces in enumerate(frames)]
    assert sorted(people(track_faces(frames, 0.7, alike), frames)) == [[0] * 5, [1] * 5]


@pytest.mark.parametrize("alike", [True, False])
@pytest.mark.parametrize("interval", [0.04, 0.7])
def test_people_who_cross_keep_their_tracks(interval: float, alike: bool) -> None:
    frames = [[(40.0 * t, 0, 100, 0), (400 - 40.0 * t, 60, 100, 1)] for t in range(11)]
    assert people(track_faces(frames, interval, alike), frames) == [[0] * 11, [1] * 11]


def test_people_who_change_places_between_two_samples_are_told_by_their_looks() -> None:
    here, there = (0.0, 0.0, 100.0), (130.0, 0.0, 100.0)
    frames = [[(*(there if t % 2 else here), 0), (*(here if t % 2 else there), 1)] for t in range(6)]
    assert people(track_faces(frames, 1.0), frames) == [[0] * 6, [1] * 6]


def test_who_is_hidden_for_a_while_goes_on_behind_the_other() -> None:
    frames = [[(20.0 * t, 0, 100, 0), (400 - 20.0 * t, 0, 100, 1)] for t in range(20)]
    hidden = [faces[:1] if 6 < t < 14 else faces for t, faces in enumerate(frames)]
    assert people(track_faces(hidden), hidden) == [[0] * 20, [1] * 13]


def test_a_face_that_was_away_is_taken_up_again() -> None:
    frames: list[list[Face]] = [[(0, 0, 100, 0)], [], [], [(20, 0, 100, 0)]]
    (track,) = track_faces(frames, 1.0).tracks
    assert [face.frame for face in track.sightings] == [0, 3]


def test_a_face_that_comes_closer_step_by_step_is_one() -> None:
    frames = [[(300.0, 200.0, 40 * 1.15**t, 0)] for t in range(20)]
    assert people(track_faces(frames), frames) == [[0] * 20]


def test_false_alarms_break_no_track() -> None:
    frames = [[(100.0 + 5 * t, 100, 80, 0)] for t in range(12)]
    for t in (3, 4, 7):
        frames[t].insert(0, (130.0 + 5 * t, 130, 30, 7))
    frames[9] = [(400, 300, 50, 8)]  # and the face itself is missed
    assert [0] * 11 in people(track_faces(frames), frames)


def test_another_shot_with_somebody_else_is_another_track() -> None:
    frames = [[(300, 200, 100, int(t >= 4))] for t in range(8)]
    assert people(track_faces(frames, 0.7), frames) == [[0] * 4, [1] * 4]


def test_one_leaves_and_another_enters() -> None:
    frames = [[(60.0 - 10 * t, 100, 80, 0)] for t in range(6)] + [
        [(600.0 - 10 * t, 100, 80, 1)] for t in range(6)
    ]
    assert people(track_faces(frames, alike=True), frames) == [[0] * 6, [1] * 6]


@pytest.mark.parametrize("interval", [0.04, 0.7])
def test_a_crowd_keeps_its_order(interval: float) -> None:
    rng = np.random.default_rng(4)
    frames = []
    for t in range(10):
        crowd = [(130.0 * (p % 4) + 6 * t, 130.0 * (p // 4) + rng.normal(0, 3), 60, p) for p in range(16)]
        rng.shuffle(crowd)
        frames.append(crowd)
    found = people(track_faces(frames, interval), frames)
    assert sorted(found) == [[p] * 10 for p in range(16)]


def test_a_face_covered_by_another_does_not_change_what_a_track_looks_like() -> None:
    alone: list[Face] = [(0, 0, 100, 0)]
    frames: list[list[Face]] = [alone, [*alone, (60, 0, 100, 1)]]
    tracker = track_faces(frames)
    assert (tracker.tracks[0].look == look(0)).all()


def test_a_flood_of_false_alarms_is_bounded() -> None:
    frames = [[(1000.0 * p, 1000.0 * t, 50, p) for p in range(16)] for t in range(20)]
    tracker = track_faces(frames)
    assert len(tracker.tracks) == 320
    assert len(tracker.live) == MAX_LIVE


def test_no_detections_make_no_tracks() -> None:
    assert track_faces([[], []]).tracks == []


@given(
    st.lists(
        st.lists(
            st.tuples(st.floats(-50, 700), st.floats(-50, 400), st.floats(0, 300), st.integers(0, 3)),
            max_size=6,
        ),
        max_size=12,
    ),
    st.sampled_from([0.0, 0.04, 0.7]),
)
def test_every_detection_is_in_one_track_and_no_track_is_twice_in_a_frame(
    frames: list[list[Face]], interval: float
) -> None:
    tracker = track_faces(frames, interval)
    seen = [(face.frame, face.detection) for track in tracker.tracks for face in track.sightings]
    assert sorted(seen) == [(t, d) for t, faces in enumerate(frames) for d in range(len(faces))]
    for track in tracker.tracks:
        times = [face.frame for face in track.sightings]
        assert times == sorted(set(times))


@pytest.mark.parametrize("seed", range(20))
def test_assignments_are_the_best(seed: int) -> None:
    rng = np.random.default_rng(seed)
    matrix = rng.random(rng.integers(1, [40, 17]), np.float32)
    if seed % 2:
        matrix[matrix > 0.3] = 1.0
    best = matrix[linear_sum_assignment(matrix)].sum()
    owners = match(matrix)
    paired = [(row, column) for column, row in enumerate(owners) if row is not None]
    assert len({row for row, _ in paired}) == len(paired)
    assert all(matrix[pair] < 1 for pair in paired)
    unpaired = min(matrix.shape) - len(paired)
    assert sum(matrix[pair] for pair in paired) + unpaired == pytest.approx(best, abs=1e-4)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_nobody_to_assign(shape: tuple[int, int]) -> None:
    assert match(np.zeros(shape, np.float32)) == [None] * shape[1]


def prominence(count: int, side: float, score: float) -> float:
    """Of a track of `count` sightings."""
    box = np.array([0, 0, side, side], np.float32)
    face = Sighting(0, 0, 0.0, box, np.zeros((5, 2), np.float32), score)
    return Track([face] * count, look(0)).prominence


@pytest.mark.parametrize(
    ("more", "less"),
    [
        ((1, 90, 1.0), (1, 40, 1.0)),  # the larger
        ((1, 90, 0.9), (1, 90, 0.7)),  # the surer
        ((8, 50, 1.0), (1, 150, 0.75)),  # not the false alarm
        ((8, 60, 1.0), (4, 100, 1.0)),
        ((7, 100, 1.0), (8, 60, 1.0)),
    ],
)
def test_the_more_prominent_face(more: tuple[int, float, float], less: tuple[int, float, float]) -> None:
    assert prominence(*more) > prominence(*less)
