from typing import Literal

import numpy as np
import pytest

from components.arrays import Floats32, Image
from components.detectors.detections import Detections
from components.detectors.settings import NoDetector
from components.faces.align import TEMPLATE
from components.faces.clip import Faces
from components.faces.crop import cut_face
from components.faces.cutter import Cutter
from components.faces.extract import assemble
from components.faces.in_crop import crop_place, in_crop
from components.faces.policy import CropPolicy
from components.video.frames import Frame, VideoInfo
from components.video.sampling import Even

BOX = np.array([40.0, 30.0, 100.0, 110.0], np.float32)
POINTS = np.array(
    [[58, 62], [84, 58], [72, 78], [62, 92], [86, 90]], np.float32
)  # a head that leans a little
UNKNOWN = np.full((5, 2), np.nan, np.float32)
ALIGN: list[Literal["none", "landmarks"]] = ["none", "landmarks"]


def placed(policy: CropPolicy, box: Floats32 = BOX, points: Floats32 = POINTS) -> tuple[Floats32, Floats32]:
    boxes, landmarks = in_crop(box[None], points[None], policy)
    assert boxes.dtype == landmarks.dtype == np.float32
    return boxes[0], landmarks[0]


class Unsteady:
    """A face that moves and trembles, and is missed in one frame."""

    def __init__(self) -> None:
        self._shifts = np.random.default_rng(0).normal(0, 2, (8, 2)) + np.arange(8)[:, None]

    def detect(self, frame: Image, near: Floats32 | None = None) -> Detections:
        index = int(frame[0, 0, 0])
        shift = self._shifts[index].astype(np.float32)
        box = (BOX + np.tile(shift, 2))[None, : 4 if index != 4 else 0]
        shown = 0 if index == 4 else 1
        return Detections(
            box.reshape(shown, 4), np.full(shown, 0.95, np.float32), np.stack([POINTS + shift])[:shown]
        )


@pytest.mark.parametrize("align", ALIGN)
def test_a_clip_keeps_the_boxes_and_landmarks_that_it_was_cut_by(align: Literal["none", "landmarks"]) -> None:
    policy = CropPolicy(sampling=Even(frames=8), size=32, align=align, smoothing=0.05)
    cutter = Cutter(policy, Unsteady())
    frames = np.random.default_rng(1).integers(0, 256, (8, 140, 140, 3), np.uint8)
    frames[:, 0, 0, 0] = range(8)
    for index, frame in enumerate(frames):
        cutter.visit(Frame(frame, index / 25))
    cutter.finish()
    faces = assemble(cutter, policy, VideoInfo(8, 25.0, 140, 140, 0.32, "h264", 1))
    assert isinstance(faces, Faces)
    clip = faces.main
    for frame, crop, box, points in zip(frames, clip.crops, clip.boxes, clip.landmarks, strict=True):
        assert np.array_equal(cut_face(frame, crop_place(box, points, policy), policy.size), crop)


@pytest.mark.parametrize("size", [64, 224])
@pytest.mark.parametrize("margin", [0.0, 0.3, 1.0])
def test_a_box_lies_in_the_middle_and_leaves_the_margin(size: int, margin: float) -> None:
    box, _ = placed(CropPolicy(size=size, margin=margin))
    low, high = box[:2], box[2:]
    assert (low + high) / 2 == pytest.approx([size / 2, size / 2])
    assert high - low == pytest.approx(np.array([0.75, 1.0]) * size / (1 + margin), rel=1e-5)


@pytest.mark.parametrize("align", ALIGN)
def test_landmarks_lie_where_the_crop_shows_what_they_mark(align: Literal["none", "landmarks"]) -> None:
    policy = CropPolicy(size=96, align=align)
    y, x = np.mgrid[:140, :140]
    for index, (px, py) in enumerate(POINTS):
        dot = np.exp(-((x - px) ** 2 + (y - py) ** 2) / 8) * 255
        frame = np.repeat(np.rint(dot)[..., None], 3, axis=2).astype(np.uint8)
        crop = cut_face(frame, crop_place(BOX, POINTS, policy), policy.size)[..., 0].astype(float)
        rows, columns = np.mgrid[: policy.size, : policy.size]
        shown = np.array([(columns * crop).sum(), (rows * crop).sum()]) / crop.sum()
        assert placed(policy)[1][index] == pytest.approx(shown, abs=0.1)


def test_aligned_landmarks_lie_on_the_template() -> None:
    leaning = TEMPLATE @ np.array([[0.8, 0.2], [-0.2, 0.8]]) + 20
    box = np.array([30, 30, 110, 110], np.float32)
    policy = CropPolicy(size=112, margin=0.0, align="landmarks")
    own_box, landmarks = placed(policy, box, leaning.astype(np.float32))
    assert landmarks == pytest.approx(TEMPLATE, abs=0.01)
    assert own_box[2:] - own_box[:2] == pytest.approx([80 / np.hypot(0.8, 0.2)] * 2, rel=1e-4)


@pytest.mark.parametrize("align", ALIGN)
def test_unknown_landmarks_stay_unknown(align: Literal["none", "landmarks"]) -> None:
    box, landmarks = placed(CropPolicy(size=64, align=align), points=UNKNOWN)
    assert np.isnan(landmarks).all()
    assert np.array_equal(box, placed(CropPolicy(size=64))[0])


def test_without_a_detector_there_is_no_margin() -> None:
    square = np.array([20, 0, 100, 80], np.float32)
    box, _ = placed(CropPolicy(size=64, margin=0.5, detector=NoDetector(name="none")), square, UNKNOWN)
    assert box == pytest.approx([0, 0, 64, 64], abs=1e-4)
