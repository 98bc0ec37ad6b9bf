"""Face clips as torch datasets. Every random draw is a function of (seed, epoch, clip).

So a training that was killed goes on exactly as if nothing had happened, whatever it had drawn before.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from components.training.videos import Video

MEMORY = 2 * 1024**3
"""As many clips of a split as fit into this many bytes are read once and kept.

Of the others training reads the frames that are drawn, in each epoch.
"""

Item = tuple[Tensor, int]
"""Pixels, uint8 RGB, and the label of their video."""


class Store(Protocol):
    """Where crops come from; `components.faces.store.ClipStore` is one."""

    def shape(self, name: str) -> tuple[int, ...]:
        """`(K, T, S, S, 3)` of a video's crops, without reading them."""
        ...

    def read_crops(
        self, name: str, frames: Sequence[int] | None = None, clips: int | None = None
    ) -> NDArray[np.uint8]:
        """A video's crops: `(K, T, S, S, 3)` RGB of K faces; of some frames and the first faces if asked."""
        ...


class Draw(NamedTuple):
    """What the sampler asks for: a clip, as it is seen in one epoch."""

    epoch: int
    clip: int


class DrawnClip(NamedTuple):
    """A clip as it is learnt from once."""

    clip: Tensor  # uint8 (T, 3, S, S)
    label: int
    method: int  # index among the training set's methods
    video: int  # which of the dataset it is


class ClipDataset(Dataset[Item]):
    """All stored frames of every video, as they are: uint8 `(K, T, 3, S, S)` of K faces, the main one first.

    Args:
        videos: with a clip in the store.
        store: where their crops are.
        faces: how many of a video are taken at most; None takes all that are stored.
    """

    def __init__(self, videos: Sequence[Video], store: Store, faces: int | None = None) -> None:
        self._videos = videos
        self._store = store
        self._faces = faces
        self._shapes: dict[int, torch.Size] = {}
        self._kept: dict[int, Tensor] = {}
        self._room = MEMORY

    def __len__(self) -> int:
        return len(self._videos)

    def __getitem__(self, index: int) -> Item:
        kept = self._held(index)
        return self._read(index) if kept is None else kept, self._videos[index].label

    def main_face(self, index: int, frames: Sequence[int]) -> Item:
        """Some frames of the main face, uint8 `(T, 3, S, S)`; others are read only where all are kept."""
        kept = self._held(index)
        clip = self._read(index, frames, 1)[0] if kept is None else kept[0, list(frames)]
        return clip, self._videos[index].label

    def shape(self, index: int) -> torch.Size:
        """Of a video's pixels; asked of the store once."""
        if index not in self._shapes:
            faces, frames, height, width, colours = self._store.shape(self._videos[index].clip)
            taken = faces if self._faces is None else min(faces, self._faces)
            self._shapes[index] = torch.Size((taken, frames, colours, height, width))
        return self._shapes[index]

    @property
    def methods(self) -> tuple[str, ...]:
        """What tells the videos apart beyond their label, sorted; genuine ones among it."""
        return tuple(sorted({video.method for video in self._videos}))

    @property
    def labels(self) -> Tensor:
        """int64 `(N,)`."""
        return torch.tensor([video.label for video in self._videos])

    def method(self, index: int) -> int:
        """Index of a video's method among `methods`."""
        return self.methods.index(self._videos[index].method)

    @property
    def crop_size(self) -> int:
        """Side of the crops, px."""
        return self.shape(0)[-1]

    def _held(self, index: int) -> Tensor | None:
        """A video's pixels, read now if they have not been and there is room; None where there is none."""
        size = self.shape(index).numel()
        if index not in self._kept and size <= self._room:
            self._kept[index] = self._read(index)
            self._room -= size
        return self._kept.get(index)

    def _read(self, index: int, frames: Sequence[int] | None = None, faces: int | None = None) -> Tensor:
        crops = self._store.read_crops(self._videos[index].clip, frames, faces or self._faces)
        return torch.from_numpy(crops).permute(0, 1, 4, 2, 3)


class DrawnClips(Dataset[DrawnClip]):
    """Some frames of each video's main face, drawn and augmented anew in every epoch.

    Of several faces only the main one is learnt from: a label says that a video was forged, not whose face
    in it. Most forgeries change one person, so every bystander of a fake would be a wrong label.

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

    def __len__(self) -> int:
        return len(self._clips)

    def __getitem__(self, draw: Draw) -> DrawnClip:
        generator = np.random.default_rng((self._seed, *draw))
        stored = self._clips.shape(draw.clip)[1]
        frames = draw_frames(stored, int(np.clip(stored, *self._frames)), generator)
        clip, label = self._clips.main_face(draw.clip, frames)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(generator.integers(2**63)))
            augmented = self._augment(clip)
        return DrawnClip(augmented, label, self._clips.method(draw.clip), draw.clip)


class EpochSampler(Sampler[Draw]):
    """Every clip once an epoch, in an order that depends on seed and epoch alone."""

    def __init__(self, length: int, seed: int) -> None:
        self._length = length
        self._seed = seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Lightning calls this before each epoch."""
        self._epoch = epoch

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Draw]:
        order = np.random.default_rng((self._seed, self._epoch)).permutation(self._length)
        return (Draw(self._epoch, int(index)) for index in order)


def draw_frames(stored: int, frames: int, generator: np.random.Generator) -> list[int]:
    """Indices of the frames to use, in their order; some twice where a clip holds too few."""
    drawn = generator.choice(stored, size=frames, replace=stored < frames)
    return sorted(drawn.tolist())
