"""The adapter of MediaPipe, against a stand-in for the library, which is an extra."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from components.detectors.blaze_face import BlazeFace
from components.detectors.settings import MediapipePolicy
from components.errors import StageError

POLICY = MediapipePolicy(name="mediapipe", model="blaze_face.tflite", confidence=0.6)


def face(left: int, score: float, points: int = 6) -> Any:
    """As MediaPipe says it: a box in pixels, keypoints as shares of the picture's sides."""
    return SimpleNamespace(
        bounding_box=SimpleNamespace(origin_x=left, origin_y=20, width=30, height=40),
        categories=[SimpleNamespace(score=score)],
        keypoints=[SimpleNamespace(x=0.1 * (i + 1), y=0.5) for i in range(points)] or None,
    )


class StandIn:
    """What the adapter uses of MediaPipe; `faces` is what it finds in any picture that is not black."""

    def __init__(self, faces: list[Any]) -> None:
        self.faces, self.options, self.pictures = faces, None, list[Any]()

    def create_from_options(self, options: Any) -> "StandIn":
        if options.base_options.model_asset_buffer == b"garbage":
            raise ValueError("The model is not a valid\nFlatbuffer buffer")
        self.options = options
        return self

    def detect(self, picture: Any) -> Any:
        if self.options.base_options.model_asset_buffer == b"landmarks":  # type: ignore[attr-defined]
            raise RuntimeError("CalculatorGraph::Run() failed")
        assert picture.data.flags.c_contiguous
        assert picture.image_format == "srgb"
        return SimpleNamespace(detections=self.faces if picture.data.any() else [])


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    stand_in = StandIn([])
    vision = SimpleNamespace(FaceDetectorOptions=SimpleNamespace, FaceDetector=stand_in)
    contents = {
        "mediapipe": {"Image": SimpleNamespace, "ImageFormat": SimpleNamespace(SRGB="srgb")},
        "mediapipe.tasks": {},
        "mediapipe.tasks.python": {"BaseOptions": SimpleNamespace, "vision": vision},
    }
    for name, content in contents.items():
        module = ModuleType(name)
        module.__dict__.update(content)
        monkeypatch.setitem(sys.modules, name, module)
    return stand_in


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "face_detector.task").write_bytes(b"model")
    return tmp_path


def test_boxes_and_points_are_in_pixels_and_best_first(library: StandIn, folder: Path) -> None:
    library.faces = [face(10, 0.7), face(50, 0.9)]
    found = BlazeFace(folder, POLICY).detect(np.full((100, 200, 3), 9, np.uint8))
    assert found.boxes.tolist() == [[50, 20, 80, 60], [10, 20, 40, 60]]
    assert np.allclose(found.scores, [0.9, 0.7])
    assert np.allclose(found.landmarks[0, :3], [[20, 50], [40, 50], [60, 50]])


def test_corners_of_the_mouth_are_not_known(library: StandIn, folder: Path) -> None:
    library.faces = [face(10, 0.7), face(50, 0.6, points=0)]
    found = BlazeFace(folder, POLICY).detect(np.full((100, 200, 3), 9, np.uint8))
    assert np.isnan(found.landmarks[0]).all(axis=1).tolist() == [False, False, False, True, True]
    assert np.isnan(found.landmarks[1]).all()


def test_no_face_is_no_detection(library: StandIn, folder: Path) -> None:
    found = BlazeFace(folder, POLICY).detect(np.full((100, 200, 3), 9, np.uint8)[:, ::2])  # not contiguous
    assert (found.boxes.shape, found.scores.shape, found.landmarks.shape) == ((0, 4), (0,), (0, 5, 2))


def test_the_model_and_the_least_confidence_are_those_of_the_policy(library: StandIn, folder: Path) -> None:
    BlazeFace(folder, POLICY)
    options: Any = library.options
    assert options.base_options.model_asset_buffer == b"model"
    assert options.min_detection_confidence == 0.6


@pytest.mark.parametrize("content", [b"garbage", b"landmarks"])
@pytest.mark.usefixtures("library")
def test_a_file_of_another_kind_is_named_at_once(folder: Path, content: bytes) -> None:
    (folder / "face_detector.task").write_bytes(content)
    with pytest.raises(StageError, match=r"face_detector\.task: no model .*take blaze_face_short_range$"):
        BlazeFace(folder, POLICY)


def test_a_missing_library_is_one_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    with pytest.raises(StageError, match=r"^faces\.detector mediapipe: .*venv .* -e '\.\[mediapipe\]'.*$"):
        BlazeFace(folder, POLICY)
