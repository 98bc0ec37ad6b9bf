"""The detector that a policy names."""

from pathlib import Path
from typing import TYPE_CHECKING

from components.faces.detections import Detector
from components.faces.policy import DetectorPolicy, MediapipePolicy, MtcnnPolicy

if TYPE_CHECKING:
    from components.providers import Asked  # it loads ONNX Runtime

PROVIDER_VARIABLE = "UNMASK_DETECTOR_PROVIDER"
"""Where a worker's detector computes: cpu (unless set), cuda or auto."""


def open_detector(policy: DetectorPolicy, folder: Path, provider: "Asked" = "cpu") -> Detector:
    """Open a detector.

    Args:
        policy: its name and settings.
        folder: holds its files, those that `components.faces.identity.detector_files` names.
        provider: where MTCNN's networks compute; the other detectors know the CPU only.

    Raises:
        StageError: a file is missing or cannot be read, or the detector's library is not installed.
        ProviderError: CUDA was asked for and cannot be used.
    """
    # Each brings libraries of its own, which the others need not load.
    if isinstance(policy, MtcnnPolicy):
        from components.faces.mtcnn import Mtcnn  # noqa: PLC0415

        return Mtcnn(folder, policy, provider=provider)
    if isinstance(policy, MediapipePolicy):
        from components.faces.blaze_face import BlazeFace  # noqa: PLC0415

        return BlazeFace(folder, policy)
    from components.faces.full_frame import FullFrame  # noqa: PLC0415

    return FullFrame()
