"""MediaPipe's face detector, BlazeFace, behind the extra `mediapipe`.

Paper: Bazarevsky et al., 2019, BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs,
https://arxiv.org/abs/1907.05047; library: https://ai.google.dev/edge/mediapipe/solutions/vision/face_detector.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from components.arrays import Floats32, Image
from components.detectors.detections import Detections
from components.detectors.settings import MediapipePolicy
from components.errors import StageError

EYES_AND_NOSE = 3
"""Of BlazeFace's six keypoints the first: left eye, right eye, tip of the nose, as they lie in the picture.

Then come the middle of the mouth and the ears. The corners of the mouth, which alignment also uses, are not
among them and stay unknown.
"""

MODEL_REMEDY = (
    "in the checkout, .venv/bin/uv venv .venv-mediapipe && .venv/bin/uv pip install --python .venv-mediapipe "
    "-c requirements.lock -e '.[mediapipe]' (an environment of its own: MediaPipe's OpenCV overwrites cv2), "
    "or choose faces.detector.name mtcnn"
)
"""Where MediaPipe is not there."""


GET_MODEL = (
    "download https://storage.googleapis.com/mediapipe-models/face_detector/blaze_face_short_range/float16/"
    "1/blaze_face_short_range.tflite and name it in faces.detector.model"
)

FLATBUFFER = b"TFL3"
"""At bytes 4 to 8 of a TensorFlow Lite model: its schema's file identifier."""

TASK_BUNDLE = b"PK"
"""At the start of a task file, which is a zip archive."""


class BlazeFace:
    """The faces that MediaPipe finds, boxes from the brow to the chin.

    Args:
        folder: holds face_detector.task, which the stage `detector` copies there from the policy's `model`.
        policy: the least confidence.

    Raises:
        StageError: the model is missing or no model, or MediaPipe cannot be loaded.
    """

    def __init__(self, folder: Path, policy: MediapipePolicy) -> None:
        (file,) = policy.files_in(folder)
        self._picture, self._detector = _open(file, policy.confidence)

    def detect(self, frame: Image, near: Floats32 | None = None) -> Detections:
        """Finds the faces in an RGB frame (H, W, 3), best first; `near` changes nothing."""
        faces = self._detector.detect(self._picture(np.ascontiguousarray(frame))).detections
        height, width = frame.shape[:2]
        return Detections.joined([_one(face, width, height) for face in faces])


def check_model(policy: MediapipePolicy) -> None:
    """Refuses what is no model; whether it finds faces shows only as MediaPipe opens it.

    Raises:
        StageError: MediaPipe or the file is not there, or it is no model.
    """
    if find_spec("mediapipe") is None:
        raise StageError(f"faces.detector mediapipe: MediaPipe is not installed; {MODEL_REMEDY}")
    try:
        content = policy.source.read_bytes()
    except OSError as error:
        raise StageError(f"{policy.model}: no model of MediaPipe's face detector; {GET_MODEL}") from error
    if content[4:8] != FLATBUFFER and not content.startswith(TASK_BUNDLE):
        raise StageError(f"{policy.model}: neither a TensorFlow Lite model nor a task bundle; {GET_MODEL}")


def _open(file: Path, confidence: float) -> tuple[Any, Any]:
    """Returns what makes MediaPipe's picture of a frame, and its detector."""
    try:
        import mediapipe  # noqa: PLC0415  an extra
        from mediapipe.tasks.python import BaseOptions, vision  # noqa: PLC0415
    except ImportError as error:
        raise StageError(
            f"faces.detector mediapipe: MediaPipe cannot be loaded ({error}); {MODEL_REMEDY}"
        ) from error
    options = vision.FaceDetectorOptions(
        # The content, not the path: a worker may open files, but MediaPipe resolves paths in its own way.
        base_options=BaseOptions(model_asset_buffer=file.read_bytes()),
        min_detection_confidence=confidence,
    )

    def picture(frame: Image) -> Any:
        return mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=frame)

    try:
        detector = vision.FaceDetector.create_from_options(options)
        detector.detect(picture(np.zeros((64, 64, 3), np.uint8)))  # a model of another kind fails only here
    except (RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise StageError(
            f"{file}: no model that MediaPipe's face detector runs ({reason}); take blaze_face_short_range"
        ) from error
    return picture, detector


def _one(face: Any, width: int, height: int) -> Detections:
    box = face.bounding_box
    landmarks = np.full((1, 5, 2), np.nan, np.float32)
    for index, point in enumerate((face.keypoints or ())[:EYES_AND_NOSE]):
        landmarks[0, index] = point.x * width, point.y * height
    corners = (box.origin_x, box.origin_y, box.origin_x + box.width, box.origin_y + box.height)
    return Detections(
        np.array([corners], np.float32), np.array([face.categories[0].score], np.float32), landmarks
    )
