import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from components.faces.clip import Faces
from components.faces.policy import CropPolicy
from components.faces.store import ClipStore, DamagedClipError
from components.models.simple_cnn import SimpleCNN
from components.params import CandidateParams, Params
from components.training.dataset import ClipDataset
from components.training.decoded import DecodedClips
from components.training.loader import training_batches, whole_batches
from components.training.predict import predict
from components.training.videos import Video


@pytest.fixture
def clips(tmp_path: Path, make_faces: Callable[..., Faces]) -> ClipDataset:
    store = ClipStore(tmp_path / "clips")
    names = [str(number) for number in range(5)]
    for number, name in enumerate(names):
        store.write(name, make_faces(3 + number % 2, 32))
    videos = [Video(name, "g", "train", number % 2, "none", name) for number, name in enumerate(names)]
    decoded = DecodedClips(store, tmp_path / "decoded", names, 1e9)
    return ClipDataset(videos, decoded, policy=CropPolicy(size=32))


def test_batches_are_the_same_whatever_the_number_of_processes(clips: ClipDataset, params: Params) -> None:
    """Two epochs of every kind of draw, by processes that stay from one epoch to the next."""

    def batches(workers: int) -> list[Any]:
        settings = told(params, workers)
        drawn: Any = training_batches(clips, settings)
        found: list[Any] = []
        for epoch in range(2):
            drawn.sampler.set_epoch(epoch)
            found += drawn
        return [*found, *whole_batches(clips, 2, workers)]

    alone, others = batches(0), batches(2)
    assert len(alone) == len(others) == 2 * 4 + 3
    for one, other in zip(alone, others, strict=True):
        for mine, theirs in zip(one, other, strict=True):
            same = torch.equal(mine, theirs) if isinstance(mine, torch.Tensor) else mine == theirs
            assert same
    assert not torch.equal(alone[0].clips, alone[4].clips)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_damaged_clip_is_told_in_one_line(clips: ClipDataset, tmp_path: Path, workers: int) -> None:
    (tmp_path / "clips" / "3").write_bytes(b"nonsense")
    with pytest.raises(DamagedClipError) as caught:
        predict(SimpleCNN().eval(), clips, clips.videos, 2, workers)
    assert str(caught.value) == f"{tmp_path / 'clips' / '3'}: missing or damaged; run dvc repro faces"


KILLED = """
import os, signal, torch
from torch.utils.data import DataLoader, TensorDataset
from components.training.workers import loading

rows = iter(DataLoader(TensorDataset(torch.zeros(9)), **loading(1)))
next(rows)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow
def test_processes_end_with_a_training_that_is_killed() -> None:
    """They hold its output open, so this waits for all of them."""
    ended = subprocess.run([sys.executable, "-c", KILLED], check=False, capture_output=True, timeout=300)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()


def told(params: Params, workers: int) -> CandidateParams:
    return params.candidates["simple_cnn"].model_copy(
        update={
            "workers": workers,
            "batch_size": 2,
            "frames": (2, 4),
            "self_blended": 1.0,
            "balance": "sampler",
        }
    )
