"""What `CROP_VERSION` stands for: crops of frames and faces that are fixed, as a few of their pixels.

Where this fails, crops of the same policy have changed, so a bundle would score other pixels than it was
trained on: raise `CROP_VERSION` in components/faces/policy.py, and write down here what the message shows.
"""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from components.arrays import Floats32, Image
from components.detectors.detections import Detections
from components.faces.clip import Faces, Origin
from components.faces.cutter import Cutter
from components.faces.extract import assemble
from components.faces.policy import CROP_VERSION, CropPolicy
from components.video.frames import Frame, VideoInfo
from components.video.sampling import Even

VERSION = 4
"""The `CROP_VERSION` of what is written down here."""

TOLERANCE = 2
"""Levels by which processors may differ; a shift by half a pixel moves most of these by more."""

INFO = VideoInfo(200, 25.0, 160, 120, 8.0, "h264", 1)
POINTS = np.array([[0.3, 0.4], [0.68, 0.35], [0.52, 0.6], [0.36, 0.8], [0.7, 0.76]], np.float32)


def picture(index: int) -> Image:
    """Waves of a few pixels, which a change of place, of scale or of filter moves."""
    y, x = np.mgrid[:120, :160]
    waves = (0.9 * x + 0.3 * y + index, 0.2 * x - 0.7 * y, 0.5 * x + 0.5 * y - 2 * index)
    return np.stack([np.rint(127 + 120 * np.sin(wave / 2)) for wave in waves], axis=2).astype(np.uint8)


class Scripted:
    """A large face that moves, is missed now and then and reaches over the edge, and a small one."""

    def __init__(self) -> None:
        self._frame = -1

    def detect(self, frame: Image, near: Floats32 | None = None) -> Detections:
        self._frame += 1
        shift = 1.5 * self._frame + (self._frame % 3)
        large = (-6 + shift, 21.3, 44 + shift, 80.6)
        boxes = np.array(
            [large, (120, 60, 140.5, 84)] if self._frame % 5 in (1, 2, 3) else [], np.float32
        ).reshape(-1, 4)
        sides = boxes[:, None, 2:] - boxes[:, None, :2]
        return Detections(boxes, np.full(len(boxes), 0.95, np.float32), boxes[:, None, :2] + sides * POINTS)


POLICIES: dict[str, dict[str, Any]] = {
    "plain": {},
    "mirrored": {"border": "mirror", "margin": 0.8, "size": 128},
    "small": {"size": 32, "margin": 1.5, "border": "black", "tracks": "all"},
    "aligned": {"align": "landmarks", "smoothing": 0.0},
    "middle": {"fallback": "center", "min_face_share": 1.0},
}

GOLDEN: dict[str, list[list[int]]] = {
    "plain": [
        [90, 58, 42, 39, 123, 8, 165, 157, 245],
        [11, 58, 238, 236, 97, 117, 11, 131, 126],
        [21, 134, 44, 191, 12, 107, 119, 26, 158],
        [167, 170, 179, 13, 7, 10, 214, 12, 247],
    ],
    "mirrored": [
        [201, 25, 9, 32, 118, 9, 195, 183, 20],
        [200, 14, 217, 230, 92, 128, 186, 204, 64],
        [209, 40, 122, 202, 11, 96, 36, 243, 162],
        [172, 68, 89, 11, 8, 9, 141, 231, 32],
    ],
    "small": [
        [109, 159, 169, 228, 160, 73, 206, 242, 157],
        [213, 159, 11, 229, 160, 55, 101, 242, 12],
        [53, 159, 13, 19, 160, 32, 137, 242, 11],
        [14, 159, 152, 101, 160, 229, 228, 242, 163],
    ],
    "aligned": [
        [161, 211, 152, 10, 9, 79, 45, 11, 245],
        [48, 211, 223, 160, 8, 232, 72, 9, 121],
        [218, 216, 243, 235, 80, 16, 238, 72, 146],
        [115, 235, 143, 20, 115, 51, 81, 105, 245],
    ],
    "middle": [
        [92, 85, 91, 238, 66, 55, 29, 240, 70],
        [234, 85, 148, 169, 66, 212, 63, 240, 170],
        [27, 85, 114, 71, 66, 232, 204, 240, 138],
        [25, 85, 239, 183, 66, 33, 98, 240, 229],
    ],
}


def cut(changed: dict[str, Any]) -> Faces:
    policy = CropPolicy(sampling=Even(frames=12), **{"size": 64, **changed})
    cutter = Cutter(policy, Scripted())
    for index in range(12):
        cutter.visit(Frame(picture(index), index / 25))
    cutter.finish()
    faces = assemble(cutter, policy, INFO)
    assert isinstance(faces, Faces)
    return faces


def pixels(faces: Faces) -> NDArray[np.int64]:
    """Three pixels each of a repeated, a detected, a filled-in and the last crop of the last face: (4, 9)."""
    crops = faces.clips[-1].crops[[0, 3, 9, 11]].astype(int)
    places = np.array([[0.1, 0.15], [0.5, 0.5], [0.8, 0.7]]) * crops.shape[1]
    rows, columns = places.astype(int).T
    return np.asarray(crops[:, rows, columns].reshape(4, 9))


def test_what_is_written_down_here_is_of_this_version() -> None:
    assert CROP_VERSION == VERSION, "CROP_VERSION was raised: write down here what crops are like now"


def test_crops_of_every_origin_are_looked_at() -> None:
    faces = cut({})
    assert faces.main.origins[[0, 3, 9, 11]].tolist() == [
        Origin.REPEATED,
        Origin.DETECTED,
        Origin.INTERPOLATED,
        Origin.DETECTED,
    ]


@pytest.mark.parametrize("name", POLICIES)
def test_crops_change_with_their_version_only(name: str) -> None:
    now = pixels(cut(POLICIES[name]))
    assert np.abs(now - GOLDEN[name]).max() <= TOLERANCE, (
        f"crops have changed: raise CROP_VERSION, and write down here {name!r}: {now.tolist()}"
    )
