"""The detector that a policy names."""

from pathlib import Path

from components.faces.detections import Detector
from components.faces.policy import DetectorPolicy, MtcnnPolicy


def open_detector(policy: DetectorPolicy, folder: Path) -> Detector:
    """Open a detector.

    Args:
        policy: its name and settings.
        folder: holds its files, those that `components.faces.identity.detector_files` names.

    Raises:
        StageError: a file is missing or cannot be read, or the detector's library is not installed.
    """
    # Each brings libraries of its own, which the others need not load.
    if isinstance(policy, MtcnnPolicy):
        from components.faces.mtcnn import Mtcnn  # noqa: PLC0415

        return Mtcnn(folder, policy)
    raise NotImplementedError(policy.name)
