"""The digest that names a cut: everything that decides a clip's pixels but the video itself."""

import hashlib
import json
from pathlib import Path

from components.errors import StageError
from components.faces.policy import CropPolicy, DetectorPolicy

FILES = {
    "mtcnn": ("pnet.onnx", "rnet.onnx", "onet.onnx"),
    "mediapipe": ("face_detector.task",),
    "none": (),
}
"""Of each detector, in the folder that the stage `detector` writes and that a bundle carries."""

ROOM = Path(__file__).parent
"""The folder whose source decides what a policy yields."""


def cut_digest(policy: CropPolicy, detector: Path) -> str:
    """Twelve hex digits: a clip of the same video under the same digest need not be cut again.

    Wider than `CropPolicy.digest`, which says what a clip is meant to be and travels with a bundle.

    Raises:
        StageError: one of the detector's files is not there.
    """
    files = [*detector_files(policy.detector, detector), *sorted(ROOM.glob("*.py"))]
    content = [policy.digest, {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]


def detector_files(policy: DetectorPolicy, folder: Path) -> list[Path]:
    """The files that a detector needs.

    Raises:
        StageError: one of them is not there.
    """
    files = [folder / name for name in FILES[policy.name]]
    for file in files:
        if not file.is_file():
            raise StageError(f"{file}: not there; make it with dvc repro detector")
    return files
