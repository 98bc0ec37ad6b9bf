"""Clips in batches, and what the faces of a video say together."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import Dataset

from components.pooling import decisive
from components.training.dataset import ClipDataset, DrawnClip
from components.training.videos import LABELS


class ClipBatch(NamedTuple):
    """Drawn clips, filled up to the longest of them."""

    clips: Tensor  # uint8 (B, T, 3, S, S), or features (B, T, C)
    mask: Tensor | None  # bool (B, T), true where a frame is one; None: all are
    labels: Tensor  # int64 (B,)
    methods: Tensor  # int64 (B,), index among the training set's methods
    items: Tensor  # int64 (B,), which of `components.training.sampling.Items` these are


def collate(drawn: Sequence[DrawnClip]) -> ClipBatch:
    """Clips of any lengths in one batch."""
    lengths = torch.tensor([len(sample.clip) for sample in drawn])
    alike = bool((lengths == lengths[0]).all())
    return ClipBatch(
        pad_sequence([sample.clip for sample in drawn], batch_first=True),
        None if alike else torch.arange(int(lengths.max())) < lengths[:, None],
        torch.tensor([sample.label for sample in drawn]),
        torch.tensor([sample.method for sample in drawn]),
        torch.tensor([sample.item for sample in drawn]),
    )


class WholeBatch(NamedTuple):
    """Videos of as many faces and frames each."""

    faces: Tensor  # uint8 (B, K, T, 3, S, S), or features (B, K, T, C)
    labels: Tensor  # int64 (B,)
    indices: list[int]  # which of the videos these are


class WholeVideos(Dataset[WholeBatch]):
    """Batches of all stored frames of all faces, every video once.

    Clips vary in length and videos in faces, and the network would see what is padded. So a batch waits
    until enough videos of one shape have come by; the last one of each shape may be smaller.

    Args:
        clips: the videos.
        batch_size: clips at a time; a video is never split.
        rank: of this process.
        processes: which take the videos in turn.
    """

    def __init__(self, clips: ClipDataset, batch_size: int, rank: int = 0, processes: int = 1) -> None:
        self._clips = clips
        self._batches = list(_alike(clips, range(rank, len(clips), processes), batch_size))

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, number: int) -> WholeBatch:
        indices = self._batches[number]
        faces, labels = zip(*(self._clips[index] for index in indices), strict=True)
        return WholeBatch(torch.stack(faces), torch.tensor(labels), indices)


def _alike(clips: ClipDataset, indices: Sequence[int], batch_size: int) -> Iterator[list[int]]:
    """Yields indices of videos of one shape each, at most `batch_size` clips."""
    waiting: dict[torch.Size, list[int]] = {}
    for index in indices:
        shape = clips.shape(index)
        alike = waiting.setdefault(shape, [])
        alike.append(index)
        if (len(alike) + 1) * shape[0] > batch_size:
            yield waiting.pop(shape)
    yield from waiting.values()


def video_logits(classify: Callable[[Tensor], Tensor], faces: Tensor) -> Tensor:
    """Returns logits `(B, 2)` of videos: of each, those of the face that decides.

    Args:
        classify: from clips, uint8 `(N, T, 3, S, S)` or features `(N, T, C)`, to logits `(N, 2)`.
        faces: uint8 `(B, K, T, 3, S, S)` or features `(B, K, T, C)`.
    """
    logits = classify(faces.flatten(0, 1)).reshape(*faces.shape[:2], 2)  # (B, K, 2)
    margins = (logits[..., LABELS["fake"]] - logits[..., LABELS["real"]]).tolist()
    chosen = [decisive(margin) for margin in margins]
    of_videos: Tensor = logits[list(range(len(chosen))), chosen]
    return of_videos
