"""The detector that a policy names, where it computes, and what it is when it fails."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from components.detectors.detections import Detections, Detector, Floats, Image
from components.errors import ParamsError
from components.faces.policy import DetectorPolicy, MediapipePolicy, MtcnnPolicy

if TYPE_CHECKING:
    from components.providers import Asked, Provider  # it loads ONNX Runtime

PROVIDER_VARIABLE = "UNMASK_DETECTOR_PROVIDER"
"""Where a worker's detector computes: cpu (unless set), cuda or auto."""

CPU = "CPUExecutionProvider"

STARVED = ("Failed to allocate memory", "Insufficient memory", "bad_alloc")
"""How libraries that do not raise MemoryError tell of it: ONNX Runtime, OpenCV, the rest of C++."""


class DetectorFault(Exception):  # noqa: N818  as VideoFault
    """A detector fails, through no fault of the video: its files, its library or its device."""


class Guarded:
    """A detector whose own failures are told apart from those of a video.

    On the CPU, want of memory is the video's: its frames are too large for the limits. A device has no such
    limit, and what is full is the device.
    """

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self.on_device = getattr(detector, "provider", CPU) != CPU  # those that do not say so are not

    def detect(self, frame: Image, near: Floats | None = None) -> Detections:
        """What the detector finds.

        Raises:
            MemoryError: the frame needs more memory than there is, on the CPU.
            DetectorFault: anything else went wrong.
        """
        try:
            return self._detector.detect(frame, near)
        except Exception as error:
            if starved(error) and not self.on_device:
                raise MemoryError from error
            words = " ".join(f"{type(error).__name__}: {error}".split())
            raise DetectorFault("".join(filter(str.isprintable, words))[:300]) from error


def starved(error: Exception) -> bool:
    """Tell whether an error says that there is no memory left."""
    return isinstance(error, MemoryError) or any(words in str(error) for words in STARVED)


def asked_provider() -> "Asked":
    """What `UNMASK_DETECTOR_PROVIDER` says.

    Raises:
        ParamsError: it names no provider.
    """
    match os.environ.get(PROVIDER_VARIABLE) or "cpu":
        case "cpu" | "cuda" | "auto" as asked:
            return asked
        case other:
            raise ParamsError(
                f"{PROVIDER_VARIABLE}={other}: no such provider; set cpu, cuda, auto or nothing"
            )


def chosen_provider(policy: DetectorPolicy, folder: Path) -> "Provider":
    """Where the detector computes on this machine; `auto` is tried, as a driver may be there and fail.

    Raises:
        ParamsError: `UNMASK_DETECTOR_PROVIDER` names no provider.
        StageError: it is auto, and a file is missing or cannot be read.
    """
    asked = asked_provider()
    if not isinstance(policy, MtcnnPolicy):
        return "cpu"
    if asked != "auto":
        return asked
    return "cuda" if Guarded(open_detector(policy, folder, asked)).on_device else "cpu"


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
        from components.detectors.mtcnn import Mtcnn  # noqa: PLC0415

        return Mtcnn(folder, policy, provider=provider)
    if isinstance(policy, MediapipePolicy):
        from components.detectors.blaze_face import BlazeFace  # noqa: PLC0415

        return BlazeFace(folder, policy)
    from components.detectors.full_frame import FullFrame  # noqa: PLC0415

    return FullFrame()
