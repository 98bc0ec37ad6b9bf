"""MTCNN, the three-stage face detector, on ONNX Runtime.

Paper: Zhang et al., 2016, Joint Face Detection and Alignment using Multi-task Cascaded Convolutional
Networks, https://arxiv.org/abs/1604.02878. Weights and arithmetic are those of facenet-pytorch
(https://github.com/timesler/facenet-pytorch), and tests hold the two against each other; its 1-based
pixel coordinates are kept, because the networks were trained with them.
"""

from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from components.errors import StageError
from components.faces.detections import Detections, Floats, Image
from components.faces.policy import MtcnnPolicy

CELL, STRIDE = 12, 2
"""PNet sees 12 px squares, one every 2 px."""

BATCH = 512
"""Candidates that pass through a network at once; bounds the memory that a noisy frame can ask for."""


class Mtcnn:
    """The cascade: propose on an image pyramid, refine, then locate the landmarks.

    Args:
        folder: holds pnet.onnx, rnet.onnx and onet.onnx, as `components.export.detector` writes them.
        policy: size of the smallest face, thresholds, pyramid.
        threads: CPU threads of each network.

    Raises:
        StageError: a network is missing or cannot be read.
    """

    def __init__(self, folder: Path, policy: MtcnnPolicy, threads: int = 1) -> None:
        self._policy = policy
        self._pnet, self._rnet, self._onet = (
            _session(folder / f"{name}.onnx", threads) for name in ("pnet", "rnet", "onet")
        )

    def detect(self, frame: Image, near: Floats | None = None) -> Detections:
        """Find the faces in an RGB frame (H, W, 3)."""
        image = _shrink(frame, self._policy.longest_side)
        found = self._locate(image, self._refine(image, self._propose(image)))
        scale = np.array([frame.shape[1] / image.shape[1], frame.shape[0] / image.shape[0]], np.float32)
        return Detections(found.boxes * np.tile(scale, 2), found.scores, found.landmarks * scale)

    def _propose(self, image: Image) -> Floats:
        """PNet over the pyramid: squares (N, 4) that may hold a face."""
        height, width = image.shape[:2]
        levels = []
        for scale in pyramid(min(height, width), self._policy):
            size = (int(width * scale + 1), int(height * scale + 1))
            level = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
            offsets, probability = self._pnet.run(None, {"image": level[None]})
            levels.append(self._candidates(offsets[0], probability[0], scale))
        boxes, scores, offsets = (
            (np.concatenate(part) for part in zip(*levels, strict=True)) if levels else _none()
        )
        keep = suppress(boxes, scores, 0.7)
        boxes, offsets = boxes[keep], offsets[keep]
        sides = boxes[:, 2:] - boxes[:, :2]
        return square(boxes + offsets * np.tile(sides, 2))

    def _candidates(
        self, offsets: Floats, probability: Floats, scale: float
    ) -> tuple[Floats, Floats, Floats]:
        """Of one level: boxes (N, 4), scores (N,) and offsets (N, 4) of the cells above the threshold."""
        cells = np.argwhere(probability >= self._policy.thresholds[0])  # (N, 2) row, column
        corner = STRIDE * cells[:, ::-1]
        boxes = np.floor(np.hstack([corner + 1, corner + CELL]) / scale).astype(np.float32)
        rows, columns = cells.T
        scores = probability[rows, columns]
        keep = suppress(boxes, scores, 0.5)
        return boxes[keep], scores[keep], offsets[:, rows, columns].T[keep]

    def _refine(self, image: Image, boxes: Floats) -> Floats:
        """RNet on the proposals: the squares that still look like a face."""
        boxes, crops = _cut(image, boxes, 24)
        offsets, scores = _run(self._rnet, crops)
        passed = scores > self._policy.thresholds[1]
        boxes, offsets, scores = boxes[passed], offsets[passed], scores[passed]
        keep = suppress(boxes, scores, 0.7)
        return square(regress(boxes[keep], offsets[keep]))

    def _locate(self, image: Image, boxes: Floats) -> Detections:
        """ONet on what is left: final boxes, scores and landmarks."""
        boxes, crops = _cut(image, boxes, 48)
        offsets, points, scores = _run(self._onet, crops)
        passed = scores > self._policy.thresholds[2]
        boxes, offsets, points, scores = boxes[passed], offsets[passed], points[passed], scores[passed]
        sides = boxes[:, 2:] - boxes[:, :2] + 1
        landmarks = points.reshape(-1, 2, 5).transpose(0, 2, 1) * sides[:, None] + boxes[:, None, :2] - 1
        boxes = regress(boxes, offsets)
        keep = suppress_nested(boxes, scores, 0.7)
        return Detections(boxes[keep], scores[keep], landmarks[keep])


