"""The detector that settings name, and where it computes."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

from components.detectors.detections import Detector
from components.detectors.faults import Guarded
from components.detectors.settings import (
    PROVIDER_VARIABLE,
    AnyDetector,
    MediapipePolicy,
    MtcnnPolicy,
    NoDetector,
)
from components.errors import ParamsError

if TYPE_CHECKING:
    from components.providers import Asked, Provider  # it loads ONNX Runtime


def asked_provider() -> "Asked":
    """Returns what `UNMASK_DETECTOR_PROVIDER` says.

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


def chosen_provider(policy: AnyDetector, folder: Path) -> "Provider":
    """Where the detector computes on this machine; `auto` is tried, as a driver may be there and fail.

    Raises:
        ParamsError: `UNMASK_DETECTOR_PROVIDER` names no provider.
        StageError: it is auto, and a file is missing or cannot be read.
    """
    asked = asked_provider()
    if not policy.on_devices:
        return "cpu"
    if asked != "auto":
        return asked
    return "cuda" if Guarded(open_detector(policy, folder, asked)).on_device else "cpu"


def open_detector(policy: AnyDetector, folder: Path, provider: "Asked" = "cpu") -> Detector:
    """Opens a detector.

    Args:
        policy: its name and settings.
        folder: holds its files.
        provider: where MTCNN's networks compute; the other detectors know the CPU only.

    Raises:
        StageError: a file is missing or cannot be read, or the detector's library is not installed.
        ProviderError: CUDA was asked for and cannot be used.
    """
    # Each brings libraries of its own, which the others need not load.
    match policy:
        case MtcnnPolicy():
            from components.detectors.mtcnn import Mtcnn  # noqa: PLC0415

            return Mtcnn(folder, policy, provider=provider)
        case MediapipePolicy():
            from components.detectors.blaze_face import BlazeFace  # noqa: PLC0415

            return BlazeFace(folder, policy)
        case NoDetector():
            from components.detectors.full_frame import FullFrame  # noqa: PLC0415

            return FullFrame()
        case _:
            assert_never(policy)
