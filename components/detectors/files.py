"""The files of each face detector, in the folder that stage `detector` writes and a bundle carries."""

from pathlib import Path

from components.errors import StageError
from components.faces.policy import DetectorPolicy

FILES = {
    "mtcnn": ("pnet.onnx", "rnet.onnx", "onet.onnx"),
    "mediapipe": ("face_detector.task",),
    "none": (),
}


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
