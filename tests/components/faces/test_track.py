import numpy as np
import pytest

from components.faces.track import Sighting, gap, link, main_track, sightings


def face(frame: int, x: float, y: float = 0.0, side: float = 100.0, score: float = 1.0) -> Sighting:
    return Sighting(frame, 0, np.array([x, y, x + side, y + side], np.float32), score)


@pytest.mark.parametrize(
    ("x", "side", "same"),
    [
        (0.0, 100.0, True),
        (140.0, 100.0, True),  # no overlap, yet within reach
        (160.0, 100.0, False),  # a neighbour
        (0.0, 190.0, True),
        (0.0, 210.0, False),  # another face in front
        (0.0, 45.0, False),
    ],
)
def test_what_counts_as_the_same_face(x: float, side: float, same: bool) -> None:
    centred = face(1, 50 + x - side / 2, 50 - side / 2, side)
    assert (gap(face(0, 0), centred) <= 1.0) == same


def test_two_people_side_by_side_stay_apart() -> None:
    frames = [[face(t, 10.0 * t), face(t, 220.0 + 10.0 * t)] for t in range(5)]
    tracks = link(frames)
    assert [[round(float(s.box[0])) for s in track] for track in tracks] == [
        [0, 10, 20, 30, 40],
        [220, 230, 240, 250, 260],
    ]


def test_the_order_of_detections_does_not_matter() -> None:
    frames = [[face(t, 10.0 * t), face(t, 220.0 + 10.0 * t)] for t in range(5)]
    swapped = [found[:: 1 if t % 2 else -1] for t, found in enumerate(frames)]
    assert sorted(len(track) for track in link(swapped)) == [5, 5]


def test_a_face_that_was_away_is_taken_up_again() -> None:
    tracks = link([[face(0, 0)], [], [], [face(3, 20)]])
    assert [[s.frame for s in track] for track in tracks] == [[0, 3]]


def test_the_closest_pair_is_joined_first() -> None:
    tracks = link([[face(0, 0), face(0, 130)], [face(1, 125)]])
    assert [len(track) for track in tracks] == [1, 2]


def test_no_detections_make_no_tracks() -> None:
    assert link([[], []]) == []


@pytest.mark.parametrize(
    ("tracks", "expected"),
    [
        ([[face(0, 0, side=40)], [face(0, 300, side=90)]], 1),  # the larger
        ([[face(0, 0, score=0.7)], [face(0, 300, score=0.9)]], 1),  # the surer
        ([[face(t, 0, side=50) for t in range(8)], [face(3, 300, side=150, score=0.75)]], 0),  # a false alarm
        ([[face(t, 0, side=60) for t in range(8)], [face(t, 300, side=100) for t in range(4)]], 0),
        ([[face(t, 0, side=60) for t in range(8)], [face(t, 300, side=100) for t in range(7)]], 1),
    ],
)
def test_the_main_face(tracks: list[list[Sighting]], expected: int) -> None:
    assert main_track(tracks) is tracks[expected]


def test_sightings_keep_their_place() -> None:
    boxes = [np.zeros((0, 4), np.float32), np.array([[0, 0, 10, 20], [5, 5, 9, 9]], np.float32)]
    none, two = sightings(boxes, [np.zeros(0, np.float32), np.array([0.9, 0.8], np.float32)])
    assert none == []
    assert [(s.frame, s.detection, s.side) for s in two] == [(1, 0, 20.0), (1, 1, 4.0)]
    assert two[0].centre.tolist() == [5.0, 10.0]
