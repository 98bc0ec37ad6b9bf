"""MTCNN, the three-stage face detector, on ONNX Runtime.

Paper: Zhang et al., 2016, Joint Face Detection and Alignment using Multi-task Cascaded Convolutional
Networks, https://arxiv.org/abs/1604.02878. Weights and arithmetic are those of facenet-pytorch
(https://github.com/timesler/facenet-pytorch), and tests hold the two against each other; its 1-based
pixel coordinates are kept, because the networks were trained with them. What differs, for speed: how
pictures are resized, and that fewer boxes of one face pass from one network to the next.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort

from components.arrays import Floats32, Image
from components.detectors.boxes import (
    cut_off,
    found_again,
    overlaps,
    regions,
    regress,
    square,
    suppress,
    suppress_nested,
)
from components.detectors.detections import Detections
from components.detectors.pyramid import CELL, Level, build_pyramid, cut_candidates, shrink_to
from components.detectors.settings import PROVIDER_VARIABLE, MtcnnPolicy
from components.errors import BundleError, StageError
from components.providers import Asked, open_session
from components.video.colour import has_cast, without_cast

STRIDE = 2
"""PNet looks at a cell every 2 px."""

OVERLAPS = (0.5, 0.5, 0.5)
"""Of two boxes that overlap more (intersection over union) the better passes: of one level, of all, refined.

facenet-pytorch has 0.5, 0.7 and 0.7, with which several boxes of one face pass on to RNet and ONet.
"""

HEAP, SURE = 0.3, 0.95
"""Refined boxes that overlap more than `HEAP` are of one face: ONet looks at the best, and at the others only
where it is not `SURE` of that one, which saves half of its runs."""

NESTED = 0.7
"""Of two final boxes that overlap more (intersection over the smaller) the better stays."""

FULL_SIDE = 1920
"""Longest side at which frames are searched again in which nothing was found, px."""

SHRINKAGE = 1.5
"""Around a face of a moment ago, faces are looked for from its side divided by this on."""

BATCHES = {"CPUExecutionProvider": (32, 8)}
"""Crops that pass through RNet and ONet at once: what fits the cache of a CPU core takes half of the time."""

DEVICE_BATCH = 512

OUTPUTS = {
    "pnet.onnx": ["offsets", "probability"],
    "rnet.onnx": ["offsets", "probability"],
    "onet.onnx": ["offsets", "landmarks", "probability"],
}
"""Of each network, as `components.export.mtcnn` names them; each takes an `image` of bytes."""


class Mtcnn:
    """The cascade: propose on an image pyramid, refine, then locate the landmarks.

    Args:
        folder: holds pnet.onnx, rnet.onnx and onet.onnx, as `components.export.detector` writes them.
        policy: size of the smallest face, thresholds, pyramid.
        threads: of each network, on the CPU.
        provider: where to compute, see `components.providers`.

    Raises:
        StageError: a network is missing or cannot be read.
        ProviderError: CUDA was asked for and cannot be used.
    """

    def __init__(self, folder: Path, policy: MtcnnPolicy, threads: int = 1, provider: Asked = "cpu") -> None:
        self._policy = policy
        self._pnet, self._rnet, self._onet = (
            _open(file, threads, provider) for file in policy.files_in(folder)
        )
        self._batches = BATCHES.get(self.provider, (DEVICE_BATCH, DEVICE_BATCH))

    @property
    def provider(self) -> str:
        """ONNX Runtime's name of where it computes."""
        return str(self._pnet.get_providers()[0])

    def detect(self, frame: Image, near: Floats32 | None = None) -> Detections:
        """Finds the faces in an RGB frame (H, W, 3).

        Args:
            frame: upright; it is shrunk to `longest_side`, and where nothing is found and the policy says
                `retry`, searched again, see `_retries`.
            near: boxes (M, 4) of where faces were a moment ago. Then only the parts around these are
                searched, for faces hardly smaller than they, unless one of them is not found again.
        """
        image = shrink_to(frame, self._policy.longest_side)
        detections = None
        if near is not None and len(near):
            detections = self._search_near(image, near / np.tile(_ratio(frame, image), 2))
        if detections is None:
            detections = self._search(image, self._policy.min_face)
        if not len(detections.boxes) and self._policy.retry:
            image, detections = self._search_again(frame, image)
        return detections.placed(scale=_ratio(frame, image))

    def _search_again(self, frame: Image, image: Image) -> tuple[Image, Detections]:
        """Search what `_retries` yields until something is found; the picture in which that is, and what."""
        for again in self._retries(frame, image):
            detections = self._search(again, self._policy.min_face)
            if len(detections.boxes):
                return again, detections
        return image, Detections.none()

    def _retries(self, frame: Image, image: Image) -> Iterator[Image]:
        """Yields pictures to search in turn where nothing is found in a shrunk frame.

        That is the frame at its own size, at most `FULL_SIDE`. Where one colour drowns the others, in which
        the networks, trained in daylight, see nothing, it is both sizes in grey.
        """
        cast, full = has_cast(image), min(FULL_SIDE, max(frame.shape))
        if cast:
            yield without_cast(image)
        if max(image.shape) < full:
            larger = shrink_to(frame, full)
            yield without_cast(larger) if cast else larger

    def _search_near(self, image: Image, near: Floats32) -> Detections | None:
        """Searches around boxes; None where one of them has no face any more."""
        height, width = image.shape[:2]
        parts = []
        for region in regions(near, width, height):
            smallest = max(self._policy.min_face, region.side / SHRINKAGE)
            detections = self._search(image[region.y1 : region.y2, region.x1 : region.x2], smallest)
            detections = detections.placed(corner=(region.x1, region.y1))
            parts.append(detections.only(~cut_off(detections.boxes, region, width, height)))
        joined = Detections.joined(parts)  # with faces in it that several parts show
        joined = joined.only(suppress_nested(joined.boxes, joined.scores, NESTED))
        return joined if found_again(near, joined.boxes) else None

    def _search(self, image: Image, smallest: float) -> Detections:
        """Finds faces from `smallest` px on."""
        levels = build_pyramid(image, smallest, self._policy.factor)
        boxes = self._propose(levels)
        return self._locate(levels, *self._refine(levels, boxes)) if len(boxes) else Detections.none()

    def _propose(self, levels: Sequence[Level]) -> Floats32:
        """PNet over the pyramid: squares (N, 4) that may hold a face."""
        proposals = [proposal for level in levels[1:] for proposal in self._candidates(level)]
        if not proposals:
            return Detections.none().boxes
        boxes, scores, offsets = (np.concatenate(part) for part in zip(*proposals, strict=True))
        keep = suppress(boxes, scores, OVERLAPS[1])
        boxes, offsets = boxes[keep], offsets[keep]
        return square(boxes + offsets * np.tile(boxes[:, 2:] - boxes[:, :2], 2))

    def _candidates(self, level: Level) -> list[tuple[Floats32, Floats32, Floats32]]:
        """Returns each level's boxes (N, 4), scores (N,) and offsets (N, 4) of cells above the threshold."""
        offsets, probability = self._pnet.run(None, {"image": level.image[None]})
        rows, columns = np.nonzero(probability[0] >= self._policy.thresholds[0])
        if not len(rows):
            return []
        corner = STRIDE * np.stack([columns, rows], axis=1)
        boxes = np.floor(np.hstack([corner + 1, corner + CELL]) / level.scale).astype(np.float32)
        scores = probability[0, rows, columns]
        keep = suppress(boxes, scores, OVERLAPS[0])
        return [(boxes[keep], scores[keep], offsets[0, :, rows, columns][keep])]

    def _refine(self, levels: Sequence[Level], boxes: Floats32) -> tuple[Floats32, Floats32]:
        """RNet on the proposals: the squares that still look like a face, and their scores."""
        boxes, crops = cut_candidates(levels, boxes, 24)
        offsets, scores = _run(self._rnet, crops, self._batches[0])
        passed = scores > self._policy.thresholds[1]
        boxes, offsets, scores = boxes[passed], offsets[passed], scores[passed]
        keep = suppress(boxes, scores, OVERLAPS[2])
        return square(regress(boxes[keep], offsets[keep])), scores[keep]

    def _locate(self, levels: Sequence[Level], boxes: Floats32, scores: Floats32) -> Detections:
        """The faces: ONet on the best square of each heap, then on those that no sure face explains."""
        best = suppress(boxes, scores, HEAP)
        detections = self._look(levels, boxes[best])
        others = np.delete(boxes, best, axis=0)
        sure = detections.boxes[detections.scores >= SURE]
        others = others[overlaps(others, sure).max(axis=1, initial=0) < HEAP]
        detections = Detections.joined([detections, self._look(levels, others)])
        return detections.only(suppress_nested(detections.boxes, detections.scores, NESTED))

    def _look(self, levels: Sequence[Level], boxes: Floats32) -> Detections:
        """ONet on squares: final boxes, scores and landmarks of those that are faces."""
        boxes, crops = cut_candidates(levels, boxes, 48)
        offsets, points, scores = _run(self._onet, crops, self._batches[1])
        sides = boxes[:, 2:] - boxes[:, :2] + 1
        landmarks = points.reshape(-1, 2, 5).transpose(0, 2, 1) * sides[:, None] + boxes[:, None, :2] - 1
        detections = Detections(regress(boxes, offsets), scores, landmarks)
        return detections.only(scores > self._policy.thresholds[2])


