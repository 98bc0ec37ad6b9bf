"""The digest that names a cut: everything that decides a clip's pixels but the video itself."""

from pathlib import Path

from components.detectors.registry import chosen_provider
from components.faces.policy import CropPolicy
from components.fingerprint import digest, fingerprint, sha256, versions

CUTTING = ("components.faces.extract", "components.detectors.registry")
"""With all that they import they decide the pixels of a clip."""

LIBRARIES = ("av", "pillow", "opencv-python-headless", "opencv-contrib-python")
"""Those that decode, turn and scale pictures; MediaPipe brings an OpenCV of its own."""


def cut_digest(policy: CropPolicy, detector: Path) -> str:
    """Returns twelve hex digits: a clip of the same video under the same digest need not be cut again.

    Wider than `CropPolicy.digest`, which says what a clip is meant to be and travels with a bundle: the
    detector's files, the code, the libraries and where the detector computes count as well.

    Raises:
        StageError: one of the detector's files is not there.
        ParamsError: `UNMASK_DETECTOR_PROVIDER` names no provider.
    """
    return digest(
        [
            policy.digest,
            {file.name: sha256(file) for file in policy.detector.files_in(detector)},
            chosen_provider(policy.detector, detector),
            fingerprint(*CUTTING),
            versions((*LIBRARIES, *policy.detector.libraries)),
        ]
    )
