from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from components.faces.clip import Faces
from components.faces.store import ClipStore
from components.params import Params
from components.training import dataset as room
from components.training.batches import ClipBatch
from components.training.dataset import ClipDataset, Draw, DrawnClips, EpochSampler, draw_frames
from components.training.fit import training_batches
from components.training.videos import Video

Drawn = Callable[..., DrawnClips]


def told(name: str) -> NDArray[np.uint8]:
    """Two faces of five frames; every pixel of the main one tells which clip and frame it is of."""
    frames = np.arange(5, dtype=np.uint8) + 10 * int(name)
    main = np.broadcast_to(frames[:, None, None, None], (5, 8, 8, 3))
    return np.stack([main, np.full_like(main, 255)])


@pytest.fixture
def store(made_up_store: Any) -> Any:
    return made_up_store(told)


def videos(count: int) -> list[Video]:
    return [Video(str(n), "g", "train", n % 2, "none", clip=str(n)) for n in range(count)]


@pytest.fixture
def drawn(store: Any) -> Drawn:
    def make(seed: int = 3, frames: int = 3, augment: Any = lambda clip: clip) -> DrawnClips:
        return DrawnClips(ClipDataset(videos(4), store), (frames, frames), augment, seed)

    return make


def test_whole_clips_with_labels(store: Any) -> None:
    clips = ClipDataset(videos(4), store)
    faces, label = clips[3]
    assert (faces.shape, faces.dtype, label) == ((2, 5, 3, 8, 8), torch.uint8, 1)
    assert faces[0, :, 0, 0, 0].tolist() == [30, 31, 32, 33, 34]
    assert (len(clips), clips.crop_size, clips.shape(2)) == (4, 8, faces.shape)


def test_the_main_face_alone_costs_neither_reading_nor_memory_of_the_others(store: Any) -> None:
    clips = ClipDataset(videos(4), store, faces=1)
    faces, _ = clips[3]
    assert store.reads == [("3", None, 1)]
    assert faces.shape == clips.shape(3) == (1, 5, 3, 8, 8)
    assert faces.untyped_storage().nbytes() == faces.numel()


def test_colours_stay_where_they_are(made_up_store: Any) -> None:
    red = np.zeros((1, 2, 4, 4, 3), np.uint8)
    red[..., 0] = 200
    faces, _ = ClipDataset(videos(1), made_up_store(lambda name: red))[0]
    assert faces.float().mean(dim=(0, 1, 3, 4)).tolist() == [200, 0, 0]


@pytest.mark.parametrize(("memory", "reads"), [(10**6, 4), (2 * 1920, 6), (1000, 8)])
def test_as_many_as_fit_are_read_once(
    store: Any, monkeypatch: pytest.MonkeyPatch, memory: int, reads: int
) -> None:
    monkeypatch.setattr(room, "MEMORY", memory)
    clips = ClipDataset(videos(4), store)
    for _ in range(2):
        for index in range(4):
            assert int(clips[index][0][0, 0, 0, 0, 0]) == 10 * index
    assert len(store.reads) == reads


@pytest.mark.parametrize("memory", [0, 10**6])
def test_only_the_main_face_is_learnt_from(
    drawn: Drawn, monkeypatch: pytest.MonkeyPatch, memory: int
) -> None:
    monkeypatch.setattr(room, "MEMORY", memory)
    clip = drawn(frames=5)[Draw(0, 2)].clip
    assert clip[:, 0, 0, 0].tolist() == [20, 21, 22, 23, 24]


def test_of_what_is_not_kept_only_the_drawn_frames_of_the_main_face_are_read(
    store: Any, drawn: Drawn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MEMORY", 0)
    clips = drawn()
    for epoch in range(3):
        frames = (clips[Draw(epoch, 2)][0][:, 0, 0, 0] - 20).tolist()
        assert store.reads.pop() == ("2", frames, 1)
        assert not store.reads


@pytest.mark.parametrize("memory", [0, 6_000])
def test_batches_are_the_same_whatever_fits_into_memory(
    tmp_path: Path,
    params: Params,
    make_faces: Callable[..., Faces],
    monkeypatch: pytest.MonkeyPatch,
    memory: int,
) -> None:
    """Through the real store, loader and augmentation; 6000 bytes hold one clip of three."""
    clip_store = ClipStore(tmp_path)
    for number in range(3):
        clip_store.write(str(number), make_faces(6 - number, 16, shades=(None,) * (1 + number)))

    settings = params.candidates["simple_cnn"].model_copy(update={"batch_size": 2})

    def batches() -> list[ClipBatch]:
        loader: Any = training_batches(ClipDataset(videos(3), clip_store, faces=1), settings)
        found = []
        for epoch in range(2):
            loader.sampler.set_epoch(epoch)
            found += list(loader)
        return found

    kept = batches()
    monkeypatch.setattr(room, "MEMORY", memory)
    again = batches()
    assert len(kept) == len(again) == 4
    for one, other in zip(kept, again, strict=True):
        assert one.clips.stride() == other.clips.stride()  # or the network would add in another order
        assert torch.equal(one.clips, other.clips)
        assert torch.equal(one.labels, other.labels)


@pytest.mark.parametrize("memory", [0, 10**6])
def test_clips_of_any_length_are_drawn_alike(
    made_up_store: Any, monkeypatch: pytest.MonkeyPatch, memory: int
) -> None:
    monkeypatch.setattr(room, "MEMORY", memory)
    growing = made_up_store(lambda name: np.zeros((1, 1 + 3 * int(name), 8, 8, 3), np.uint8))
    clips = DrawnClips(ClipDataset(videos(4), growing), (3, 3), lambda clip: clip, seed=3)
    assert {clips[Draw(0, index)][0].shape for index in range(4)} == {(3, 3, 8, 8)}


def test_a_draw_depends_on_seed_epoch_and_clip_alone(drawn: Drawn) -> None:
    clips = drawn()
    first = clips[Draw(2, 1)].clip
    clips[Draw(0, 0)]
    torch.rand(3)
    again = drawn()[Draw(2, 1)].clip
    assert torch.equal(first, again)


def test_draws_differ_between_epochs_clips_and_seeds(drawn: Drawn) -> None:
    def frames(seed: int, epoch: int, clip: int) -> tuple[int, ...]:
        return tuple((drawn(seed)[Draw(epoch, clip)][0][:, 0, 0, 0] % 10).tolist())

    assert len({frames(3, epoch, 0) for epoch in range(20)}) > 3
    assert len({frames(3, 0, clip) for clip in range(4)}) > 1
    assert len({frames(seed, 0, 0) for seed in range(20)}) > 3


def test_augmentation_is_drawn_from_the_same_three_and_disturbs_no_generator(drawn: Drawn) -> None:
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