def _open(file: Path, threads: int, provider: Asked) -> ort.InferenceSession:
    remedy = "make it again with dvc repro detector"
    try:
        session = open_session(
            file, provider, threads=threads, option=f"{PROVIDER_VARIABLE}=", shapes_vary=True
        )
    except BundleError as error:
        raise StageError(f"{file}: not a network of MTCNN; {remedy}") from error
    if not _fits(session, OUTPUTS[file.name]):
        raise StageError(f"{file}: takes or gives something else than this version's networks; {remedy}")
    return session


def _fits(session: ort.InferenceSession, outputs: list[str]) -> bool:
    """Tells whether a network takes and gives what the cascade expects of it."""
    taken = [(given.name, given.type, given.shape[3:]) for given in session.get_inputs()]
    given = [output.name for output in session.get_outputs()]
    return taken == [("image", "tensor(uint8)", [3])] and given == outputs


def _run(session: ort.InferenceSession, crops: Image, batch: int) -> list[Floats32]:
    if not len(crops):
        return [np.empty((0, *output.shape[1:]), np.float32) for output in session.get_outputs()]
    results = [
        session.run(None, {"image": crops[start : start + batch]}) for start in range(0, len(crops), batch)
    ]
    return [np.concatenate(parts) for parts in zip(*results, strict=True)]


def _ratio(frame: Image, image: Image) -> tuple[float, float]:
    """Returns the factors in x and y by which the coordinates of a shrunk frame are multiplied."""
    return frame.shape[1] / image.shape[1], frame.shape[0] / image.shape[0]