def pyramid(shorter_side: int, policy: MtcnnPolicy) -> list[float]:
    """Scales at which a face of at least `min_face` px fills PNet's cell."""
    scales = [CELL / policy.min_face]
    while shorter_side * scales[-1] >= CELL:
        scales.append(scales[-1] * policy.factor)
    return scales[:-1]


def square(boxes: Floats) -> Floats:
    """The smallest squares with the boxes' centres that hold them."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    halves = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True, initial=0.0) / 2
    return np.hstack([centres - halves, centres + halves])


def regress(boxes: Floats, offsets: Floats) -> Floats:
    """Move each corner by its offset, in sides of the box."""
    return boxes + offsets * np.tile(boxes[:, 2:] - boxes[:, :2] + 1, 2)


def suppress(boxes: Floats, scores: Floats, threshold: float) -> NDArray[np.intp]:
    """Non-maximum suppression by intersection over union; indices to keep, best first."""
    rectangles = np.hstack([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]])
    return np.array(cv2.dnn.NMSBoxes(rectangles.tolist(), scores.tolist(), 0.0, threshold), np.intp)


def suppress_nested(boxes: Floats, scores: Floats, threshold: float) -> NDArray[np.intp]:
    """Non-maximum suppression by intersection over the smaller box; indices to keep, best first."""
    areas = (boxes[:, 2:] - boxes[:, :2] + 1).prod(axis=1)
    order = np.argsort(-scores, kind="stable")
    keep: list[int] = []
    while order.size:
        best, rest = order[0], order[1:]
        keep.append(int(best))
        sides = (
            np.minimum(boxes[best, 2:], boxes[rest, 2:]) - np.maximum(boxes[best, :2], boxes[rest, :2]) + 1
        )
        share = np.maximum(sides, 0).prod(axis=1) / np.minimum(areas[best], areas[rest])
        order = rest[share <= threshold]
    return np.array(keep, np.intp)


def _session(path: Path, threads: int) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return ort.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    except FileNotFoundError as error:
        raise StageError(f"{path}: not there; make it with dvc repro detector") from error
    except Exception as error:  # ONNX Runtime's exceptions have no common base
        raise StageError(f"{path}: not a network of MTCNN; make it again with dvc repro detector") from error


def _run(session: ort.InferenceSession, crops: Image) -> list[Floats]:
    batches = [crops[start : start + BATCH] for start in range(0, max(1, len(crops)), BATCH)]
    results = [session.run(None, {"image": batch}) for batch in batches]
    return [np.concatenate(parts) for parts in zip(*results, strict=True)]


def _shrink(frame: Image, longest_side: int) -> Image:
    height, width = frame.shape[:2]
    scale = longest_side / max(height, width)
    if scale >= 1:
        return frame
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(frame, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _cut(image: Image, boxes: Floats, side: int) -> tuple[Floats, Image]:
    """Crops (M, side, side, 3) of the boxes, clipped to the image; boxes that lie outside are dropped."""
    height, width = image.shape[:2]
    corners = boxes.astype(np.int64)  # towards zero, as facenet-pytorch
    low = np.maximum(corners[:, :2], 1) - 1
    high = np.minimum(corners[:, 2:], [width, height])
    inside = (high > low).all(axis=1)
    crops = np.empty((int(inside.sum()), side, side, 3), np.uint8)
    for crop, (x1, y1), (x2, y2) in zip(crops, low[inside], high[inside], strict=True):
        cv2.resize(image[y1:y2, x1:x2], (side, side), dst=crop, interpolation=cv2.INTER_AREA)
    return boxes[inside], crops


def _none() -> tuple[Floats, Floats, Floats]:
    return np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty((0, 4), np.float32)
