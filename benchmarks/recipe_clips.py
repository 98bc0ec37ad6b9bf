"""Made-up people for checks of recipes: every person a picture of their own, every forgery a patch on it."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from components.faces.policy import CropPolicy
from components.training.dataset import ClipDataset
from components.training.videos import LABELS, Video

Crops = NDArray[np.uint8]
Floats = NDArray[np.float32]

FACE = np.array([[0.35, 0.4], [0.65, 0.4], [0.5, 0.55], [0.38, 0.7], [0.62, 0.7]], np.float32)
"""Eyes, nose and corners of the mouth in a crop, as shares of its side."""


class Made(NamedTuple):
    """What a clip shows."""

    person: int
    forged: str = ""  # patch
    frames: int = 4


class MadeUpClips:
    """A store of clips that are painted when they are asked for.

    Args:
        size: side of a crop, px.
        clips: by name.
    """

    def __init__(self, size: int, clips: dict[str, Made]) -> None:
        self._size = size
        self._clips = clips

    def shape(self, name: str) -> tuple[int, ...]:
        return (1, self._clips[name].frames, self._size, self._size, 3)

    def read_crops(self, name: str, frames: Sequence[int] | None = None, clips: int | None = None) -> Crops:
        crops = paint(self._clips[name], self._size)
        return crops[None] if frames is None else crops[None, list(frames)]

    def read_geometry(self, name: str) -> tuple[Floats, Floats]:
        count = self._clips[name].frames
        side = np.float32(self._size)
        # As if the video were the crop: the face box is what the margin leaves of it.
        boxes = np.tile(np.array([0.12, 0.12, 0.88, 0.88], np.float32) * side, (1, count, 1))
        return boxes, np.tile(FACE * side, (1, count, 1, 1))


def paint(made: Made, size: int) -> Crops:
    """Crops `(T, S, S, 3)`: a person's colours, which move a little from frame to frame."""
    rng = np.random.default_rng(made.person)
    colours = rng.integers(30, 226, (5, 5, 3)).astype(np.float32)
    picture = cv2.resize(colours, (size, size), interpolation=cv2.INTER_CUBIC)
    moves = rng.integers(-size // 32, size // 32 + 1, (made.frames, 2))
    clip = np.stack([np.roll(picture, move, axis=(0, 1)) for move in moves])
    noise = rng.normal(0, 4, (made.frames, 1, size, 3))  # by row: fresh noise for every pixel takes seconds
    clip = np.clip(clip + noise, 0, 255).astype(np.uint8)
    if made.forged == "patch":
        quarter = size // 4
        clip[:, quarter : 2 * quarter, quarter : 2 * quarter] = 255 - clip[:, :quarter, :quarter]
    return clip


def dataset(rows: Sequence[tuple[Made, int]], split: str, policy: CropPolicy) -> ClipDataset:
    """Clips with their labels, as training and validation take them."""
    names = [f"{split}{number}" for number in range(len(rows))]
    methods = {label: name for name, label in LABELS.items()}
    videos = [
        Video(name, f"person{made.person}", split, label, methods[label], name)
        for name, (made, label) in zip(names, rows, strict=True)
    ]
    store = MadeUpClips(policy.size, {name: made for name, (made, _) in zip(names, rows, strict=True)})
    return ClipDataset(videos, store, policy=policy)
