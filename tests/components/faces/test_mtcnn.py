"""The cascade against facenet-pytorch's, and its parts."""

import warnings
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from components.errors import StageError
from components.faces.mtcnn import Mtcnn, pyramid, regress, square, suppress, suppress_nested
from components.faces.policy import Limits, MtcnnPolicy
from components.faces.video import sample_frames

POLICY = MtcnnPolicy()


@pytest.fixture(scope="module")
def mtcnn(detector: Path) -> Mtcnn:
    return Mtcnn(detector, POLICY)


@pytest.fixture(scope="module")
def frames(sample_data: Path) -> list[np.ndarray[Any, Any]]:
    """Two frames of each of the sample dataset's genuine videos, at most 640 px wide."""
    videos = sorted((sample_data / "real").glob("*.mp4"))
    return [frame for video in videos for frame in sample_frames(video, 2, Limits())[0]]


def iou(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> float:
    overlap = np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None).prod()
    return float(overlap / ((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod() - overlap))


def test_faces_are_those_of_facenet_pytorch(mtcnn: Mtcnn, frames: list[np.ndarray[Any, Any]]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from facenet_pytorch import MTCNN
    reference = MTCNN(keep_all=True, min_face_size=POLICY.min_face, device="cpu")
    overlaps = []
    for frame in frames:
        boxes, _, landmarks = reference.detect(frame, landmarks=True)
        found = mtcnn.detect(frame)
        assert (boxes is None) == (len(found.boxes) == 0)
        if boxes is not None:
            nearest = max(range(len(found.boxes)), key=lambda i: iou(boxes[0], found.boxes[i]))
            overlaps.append(iou(boxes[0], found.boxes[nearest]))
            side = boxes[0][3] - boxes[0][1]
            assert np.abs(found.landmarks[nearest] - landmarks[0]).max() <= 0.1 * side
    assert len(overlaps) >= 0.9 * len(frames)
    assert np.mean(overlaps) >= 0.93
    assert min(overlaps) >= 0.8  # the two resize differently, so that a box may move by a pixel or two


def test_boxes_are_in_pixels_of_the_frame(mtcnn: Mtcnn, frames: list[np.ndarray[Any, Any]]) -> None:
    small = frames[0]
    large = cv2.resize(small, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)  # beyond longest_side
    once, again = mtcnn.detect(small), mtcnn.detect(large)
    assert iou(once.boxes[0], again.boxes[0] / 4) >= 0.8
    assert np.abs(once.landmarks[0] - again.landmarks[0] / 4).max() <= 6


def test_landmarks_lie_in_the_box_in_their_order(mtcnn: Mtcnn, frames: list[np.ndarray[Any, Any]]) -> None:
    found = mtcnn.detect(frames[0])
    left_eye, right_eye, nose, left_mouth, right_mouth = found.landmarks[0]
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < right_mouth[0]
    assert left_eye[1] < nose[1] < left_mouth[1]
    x1, y1, x2, y2 = found.boxes[0]
    assert ((found.landmarks[0] >= [x1, y1]) & (found.landmarks[0] <= [x2, y2])).all()


@pytest.mark.parametrize("shape", [(1, 1), (5, 2000), (23, 23), (240, 320)])
def test_no_face_is_no_detection(mtcnn: Mtcnn, shape: tuple[int, int]) -> None:
    found = mtcnn.detect(np.full((*shape, 3), 90, np.uint8))
    assert (found.boxes.shape, found.scores.shape, found.landmarks.shape) == ((0, 4), (0,), (0, 5, 2))


@pytest.mark.parametrize(("content", "why"), [(None, "not there"), (b"garbage", "not a network")])
def test_a_folder_without_networks(tmp_path: Path, content: bytes | None, why: str) -> None:
    if content:
        (tmp_path / "pnet.onnx").write_bytes(content)
    with pytest.raises(StageError, match=rf"pnet\.onnx: {why}.*dvc repro detector"):
        Mtcnn(tmp_path, POLICY)


def test_the_pyramid_ends_where_the_frame_is_smaller_than_a_cell() -> None:
    assert pyramid(48, MtcnnPolicy(min_face=24, factor=0.5)) == [0.5, 0.25]
    assert pyramid(23, MtcnnPolicy(min_face=24)) == []


def boxes(*rows: tuple[float, float, float, float]) -> np.ndarray[Any, Any]:
    return np.array(rows, np.float32).reshape(-1, 4)


def test_suppression_keeps_the_best_of_each_heap() -> None:
    heap = boxes((0, 0, 10, 10), (1, 0, 11, 10), (50, 0, 60, 10), (0, 0, 4, 4))
    scores = np.array([0.8, 0.9, 0.7, 0.95], np.float32)
    assert suppress(heap, scores, 0.5).tolist() == [3, 1, 2]
    assert suppress_nested(heap, scores, 0.5).tolist() == [3, 2]
    assert suppress(heap[:0], scores[:0], 0.5).tolist() == suppress_nested(heap[:0], scores[:0], 0.5).tolist()


def test_squares_keep_the_centre() -> None:
    assert square(boxes((0, 0, 10, 20), (0, 0, 8, 2))).tolist() == [[-5, 0, 15, 20], [0, -3, 8, 5]]


def test_regression_moves_corners_by_shares_of_the_side() -> None:
    offsets = boxes((0.1, 0.0, -0.1, 0.5))
    assert np.allclose(regress(boxes((0, 0, 9, 19)), offsets), [[1, 0, 8, 29]])
