from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from components.training.batches import WholeVideos, video_logits
from components.training.dataset import ClipDataset
from components.training.videos import Video


def crops(name: str) -> NDArray[np.uint8]:
    """Of "2x5": two faces of five frames."""
    faces, frames = map(int, name.split("x"))
    return np.zeros((faces, frames, 4, 4, 3), np.uint8)


def batches(store: Any, shapes: list[str], batch_size: int) -> list[tuple[list[int], tuple[int, ...]]]:
    videos = [Video(str(n), "g", "val", n % 2, "none", clip=shape) for n, shape in enumerate(shapes)]
    whole = WholeVideos(ClipDataset(videos, store), batch_size)
    found = [whole[number] for number in range(len(whole))]
    for batch in found:
        assert batch.labels.tolist() == [index % 2 for index in batch.indices]
    return [(batch.indices, tuple(batch.faces.shape[:3])) for batch in found]


@pytest.mark.parametrize(
    ("shapes", "batch_size", "expected"),
    [
        (["1x4"] * 5, 2, [([0, 1], (2, 1, 4)), ([2, 3], (2, 1, 4)), ([4], (1, 1, 4))]),
        (["1x4", "1x5", "1x4", "1x5"], 2, [([0, 2], (2, 1, 4)), ([1, 3], (2, 1, 5))]),
        (["2x4", "1x4", "2x4"], 4, [([0, 2], (2, 2, 4)), ([1], (1, 1, 4))]),
        (["3x4", "3x4"], 2, [([0], (1, 3, 4)), ([1], (1, 3, 4))]),  # more faces than a batch has places
        (["1x4"], 8, [([0], (1, 1, 4))]),
    ],
)
def test_a_batch_holds_whole_videos_of_one_shape(
    made_up_store: Any, shapes: list[str], batch_size: int, expected: list[tuple[list[int], tuple[int, ...]]]
) -> None:
    assert batches(made_up_store(crops), shapes, batch_size) == expected


def test_every_video_comes_once_and_again_in_the_next_epoch(made_up_store: Any) -> None:
    videos = [Video(str(n), "g", "val", 0, "none", clip=f"{1 + n % 2}x{1 + n % 3}") for n in range(20)]
    whole = WholeVideos(ClipDataset(videos, made_up_store(crops)), 3)
    for _ in range(2):
        seen = [index for number in range(len(whole)) for index in whole[number].indices]
        assert sorted(seen) == list(range(20))


def test_processes_share_the_batches(made_up_store: Any) -> None:
    videos = [Video(str(n), "g", "val", 0, "none", clip=f"1x{1 + n % 3}") for n in range(10)]
    clips = ClipDataset(videos, made_up_store(crops))
    parts = [WholeVideos(clips, 2, rank, 2) for rank in range(2)]
    found = [
        [index for batch in map(part.__getitem__, range(len(part))) for index in batch.indices]
        for part in parts
    ]
    assert sorted(found[0] + found[1]) == list(range(10))
    assert all(found)


def test_of_each_video_the_logits_of_the_face_that_decides() -> None:
    def classify(clips: Tensor) -> Tensor:  # real 1, fake the clip's number
        fake = torch.arange(len(clips), dtype=torch.float32)
        return torch.stack([torch.ones_like(fake), fake], dim=1)

    faces = torch.zeros(3, 2, 5, 3, 4, 4, dtype=torch.uint8)
    assert video_logits(classify, faces).tolist() == [[1.0, 1.0], [1.0, 3.0], [1.0, 5.0]]
