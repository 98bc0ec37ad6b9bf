from typing import Any

import numpy as np

from components.detectors.detections import Detections


def found(*scores: float) -> Detections:
    count = len(scores)
    boxes = np.arange(4 * count, dtype=np.float32).reshape(count, 4)
    return Detections(boxes, np.array(scores, np.float32), np.ones((count, 5, 2), np.float32))


def shapes(detections: Detections) -> list[tuple[int, ...]]:
    arrays: tuple[np.ndarray[Any, Any], ...] = (detections.boxes, detections.scores, detections.landmarks)
    return [array.shape for array in arrays]


def test_none_has_the_shapes_of_some() -> None:
    assert shapes(Detections.none()) == shapes(found()) == [(0, 4), (0,), (0, 5, 2)]


def test_joined_are_best_first() -> None:
    joined = Detections.joined([found(0.5, 0.9), Detections.none(), found(0.7)])
    assert np.allclose(joined.scores, [0.9, 0.7, 0.5])
    assert joined.boxes.tolist() == [[4, 5, 6, 7], [0, 1, 2, 3], [0, 1, 2, 3]]
    assert shapes(Detections.joined([])) == shapes(Detections.none())


def test_only_those_that_are_chosen_stay() -> None:
    assert np.allclose(found(0.5, 0.9).only(np.array([False, True])).scores, [0.9])


def test_places_of_a_part_become_places_of_the_whole() -> None:
    placed = found(0.5).placed(scale=(2, 3), corner=(10, 20))
    assert placed.boxes.tolist() == [[10, 23, 14, 29]]
    assert placed.landmarks[0, 0].tolist() == [12, 23]
