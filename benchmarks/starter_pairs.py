"""Pairs of a genuine face and its own forgery, drawn anew in every epoch, for `benchmarks/starter.py`."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from starter_faces import POLICY, Faces
from torch import Tensor
from torch.nn.functional import avg_pool2d
from torch.utils.data import Dataset, Sampler

from components.faces.in_crop import in_crop
from components.params import AugmentationParams
from components.params.augmentation import Jpeg, Tint
from components.training.augmentation import augmentation
from components.training.self_blended import self_blend

SIZE = 64
"""Side of the pictures that the network learns from, px: that of the shipped params.yaml."""

# Mild: what gives a self-blended face of 64 px away is faint, and nothing was learnt behind stronger changes.
AUGMENTATION = AugmentationParams(
    flip=0.5,
    brightness=0.15,
    contrast=0.15,
    shift=0.05,
    jpeg=Jpeg(chance=0.2, quality=(60, 100)),
)
COLOURS = AUGMENTATION.model_copy(
    update={"saturation": 0.5, "grey": 0.3, "tint": Tint(chance=0.2, strength=(0.1, 0.5))}
)
"""For what has learnt to see forgeries in colour; those of the shipped params.yaml."""

Draw = tuple[int, int, int]
"""Epoch, row of `Faces`, frame."""


class Pairs(Dataset[Tensor]):
    """A frame as it is and as its own forgery: uint8 (2, 3, SIZE, SIZE), genuine first.

    Both go through the same shrinking and through augmentations drawn one by one, so that nothing but the
    forgery tells them apart. Every draw is a function of (seed, epoch, person, frame).

    Args:
        faces: genuine clips.
        seed: of all draws.
        augmented: how pictures are augmented; None: not at all.
    """

    def __init__(self, faces: Faces, seed: int, augmented: AugmentationParams | None) -> None:
        self._crops = faces.crops
        placed = [
            in_crop(boxes, points, POLICY)[1]
            for boxes, points in zip(faces.boxes, faces.landmarks, strict=True)
        ]
        self._landmarks = np.stack(placed)
        self._seed = seed
        self._augment = augmentation(augmented, SIZE) if augmented else None

    def __len__(self) -> int:
        return len(self._crops)

    def __getitem__(self, draw: Draw) -> Tensor:
        generator = np.random.default_rng((self._seed, *draw))
        _, row, frame = draw
        genuine = torch.from_numpy(np.array(self._crops[row, frame])).permute(2, 0, 1)[None]  # (1, 3, S, S)
        landmarks = self._landmarks[row, frame][None]
        pair = forged_and_shrunk(genuine, landmarks, generator)
        return pair if self._augment is None else self._augmented(pair, generator)

    def _augmented(self, pair: Tensor, generator: np.random.Generator) -> Tensor:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(generator.integers(2**63)))
            assert self._augment is not None
            return torch.stack([self._augment(picture[None])[0] for picture in pair])


def forged_and_shrunk(
    genuine: Tensor, landmarks: NDArray[np.float32], generator: np.random.Generator
) -> Tensor:
    """A frame (1, 3, 2·SIZE, 2·SIZE) and its forgery at half the size, (2, 3, SIZE, SIZE).

    Half of the forgeries are made before the crop is shrunk, as in real ones, and half after that, as those
    that candidates are trained on.
    """
    small = halved(genuine)
    if generator.random() < 0.5:
        return torch.cat([small, halved(self_blend(genuine, landmarks, generator)[0])])
    forged, _ = self_blend(small, (landmarks - 0.5) / 2, generator)
    return torch.cat([small, forged])


def halved(clip: Tensor) -> Tensor:
    """Half the side, each pixel the mean of four, rounded as OpenCV rounds it."""
    return (avg_pool2d(clip.float(), 2) + 0.5).to(torch.uint8)


class EveryPerson(Sampler[Draw]):
    """Each person once an epoch, with another frame each time, in an order of (seed, epoch)."""

    def __init__(self, people: int, frames: int, seed: int) -> None:
        self._shape = people, frames
        self._seed = seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Lightning calls this before each epoch."""
        self._epoch = epoch

    def __len__(self) -> int:
        return self._shape[0]

    def __iter__(self) -> Iterator[Draw]:
        people, frames = self._shape
        generator = np.random.default_rng((self._seed, self._epoch))
        chosen = generator.integers(frames, size=people)
        return ((self._epoch, int(row), int(chosen[row])) for row in generator.permutation(people))
