"""Face clips as torch datasets. What is drawn of a clip is a function of (seed, epoch, clip, repeat)."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from components.arrays import Floats32
from components.faces.in_crop import in_crop
from components.faces.policy import CropPolicy
from components.training.sampling import Draw
from components.training.self_blended import self_blend
from components.training.videos import LABELS, Video

SELF_BLENDED = "self-blended"
"""The method of forgeries that are made from genuine clips while training."""

Item = tuple[Tensor, int]
"""Pixels, uint8 RGB, or features, and the label of their video."""


class Store(Protocol):
    """Where crops come from: `components.faces.store.ClipStore`, or `components.training.decoded`."""

    def shape(self, name: str) -> tuple[int, ...]:
        """Returns `(K, T, S, S, 3)` of a video's crops, without reading them."""
        ...

    def read_crops(
        self, name: str, frames: Sequence[int] | None = None, clips: int | None = None
    ) -> NDArray[np.uint8]:
        """A video's crops: `(K, T, S, S, 3)` RGB of K faces; of some frames and the first faces if asked."""
        ...

    def read_geometry(self, name: str) -> tuple[Floats32, Floats32]:
        """Returns boxes `(K, T, 4)` and landmarks `(K, T, 5, 2)`, px of the video."""
        ...


class DrawnClip(NamedTuple):
    """A clip as it is learnt from once."""

    clip: Tensor  # uint8 (T, 3, S, S), or features (T, C)
    label: int
    method: int  # index among the training set's methods
    item: int  # of `components.training.sampling.Items`


class ClipDataset(Dataset[Item]):
    """All stored frames of every video, as they are: uint8 `(K, T, 3, S, S)` of K faces, the main one first.

    Args:
        videos: with a clip in the store.
        store: where their crops are.
        faces: how many of a video are taken at most; None takes all that are stored.
        policy: by which the clips were cut; needed where they are forged.
    """

    def __init__(
        self,
        videos: Sequence[Video],
        store: Store,
        faces: int | None = None,
        policy: CropPolicy | None = None,
    ) -> None:
        self.videos = videos
        self.policy = policy
        self.methods = tuple(sorted({video.method for video in videos}))
        """What tells the videos apart beyond their label; genuine ones among it."""
        self.store = store
        self.faces = faces
        self._shapes: dict[int, torch.Size] = {}

    def __len__(self) -> int:
        return len(self.videos)

    def __getitem__(self, index: int) -> Item:
        return self._read(index), self.videos[index].label

    def main_face(self, index: int, frames: Sequence[int]) -> Item:
        """Returns some frames of the main face, uint8 `(T, 3, S, S)`."""
        return self._read(index, frames, 1)[0], self.videos[index].label

    def shape(self, index: int) -> torch.Size:
        """Returns the shape of a video's pixels, which the store is asked for once."""
        if index not in self._shapes:
            faces, frames, height, width, colours = self.store.shape(self.videos[index].clip)
            taken = faces if self.faces is None else min(faces, self.faces)
            self._shapes[index] = torch.Size((taken, frames, colours, height, width))
        return self._shapes[index]

    def place(self, index: int, frames: Sequence[int]) -> tuple[Floats32, Floats32]:
        """Returns where the main face is in its crops, px: boxes `(T, 4)`, landmarks `(T, 5, 2)`."""
        if self.policy is None:
            raise ValueError("clips that are to be forged need the policy by which they were cut")
        boxes, landmarks = self.store.read_geometry(self.videos[index].clip)
        return in_crop(boxes[0, list(frames)], landmarks[0, list(frames)], self.policy)

    @property
    def crop_size(self) -> int:
        """Side of the crops, px."""
        return self.shape(0)[-1]

    def _read(self, index: int, frames: Sequence[int] | None = None, faces: int | None = None) -> Tensor:
        crops = self.store.read_crops(self.videos[index].clip, frames, faces or self.faces)
        return torch.from_numpy(crops).permute(0, 1, 4, 2, 3)


class DrawnClips(Dataset[DrawnClip]):
    """Some frames of each video's main face, drawn and augmented anew in every epoch.

    Of several faces only the main one is learnt from: a label says that a video was forged, not whose face
    in it. Most forgeries change one person, so every bystander of a fake would be a wrong label.

    A genuine clip and its forgery of the same epoch show the same frames, augmented in the same way, as in
    the paper on self-blended images (https://arxiv.org/abs/2204.08376): what tells them apart is the forgery.

    Args:
        clips: the whole clips.
        frames: least and most to draw; a clip gives as many as it has, within these.
        augment: a transform that treats all frames of a clip alike; it draws from torch's generator.
        seed: of all draws.
    """

    def __init__(
        self, clips: ClipDataset, frames: tuple[int, int], augment: Callable[[Tensor], Tensor], seed: int
    ) -> None:
        self._clips = clips
        self._frames = frames
        self._augment = augment
        self._seed = seed
        numbers = {method: number for number, method in enumerate(clips.methods)}
        self._methods = [numbers[video.method] for video in clips.videos]

    def __len__(self) -> int:
        return len(self._clips)

    def __getitem__(self, draw: Draw) -> DrawnClip:
        generator = np.random.default_rng((self._seed, draw.epoch, draw.clip, draw.repeat))
        stored = self._clips.shape(draw.clip)[1]
        count = int(np.clip(stored, *self._frames))
        if draw.repeat and count < stored:
            frames = self._further_frames(draw, stored, count)
        else:
            frames = draw_frames(stored, count, generator)
        clip, label = self._clips.main_face(draw.clip, frames)
        seed = int(generator.integers(2**63))
        if draw.forged:
            forged = self._augmented(self._blended(clip, draw.clip, frames, generator), seed)
            return DrawnClip(forged, LABELS["fake"], len(self._clips.methods), len(self) + draw.clip)
        return DrawnClip(self._augmented(clip, seed), label, self._methods[draw.clip], draw.clip)

    def _further_frames(self, draw: Draw, stored: int, count: int) -> list[int]:
        """Returns those that the epoch has not drawn of this clip before, until it has drawn them all."""
        first = np.random.default_rng((self._seed, draw.epoch, draw.clip, 0))
        begun = draw_frames(stored, count, first)
        others = first.permutation(np.setdiff1d(np.arange(stored), begun))
        turns = np.concatenate([begun, others])
        places = (draw.repeat * count + np.arange(count)) % stored
        return sorted(turns[places].tolist())

    def _blended(
        self, clip: Tensor, index: int, frames: Sequence[int], generator: np.random.Generator
    ) -> Tensor:
        boxes, landmarks = self._clips.place(index, frames)
        return self_blend(clip, landmarks, generator, boxes)[0]

    def _augmented(self, clip: Tensor, seed: int) -> Tensor:
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)  # torch.manual_seed takes milliseconds for GPUs unused
            return self._augment(clip)


def as_it_is(clip: Tensor) -> Tensor:
    """Returns the clip without any augmentation."""
    return clip


def method_names(clips: ClipDataset, self_blended: float) -> tuple[str, ...]:
    """Returns what the second head tells apart, by the index that drawn clips have."""
    return (*clips.methods, SELF_BLENDED) if self_blended else clips.methods


def draw_frames(stored: int, frames: int, generator: np.random.Generator) -> list[int]:
    """Draws indices of the frames to use, in their order; some twice where a clip holds too few."""
    drawn = generator.choice(stored, size=frames, replace=stored < frames)
    return sorted(drawn.tolist())
