"""A training that is killed goes on to the same result, bit for bit, whatever it is made of."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader

from components.params.training import Cosine, EarlyStopping, OneCycle, Optimizer, Plateau
from components.training import fit as fitting
from components.training.callbacks import ignore
from components.training.fit import Fitted, fit
from components.training.module import ClipClassifier
from tests.components.training.tiny import ROOT, Tiny, clips, settings

SHARP = Optimizer(name="adam", lr=0.02, weight_decay=0.0, sam=0.05)

TOLD: dict[str, dict[str, Any]] = {
    "plateau": {"schedule": Plateau(name="plateau", warmup_epochs=1, patience=1)},
    "one cycle, accumulated, averaged": {"schedule": OneCycle(name="onecycle"), "accumulate": 2, "ema": 0.8},
    "cosine, sharpness-aware, by AUC": {
        "schedule": Cosine(name="cosine", warmup_epochs=1),
        "optimizer": SHARP,
        "early_stopping": EarlyStopping(metric="auc", patience=50),
    },
    "plateau, sharpness-aware, averaged": {
        "schedule": Plateau(name="plateau", patience=1), "optimizer": SHARP, "ema": 0.8,
    },
    "hard examples, bf16": {"hard_examples": 0.5, "precision": "bf16"},
}  # fmt: skip


class Killed(BaseException):
    """Ends a training where it stands."""


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "create", lambda *told: Tiny())


def trained(folder: Path, told: dict[str, Any]) -> Fitted:
    return fit(settings(**told), clips(18), clips(6, "val"), folder, ignore)


def kill_in_an_epoch(patch: pytest.MonkeyPatch, epoch: int) -> None:
    """After its first steps, before its last batches."""

    def on_train_batch_end(self: ClipClassifier, outputs: Any, batch: Any, batch_idx: int) -> None:
        if (self.current_epoch, batch_idx) == (epoch, 2):
            raise Killed

    patch.setattr(ClipClassifier, "on_train_batch_end", on_train_batch_end)


@pytest.mark.parametrize("told", TOLD.values(), ids=list(TOLD))
def test_killed_in_an_epoch(told: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    undisturbed = trained(tmp_path / "undisturbed", told)
    with monkeypatch.context() as patch:
        kill_in_an_epoch(patch, 2)
        with pytest.raises(Killed):
            trained(tmp_path / "killed", told)
    torch.rand(5)  # a generator that has moved on
    resumed = trained(tmp_path / "killed", told)
    assert resumed.history == undisturbed.history
    weights = undisturbed.model.state_dict()
    assert all(torch.equal(value, weights[name]) for name, value in resumed.model.state_dict().items())


def test_other_processes_are_asked_for_batches_of_the_right_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are as soon as a loader is iterated, before Lightning tells the sampler its epoch."""

    def asked_at_once(self: DataLoader[Any]) -> Iterator[Any]:
        batches = original(self)
        return chain([next(batches)], batches)

    original = DataLoader.__iter__
    monkeypatch.setattr(DataLoader, "__iter__", asked_at_once)
    test_killed_in_an_epoch(TOLD["plateau"], tmp_path, monkeypatch)


KILLED_FROM_OUTSIDE = """
import os, signal, sys
from pathlib import Path
from components.training import fit as fitting
from components.training.module import ClipClassifier
from tests.components.training.test_resume import TOLD, Tiny, trained

def on_train_batch_end(self, outputs, batch, batch_idx):
    if (self.current_epoch, batch_idx) == (2, 2):
        os.kill(os.getpid(), signal.SIGKILL)

fitting.create = lambda *told: Tiny()
ClipClassifier.on_train_batch_end = on_train_batch_end
trained(Path(sys.argv[1]), TOLD[sys.argv[2]])
"""


@pytest.mark.full  # a fresh process; `test_killed_in_an_epoch` goes on from the same files
def test_kill_9_in_an_epoch(tmp_path: Path) -> None:
    name = "one cycle, accumulated, averaged"
    child = subprocess.run(
        [sys.executable, "-c", KILLED_FROM_OUTSIDE, str(tmp_path / "killed"), name],
        check=False, capture_output=True, cwd=ROOT,
    )  # fmt: skip
    assert child.returncode == -signal.SIGKILL, child.stderr.decode()
    resumed = trained(tmp_path / "killed", TOLD[name])
    assert resumed.history == trained(tmp_path / "undisturbed", TOLD[name]).history
