import errno
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from components.errors import ParamsError
from components.models.base import Candidate, Outputs
from components.params import CandidateParams, Params
from components.training import features as room
from components.training.dataset import ClipDataset
from components.training.features import FeatureClips, cached_features, features_digest
from components.training.fit import fit
from components.training.loader import training_batches, whole_batches
from components.training.videos import Video


class Frozen(Candidate):
    """Three features of a frame that never learn, and a head that does. `seen` counts the frames."""

    def __init__(self, freeze: bool = True) -> None:
        super().__init__()
        self.backbone = nn.Conv2d(3, 3, 3, stride=4).requires_grad_(not freeze)
        self.head = nn.Linear(3, 2)
        self.seen = 0

    def embed(self, frames: Tensor) -> Tensor:
        self.seen += len(frames)
        found: Tensor = self.backbone(frames)
        return found.mean(dim=(2, 3))

    def classify(self, features: Tensor, mask: Tensor | None = None) -> Outputs:
        return Outputs(self.head(features.mean(dim=1)), features.mean(dim=1))


def noise(name: str) -> NDArray[np.uint8]:
    """Of two faces, as many frames as the name says."""
    length = 2 + int(name) % 3
    return np.random.default_rng(int(name)).integers(0, 255, (2, length, 16, 16, 3), dtype=np.uint8)


@pytest.fixture
def clips(made_up_store: Any) -> ClipDataset:
    videos = [Video(str(n), "g", "train", n % 2, "none", str(n)) for n in range(6)]
    return ClipDataset(videos, made_up_store(noise))


@pytest.fixture
def settings(params: Params) -> CandidateParams:
    return params.candidates["simple_cnn"].model_copy(
        update={"cache_features": True, "frames": 2, "epochs": 3, "batch_size": 4}
    )


def test_features_are_what_the_backbone_sees(
    clips: ClipDataset, settings: CandidateParams, tmp_path: Path
) -> None:
    model = Frozen()
    found = cached_features(model, clips, settings, tmp_path)
    for index in range(len(clips)):
        pixels, label = clips[index]
        features, same = found[index]
        assert (features.shape, same) == ((*pixels.shape[:2], 3), label)
        assert found.shape(index) == features.shape
        expected = torch.stack([model.embed(face) for face in model.prepare(pixels)])
        assert torch.allclose(features, expected, atol=1e-6)
    assert torch.equal(found.main_face(4, [2, 0])[0], found[4][0][0, [2, 0]])
    assert not list(tmp_path.glob(".*"))


def test_drawn_clips_and_whole_videos_come_as_features(
    clips: ClipDataset, settings: CandidateParams, tmp_path: Path
) -> None:
    found = cached_features(Frozen(), clips, settings, tmp_path)
    drawn = next(iter(training_batches(found, settings)))
    assert (drawn.clips.shape, drawn.clips.dtype) == ((4, 2, 3), torch.float32)
    whole = next(iter(whole_batches(found, 4)))
    assert (whole.faces.shape[:2], whole.faces.shape[-1]) == ((2, 2), 3)


def test_training_again_finds_the_features_there(
    clips: ClipDataset, settings: CandidateParams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Frozen] = []

    def create(*_: object) -> Frozen:
        made.append(Frozen())
        return made[-1]

    monkeypatch.setattr("components.training.fit.create", create)
    found = [
        fit(settings, clips, clips, tmp_path / str(number), lambda *_: None, tmp_path / "features")
        for number in range(2)
    ]
    frames = 2 * sum(2 + n % 3 for n in range(6))
    assert [model.seen for model in made] == [1 + frames, 0]  # training and validation are of the same clips
    assert found[0].history == found[1].history
    assert found[0].history[0].train_loss != found[0].history[-1].train_loss
    assert torch.equal(found[0].model.head.weight, found[1].model.head.weight)  # type: ignore[arg-type, union-attr]


@pytest.mark.parametrize("change", ["weights", "input", "clips", "head"])
def test_what_features_depend_on(clips: ClipDataset, settings: CandidateParams, change: str) -> None:
    torch.manual_seed(0)
    model = Frozen()
    before = features_digest(model, clips, settings)
    if change == "weights":
        model.backbone.bias.data += 1  # type: ignore[union-attr]
    elif change == "input":
        model.input_size = 8
    elif change == "clips":
        clips = ClipDataset([replace(clips.videos[0], clip="5"), *clips.videos[1:]], clips.store)
    else:
        model.head.bias.data += 1
    assert (features_digest(model, clips, settings) == before) == (change == "head")


def test_a_network_that_learns_what_it_sees_is_refused(
    clips: ClipDataset, settings: CandidateParams, tmp_path: Path
) -> None:
    with pytest.raises(ParamsError, match=r"simple_cnn learns what it sees .* set cache_features: false"):
        cached_features(Frozen(freeze=False), clips, settings, tmp_path)


def test_a_killed_computation_leaves_nothing(
    clips: ClipDataset, settings: CandidateParams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def embed(self: Frozen, frames: Tensor) -> Tensor:
        if len(frames) > 1:
            raise KeyboardInterrupt
        return torch.zeros(1, 3)

    monkeypatch.setattr(Frozen, "embed", embed)
    with pytest.raises(KeyboardInterrupt):
        cached_features(Frozen(), clips, settings, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_an_error_before_anything_is_computed(
    clips: ClipDataset, settings: CandidateParams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", no_room)
    monkeypatch.setattr("components.training.features.whole_batches", None)  # nothing is asked of it
    with pytest.raises(OSError, match="No space left"):
        cached_features(Frozen(), clips, settings, tmp_path)
    assert not list(tmp_path.iterdir())


def test_features_used_longest_ago_make_room(
    clips: ClipDataset, settings: CandidateParams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for age in (1, 2, 3):
        file = tmp_path / f"{age}.npy"
        file.write_bytes(bytes(100))
        os.utime(file, (1000 - age, 1000 - age))
    monkeypatch.setattr(room, "ROOM", 400)
    cached_features(Frozen(), clips, settings, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} >= {"1.npy", "2.npy"}
    assert not (tmp_path / "3.npy").exists()


def test_features_of_this_training_stay_however_large(
    clips: ClipDataset, settings: CandidateParams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of the validation clips are computed before those of the training clips are opened."""
    monkeypatch.setattr(room, "ROOM", 10)
    train = cached_features(Frozen(), clips, settings, tmp_path)
    cached_features(Frozen(), ClipDataset(clips.videos[:2], clips.store), settings, tmp_path)
    assert train[0][0].shape == (2, 2, 3)


def test_processes_get_no_features_with_it(
    clips: ClipDataset, settings: CandidateParams, tmp_path: Path
) -> None:
    found: FeatureClips = cached_features(Frozen(), clips, settings, tmp_path)
    found[0]
    assert found.__getstate__()["_rows"] is None
