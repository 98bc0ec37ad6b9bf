"""Whole videos in batches, and what the faces of a video say together."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.data import IterableDataset

from components.pooling import decisive
from components.training.dataset import ClipDataset
from components.training.videos import LABELS


class WholeBatch(NamedTuple):
    """Videos of as many faces and frames each."""

    faces: Tensor  # uint8 (B, K, T, 3, S, S)
    labels: Tensor  # int64 (B,)
    indices: list[int]  # which of the videos these are


class WholeVideos(IterableDataset[WholeBatch]):
    """All stored frames of all faces, every video once.

    Clips vary in length and videos in faces, and the network would see what is padded. So a batch waits
    until enough videos of one shape have come by; the last one of each shape may be smaller.

    Args:
        clips: the videos.
        batch_size: clips at a time; a video is never split.
    """

    def __init__(self, clips: ClipDataset, batch_size: int) -> None:
        self._clips = clips
        self._batch_size = batch_size

    def __iter__(self) -> Iterator[WholeBatch]:
        waiting: dict[torch.Size, list[int]] = {}
        for index in range(len(self._clips)):
            shape = self._clips.shape(index)
            alike = waiting.setdefault(shape, [])
            alike.append(index)
            if (len(alike) + 1) * shape[0] > self._batch_size:
                yield self._batch(waiting.pop(shape))
        yield from map(self._batch, waiting.values())

    def _batch(self, indices: list[int]) -> WholeBatch:
        faces, labels = zip(*(self._clips[index] for index in indices), strict=True)
        return WholeBatch(torch.stack(faces), torch.tensor(labels), indices)


def video_logits(classify: Callable[[Tensor], Tensor], faces: Tensor) -> Tensor:
    """Logits `(B, 2)` of videos: of each, those of the face that decides.

    Args:
        classify: from clips, uint8 `(N, T, 3, S, S)`, to logits `(N, 2)`.
        faces: uint8 `(B, K, T, 3, S, S)`.
    """
    logits = classify(faces.flatten(0, 1)).reshape(*faces.shape[:2], 2)  # (B, K, 2)
    margins = (logits[..., LABELS["fake"]] - logits[..., LABELS["real"]]).tolist()
    chosen = [decisive(margin) for margin in margins]
    of_videos: Tensor = logits[list(range(len(chosen))), chosen]
    return of_videos
