from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from components.faces.clip import Faces
from components.faces.policy import CropPolicy
from components.faces.store import ClipStore
from components.params import Params
from components.training.batches import ClipBatch
from components.training.dataset import ClipDataset, DrawnClips, draw_frames, method_names
from components.training.decoded import DecodedClips
from components.training.loader import training_batches
from components.training.sampling import Draw
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


def test_only_the_main_face_is_learnt_from(drawn: Drawn) -> None:
    clip = drawn(frames=5)[Draw(0, 2)].clip
    assert clip[:, 0, 0, 0].tolist() == [20, 21, 22, 23, 24]


def test_only_the_drawn_frames_of_the_main_face_are_read(store: Any, drawn: Drawn) -> None:
    clips = drawn()
    for epoch in range(3):
        frames = (clips[Draw(epoch, 2)].clip[:, 0, 0, 0] - 20).tolist()
        assert store.reads.pop() == ("2", frames, 1)
        assert not store.reads


@pytest.mark.parametrize("room", [1e9, 6_000, 0])
def test_batches_are_the_same_whatever_is_kept_decoded(
    tmp_path: Path, params: Params, make_faces: Callable[..., Faces], room: float
) -> None:
    """Through the real store, loader and augmentation; 6000 bytes hold one clip of three."""
    clip_store = ClipStore(tmp_path / "clips")
    for number in range(3):
        clip_store.write(str(number), make_faces(6 - number, 16, shades=(None,) * (1 + number)))
    settings = params.candidates["simple_cnn"].model_copy(update={"batch_size": 2})

    def batches(store: Any) -> list[ClipBatch]:
        loader: Any = training_batches(ClipDataset(videos(3), store, faces=1), settings)
        found = []
        for epoch in range(2):
            loader.sampler.set_epoch(epoch)
            found += list(loader)
        return found

    kept = batches(DecodedClips(clip_store, tmp_path / "decoded", "012", room))
    plain = batches(clip_store)
    assert len(kept) == len(plain) == 4
    for one, other in zip(kept, plain, strict=True):
        assert one.clips.stride() == other.clips.stride()  # or the network would add in another order
        assert torch.equal(one.clips, other.clips)
        assert torch.equal(one.labels, other.labels)


def test_clips_of_any_length_are_drawn_alike(made_up_store: Any) -> None:
    growing = made_up_store(lambda name: np.zeros((1, 1 + 3 * int(name), 8, 8, 3), np.uint8))
    clips = DrawnClips(ClipDataset(videos(4), growing), (3, 3), lambda clip: clip, seed=3)
    assert {clips[Draw(0, index)].clip.shape for index in range(4)} == {(3, 3, 8, 8)}


def test_a_draw_depends_on_seed_epoch_and_clip_alone(drawn: Drawn) -> None:
    clips = drawn()
    first = clips[Draw(2, 1)].clip
    clips[Draw(0, 0)]
    torch.rand(3)
    again = drawn()[Draw(2, 1)].clip
    assert torch.equal(first, again)


def test_draws_differ_between_epochs_clips_and_seeds(drawn: Drawn) -> None:
    def frames(seed: int, epoch: int, clip: int) -> tuple[int, ...]:
        return tuple((drawn(seed)[Draw(epoch, clip)].clip[:, 0, 0, 0] % 10).tolist())

    assert len({frames(3, epoch, 0) for epoch in range(20)}) > 3
    assert len({frames(3, 0, clip) for clip in range(4)}) > 1
    assert len({frames(seed, 0, 0) for seed in range(20)}) > 3


def test_augmentation_is_drawn_from_the_same_three_and_disturbs_no_generator(drawn: Drawn) -> None:
    clips = drawn(augment=lambda clip: torch.rand(2))
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    values = [clips[Draw(epoch, 0)].clip for epoch in (0, 1, 0)]
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


def noise(name: str) -> NDArray[np.uint8]:
    return np.random.default_rng(int(name)).integers(0, 255, (1, 4, 64, 64, 3), dtype=np.uint8)


@pytest.fixture
def forgeable(made_up_store: Any) -> DrawnClips:
    clips = ClipDataset(videos(4), made_up_store(noise), policy=CropPolicy(size=64))
    return DrawnClips(clips, (2, 2), lambda clip: clip + torch.randint(9, ()).to(clip.dtype), seed=3)


def test_a_forgery_is_the_genuine_clip_but_for_the_face(forgeable: DrawnClips) -> None:
    """The same frames, augmented alike: around the face nothing tells them apart."""
    genuine, forged = forgeable[Draw(1, 2)], forgeable[Draw(1, 2, forged=True)]
    changed = (genuine.clip != forged.clip).any(dim=1)  # (T, S, S)
    assert changed.any(dim=(1, 2)).all()
    assert 0.05 < changed.float().mean() < 0.9
    assert not changed[:, :2].any()
    assert (forged.label, forged.method, forged.item) == (1, 1, 4 + 2)
    assert (genuine.label, genuine.method, genuine.item) == (0, 0, 2)
    assert method_names(ClipDataset(videos(4), noise), 0.5) == ("none", "self-blended")  # type: ignore[arg-type]


def test_a_clip_that_is_drawn_again_is_another(forgeable: DrawnClips) -> None:
    shown = [forgeable[Draw(1, 2, again, forged)].clip for again in (0, 1) for forged in (False, True)]
    same = [forgeable[Draw(1, 2, again, forged)].clip for again in (0, 1) for forged in (False, True)]
    assert all(map(torch.equal, shown, same))
    assert not any(torch.equal(one, other) for one, other in combinations(shown, 2))


@pytest.mark.parametrize(("frames", "draws"), [(1, 5), (2, 2)])
def test_an_epoch_shows_no_frame_twice_before_it_has_shown_them_all(
    drawn: Drawn, frames: int, draws: int
) -> None:
    clips = drawn(frames=frames)
    for epoch in range(3):
        seen = [
            int(value) for repeat in range(draws) for value in clips[Draw(epoch, 2, repeat)].clip[:, 0, 0, 0]
        ]
        assert len(set(seen)) == frames * draws
    firsts = {clips[Draw(epoch, 2)].clip[0, 0, 0, 0].item() for epoch in range(20)}
    assert len(firsts) > 1
