"""The digest that names a cut: everything that decides a clip's pixels but the video itself."""

import hashlib
import json
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from components.errors import StageError
from components.faces.detector import chosen_provider
from components.faces.policy import CropPolicy, DetectorPolicy

FILES = {
    "mtcnn": ("pnet.onnx", "rnet.onnx", "onet.onnx"),
    "mediapipe": ("face_detector.task",),
    "none": (),
}
"""Of each detector, in the folder that the stage `detector` writes and that a bundle carries."""

ROOM = Path(__file__).parent

APART = frozenset(
    {
        *("__init__", "identity", "worker", "process", "protocol", "pool", "reply"),  # who does it, and where
        *("stage", "store", "compression"),  # what becomes of it afterwards
        *("examine", "fingerprint", "still", "look", "in_crop"),  # other questions to a video, or to a clip
    }
)
"""Modules of this room that decide no pixel of a clip. All others do, even those yet to be written."""

LIBRARIES = ("av", "pillow", "opencv-python-headless", "opencv-contrib-python")
"""Those that decode, turn and scale pictures; MediaPipe brings an OpenCV of its own."""

DETECTOR_LIBRARIES = {"mtcnn": ("onnxruntime-gpu", "onnxruntime"), "mediapipe": ("mediapipe",), "none": ()}


def cut_digest(policy: CropPolicy, detector: Path) -> str:
    """Twelve hex digits: a clip of the same video under the same digest need not be cut again.

    Wider than `CropPolicy.digest`, which says what a clip is meant to be and travels with a bundle: the
    detector's files, the code, the libraries and where the detector computes count as well.

    Raises:
        StageError: one of the detector's files is not there.
        ParamsError: `UNMASK_DETECTOR_PROVIDER` names no provider.
    """
    content = [
        policy.digest,
        hashes(detector_files(policy.detector, detector)),
        chosen_provider(policy.detector, detector),
        hashes(path for path in sorted(ROOM.glob("*.py")) if path.stem not in APART),
        versions((*LIBRARIES, *DETECTOR_LIBRARIES[policy.detector.name])),
    ]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]


def hashes(files: Iterable[Path]) -> dict[str, str]:
    """SHA-256 of each file, by its name."""
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def versions(distributions: Iterable[str]) -> dict[str, str]:
    """Of those distributions that are installed."""
    found = {}
    for name in distributions:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


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
