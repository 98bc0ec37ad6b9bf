"""What a face detector finds, and what it can be asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from components.arrays import Floats32, Image


@dataclass(frozen=True)
class Detections:
    """Faces in a frame, px of that frame, best first."""

    boxes: Floats32  # (N, 4) x1, y1, x2, y2
    scores: Floats32  # (N,)
    landmarks: (
        Floats32  # (N, 5, 2) left eye, right eye, nose, left and right corner of the mouth; NaN: unknown
    )

    @classmethod
    def none(cls) -> Self:
        """Makes detections without any face."""
        return cls(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty((0, 5, 2), np.float32))

    @classmethod
    def joined(cls, parts: Sequence["Detections"]) -> Self:
        """Returns those of several parts of a frame, best first."""
        every: list[Detections] = [cls.none(), *parts]
        scores = np.concatenate([part.scores for part in every])
        order = np.argsort(-scores, kind="stable")
        boxes = np.concatenate([part.boxes for part in every])
        landmarks = np.concatenate([part.landmarks for part in every])
        return cls(boxes[order], scores[order], landmarks[order])

    def only(self, keep: NDArray[Any]) -> "Detections":
        """Returns those that a mask or indices choose."""
        return Detections(self.boxes[keep], self.scores[keep], self.landmarks[keep])

    def placed(
        self, scale: tuple[float, float] = (1.0, 1.0), corner: tuple[int, int] = (0, 0)
    ) -> "Detections":
        """Returns the same faces where the frame is a part of another: scaled in x and y, then moved."""
        factor, shift = np.array(scale, np.float32), np.array(corner, np.float32)
        boxes = self.boxes * np.tile(factor, 2) + np.tile(shift, 2)
        return Detections(boxes, self.scores, self.landmarks * factor + shift)


class Detector(Protocol):
    """Finds faces; `components.detectors.registry.open_detector` opens one by its policy."""

    def detect(self, frame: Image, near: Floats32 | None = None) -> Detections:
        """Finds the faces in an RGB frame (H, W, 3).

        Args:
            frame: upright.
            near: boxes (M, 4) of where the faces were a moment ago. A detector may then look around these
                only, as long as it finds a face for each of them; otherwise it looks everywhere.
        """
        ...
