"""What a face detector finds, and what it can be asked."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Detections:
    """Faces in a frame, px of that frame, best first."""

    boxes: Floats  # (N, 4) x1, y1, x2, y2
    scores: Floats  # (N,)
    landmarks: Floats  # (N, 5, 2) left eye, right eye, nose, left and right corner of the mouth; NaN: unknown


class Detector(Protocol):
    """Finds faces; `components.faces.detector.open_detector` opens one by its policy."""

    def detect(self, frame: Image, near: Floats | None = None) -> Detections:
        """Find the faces in an RGB frame (H, W, 3).

        Args:
            frame: upright.
            near: boxes (M, 4) of where the faces were a moment ago. A detector may then look around these
                only, as long as it finds a face for each of them; otherwise it looks everywhere.
        """
        ...
