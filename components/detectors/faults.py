"""What a detector is when it fails, told apart from what a video does to it."""

from components.arrays import Floats32, Image
from components.detectors.detections import Detections, Detector

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

    def detect(self, frame: Image, near: Floats32 | None = None) -> Detections:
        """Returns what the detector finds.

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
    """Tells whether an error says that there is no memory left."""
    return isinstance(error, MemoryError) or any(words in str(error) for words in STARVED)
