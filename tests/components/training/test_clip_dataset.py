from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from components.training import dataset as room
from components.training.dataset import ClipDataset, Draw, DrawnClips, EpochSampler, draw_frames
from components.training.videos import Video


class Store:
    """Two faces of five frames; every pixel of the main one tells which clip and frame it is of."""

    def __init__(self) -> None:
        self.reads: list[str] = []

    def read_crops(self, name: str) -> NDArray[np.uint8]:
        self.reads.append(name)
        frames = np.arange(5, dtype=np.uint8) + 10 * int(name)
        main = np.broadcast_to(frames[:, None, None, None], (5, 8, 8, 3))
        return np.stack([main, np.full_like(main, 255)])


def videos(count: int) -> list[Video]:
    return [Video(str(n), "g", "train", n % 2, "none", clip=str(n)) for n in range(count)]


def drawn(seed: int = 3, frames: int = 3, augment: Any = lambda clip: clip) -> DrawnClips:
    return DrawnClips(ClipDataset(videos(4), Store()), frames, augment, seed)


def test_whole_clips_with_labels() -> None:
    clips = ClipDataset(videos(4), Store())
    faces, label = clips[3]
    assert (faces.shape, faces.dtype, label) == ((2, 5, 3, 8, 8), torch.uint8, 1)
    assert faces[0, :, 0, 0, 0].tolist() == [30, 31, 32, 33, 34]
    assert (len(clips), clips.crop_size, clips.shape(2)) == (4, 8, faces.shape)


def test_the_main_face_alone_holds_no_memory_of_the_others() -> None:
    faces, _ = ClipDataset(videos(4), Store(), faces=1)[3]
    assert faces.shape == (1, 5, 3, 8, 8)
    assert faces.untyped_storage().nbytes() == faces.numel()


def test_colours_stay_where_they_are() -> None:
    class Red(Store):
        def read_crops(self, name: str) -> NDArray[np.uint8]:
            crops = np.zeros((1, 2, 4, 4, 3), np.uint8)
            crops[..., 0] = 200
            return crops

    faces, _ = ClipDataset(videos(1), Red())[0]
    assert faces.float().mean(dim=(0, 1, 3, 4)).tolist() == [200, 0, 0]


@pytest.mark.parametrize(("memory", "reads"), [(10**6, 4), (2 * 1920, 6), (1000, 8)])
def test_as_many_as_fit_are_read_once(monkeypatch: pytest.MonkeyPatch, memory: int, reads: int) -> None:
    monkeypatch.setattr(room, "MEMORY", memory)
    store = Store()
    clips = ClipDataset(videos(4), store)
    for _ in range(2):
        for index in range(4):
            assert int(clips[index][0][0, 0, 0, 0, 0]) == 10 * index
    assert len(store.reads) == reads


def test_only_the_main_face_is_learnt_from() -> None:
    clip, _ = drawn(frames=5)[Draw(0, 2)]
    assert clip[:, 0, 0, 0].tolist() == [20, 21, 22, 23, 24]


def test_clips_of_any_length_are_drawn_alike() -> None:
    class Growing(Store):
        def read_crops(self, name: str) -> NDArray[np.uint8]:
            return np.zeros((1, 1 + 3 * int(name), 8, 8, 3), np.uint8)

    clips = DrawnClips(ClipDataset(videos(4), Growing()), 3, lambda clip: clip, seed=3)
    assert {clips[Draw(0, index)][0].shape for index in range(4)} == {(3, 3, 8, 8)}


def test_a_draw_depends_on_seed_epoch_and_clip_alone() -> None:
    clips = drawn()
    first, _ = clips[Draw(2, 1)]
    clips[Draw(0, 0)]
    torch.rand(3)
    again, _ = drawn()[Draw(2, 1)]
    assert torch.equal(first, again)


def test_draws_differ_between_epochs_clips_and_seeds() -> None:
    def frames(seed: int, epoch: int, clip: int) -> tuple[int, ...]:
        return tuple((drawn(seed)[Draw(epoch, clip)][0][:, 0, 0, 0] % 10).tolist())

    assert len({frames(3, epoch, 0) for epoch in range(20)}) > 3
    assert len({frames(3, 0, clip) for clip in range(4)}) > 1
    assert len({frames(seed, 0, 0) for seed in range(20)}) > 3


def test_augmentation_is_drawn_from_the_same_three_and_disturbs_no_generator() -> None:
    clips = drawn(augment=lambda clip: torch.rand(2))
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    values = [clips[Draw(epoch, 0)][0] for epoch in (0, 1, 0)]
    assert torch.equal(torch.rand(1), expected)
    assert torch.equal(values[0], values[2])
    assert not torch.equal(values[0], values[1])


@pytest.mark.parametrize(("stored", "frames"), [(8, 4), (4, 4), (3, 4), (1, 6)])
def test_frames_in_order_and_twice_only_where_there_are_too_few(stored: int, frames: int) -> None:
    indices = draw_frames(stored, frames, np.random.default_rng(0))
    assert indices == sorted(indices)
    assert len(indices) == frames
    assert set(indices) <= set(range(stored))
    assert stored < frames or len(set(indices)) == frames


def test_sampler_shows_every_clip_once_in_an_order_of_the_epoch() -> None:
    sampler = EpochSampler(10, seed=3)
    orders = []
    for epoch in (0, 1, 0):
        sampler.set_epoch(epoch)
        orders.append(list(sampler))
        assert {draw.epoch for draw in orders[-1]} == {epoch}
        assert sorted(draw.clip for draw in orders[-1]) == list(range(10))
    assert orders[0] == orders[2]
    assert [draw.clip for draw in orders[0]] != [draw.clip for draw in orders[1]]
    assert len(sampler) == 10
