"""The stage `detector`: a folder with the files that the policy's face detector needs."""

import hashlib
import logging
import os
from importlib.util import find_spec
from pathlib import Path

from components.detectors.blaze_face import REMEDY
from components.detectors.files import FILES
from components.errors import StageError
from components.faces.policy import CropPolicy, DetectorPolicy, MediapipePolicy, MtcnnPolicy
from components.fingerprint import digest, fingerprint, versions

logger = logging.getLogger(__name__)

GET_MODEL = (
    "download https://storage.googleapis.com/mediapipe-models/face_detector/blaze_face_short_range/float16/"
    "1/blaze_face_short_range.tflite and name it in faces.detector.model"
)

FLATBUFFER = b"TFL3"
"""At bytes 4 to 8 of a TensorFlow Lite model: its schema's file identifier."""

TASK_BUNDLE = b"PK"
"""At the start of a task file, which is a zip archive."""


def convert(folder: Path, policy: DetectorPolicy | None = None) -> None:
    """Write a detector's files; where it has none, an empty folder.

    Args:
        folder: made where it is not there.
        policy: names the detector; MTCNN where it is None.

    Raises:
        StageError: MTCNN's weights, MediaPipe or its model are not there, or that file is no model.
    """
    contents = _contents(policy or MtcnnPolicy())
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        partial = folder / f".{name}.{os.getpid()}"
        partial.write_bytes(content)
        partial.replace(folder / name)


def check_model(folder: Path, policy: DetectorPolicy) -> None:
    """Refuse MediaPipe's model where another one has been put in its place since the stage `detector` ran.

    DVC cannot see that: a stage depends on what `faces.detector.model` says, not on what lies there. A model
    that is no longer there is no matter, since its copy is.

    Raises:
        StageError: the file and its copy differ.
    """
    if not isinstance(policy, MediapipePolicy) or not Path(policy.model).is_file():
        return
    copy = folder / FILES[policy.name][0]
    if copy.is_file() and copy.read_bytes() != Path(policy.model).read_bytes():
        raise StageError(f"{policy.model}: changed since {copy} was made of it; run dvc repro -f detector")


def portable(policy: CropPolicy) -> CropPolicy:
    """The policy as a bundle carries it: MediaPipe's model by its name alone, not where it lay."""
    if not isinstance(policy.detector, MediapipePolicy):
        return policy
    detector = policy.detector.model_copy(update={"model": Path(policy.detector.model).name})
    return policy.model_copy(update={"detector": detector})


def ensure_detector(policy: DetectorPolicy, cache: Path) -> Path:
    """The folder with a detector's files for commands outside a project; written at the first call only.

    Args:
        policy: names the detector.
        cache: may hold the files of other detectors and of other versions too.

    Raises:
        StageError: see `convert`.
    """
    folder = cache / f"{policy.name}-{_digest(policy)}"
    if not folder.is_dir() or not all((folder / name).is_file() for name in FILES[policy.name]):
        logger.info("%s: writing the face detector's files, once", folder)
        convert(folder, policy)
    return folder


def _contents(policy: DetectorPolicy) -> dict[str, bytes]:
    if isinstance(policy, MtcnnPolicy):
        from components.export.mtcnn import NETWORKS, to_onnx  # noqa: PLC0415  imports torch

        return {name: to_onnx(network) for name, network in NETWORKS.items()}
    return {FILES[policy.name][0]: _model(policy)} if isinstance(policy, MediapipePolicy) else {}


def _model(policy: MediapipePolicy) -> bytes:
    """The file as it is; whether it finds faces shows only as MediaPipe opens it."""
    if find_spec("mediapipe") is None:
        raise StageError(f"faces.detector mediapipe: MediaPipe is not installed; {REMEDY}")
    try:
        content = Path(policy.model).read_bytes()
    except OSError as error:
        raise StageError(f"{policy.model}: no model of MediaPipe's face detector; {GET_MODEL}") from error
    if content[4:8] != FLATBUFFER and not content.startswith(TASK_BUNDLE):
        raise StageError(f"{policy.model}: neither a TensorFlow Lite model nor a task bundle; {GET_MODEL}")
    return content


def _digest(policy: DetectorPolicy) -> str:
    """Twelve hex digits of what decides the files' bytes, without loading torch."""
    if isinstance(policy, MtcnnPolicy):
        return digest([versions(("torch", "facenet-pytorch")), fingerprint("components.export.mtcnn")])
    return hashlib.sha256(b"".join(_contents(policy).values())).hexdigest()[:12]
