"""The detector `none`: nothing is looked for, the whole frame is the face."""

import numpy as np

from components.arrays import Floats32, Image
from components.detectors.detections import Detections


class FullFrame:
    """One face in each frame, as large as the frame, of which no landmark is known."""

    def detect(self, frame: Image, near: Floats32 | None = None) -> Detections:
        """Returns the frame (H, W, 3) itself, with a score of 1; `near` changes nothing."""
        height, width = frame.shape[:2]
        return Detections(
            np.array([[0, 0, width, height]], np.float32),
            np.ones(1, np.float32),
            np.full((1, 5, 2), np.nan, np.float32),
        )
