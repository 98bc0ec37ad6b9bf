import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from components.models import Candidate
from components.models.base import Outputs
from components.models.simple_cnn import SimpleCNN
from components.params import CandidateParams, Params
from components.params.augmentation import AugmentationParams
from components.params.training import EarlyStopping, Optimizer, Plateau
from components.training.dataset import ClipDataset
from components.training.fit import fit
from components.training.module import ClipClassifier
from components.training.videos import Video


class Fixed(Candidate):
    """The same logits for every clip."""

    def __init__(self) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.tensor([0.0, 1.0]))

    def outputs(self, clips: Tensor, mask: Tensor | None = None) -> Outputs:
        return Outputs(self.logits.expand(len(clips), 2), clips.mean(dim=(1, 3, 4)))


def ignore(metrics: object, step: int) -> None:
    """Where nobody watches."""


def noise(name: str) -> NDArray[np.uint8]:
    return np.random.default_rng(int(name)).integers(0, 255, (1, 4, 32, 32, 3), dtype=np.uint8)


@pytest.fixture
def clips(made_up_store: Any) -> ClipDataset:
    videos = [Video(str(n), "g", "train", n % 2, "none", str(n)) for n in range(8)]
    return ClipDataset(videos, made_up_store(noise))


Settings = Callable[..., CandidateParams]


@pytest.fixture
def settings(params: Params) -> Settings:
    """Those of a candidate, changed where a test says so; `lr` and `warmup` for short."""

    def change(lr: float = 1e-3, warmup: int = 1, patience: int = 1, **others: Any) -> CandidateParams:
        update = {
            "optimizer": Optimizer(name="adamw", lr=lr, weight_decay=0.0),
            "schedule": Plateau(name="plateau", warmup_epochs=warmup, patience=patience),
        }
        return params.candidates["simple_cnn"].model_copy(update=update | others)

    return change


def test_stored_pixels_in_logits_out(settings: Settings) -> None:
    module = ClipClassifier(SimpleCNN(), settings()).eval()
    assert module(torch.zeros(2, 3, 3, 32, 32, dtype=torch.uint8)).shape == (2, 2)


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, float]]:
    """Loss and rate of every step that a test takes."""
    seen: list[dict[str, float]] = []
    step = ClipClassifier.training_step

    def training_step(self: ClipClassifier, batch: Any, batch_idx: int) -> Tensor:
        loss = step(self, batch, batch_idx)
        rate = self.trainer.optimizers[0].param_groups[0]["lr"]
        seen.append({"loss": float(loss.detach()), "lr": rate})
        return loss

    monkeypatch.setattr(ClipClassifier, "training_step", training_step)
    return seen


def test_rate_rises_step_by_step_through_the_warm_up(
    settings: Any, clips: ClipDataset, steps: Any, tmp_path: Path
) -> None:
    fit(settings(lr=0.008, warmup=2, epochs=3, batch_size=4), clips, clips, tmp_path, ignore)
    assert [step["lr"] for step in steps] == pytest.approx([0.002, 0.004, 0.006, 0.008, 0.008, 0.008])


def test_without_warm_up_the_rate_is_full_at_once(
    settings: Any, clips: ClipDataset, steps: Any, tmp_path: Path
) -> None:
    fit(settings(lr=0.008, warmup=0, epochs=1, batch_size=4), clips, clips, tmp_path, ignore)
    assert [step["lr"] for step in steps] == pytest.approx([0.008, 0.008])


def test_loss_is_cross_entropy_and_halves_the_rate_where_it_stays(
    settings: Any, clips: ClipDataset, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("components.training.fit.create", lambda *told: Fixed())
    told: list[dict[str, float]] = []
    still = settings(lr=1e-6, warmup=0, epochs=6, batch_size=8)
    fit(still, clips, clips, tmp_path, lambda metrics, step: told.append(dict(metrics)))
    right, wrong = np.log(1 + np.exp(-1)), np.log(1 + np.exp(1))  # logits 0 and 1
    assert told[0]["val_loss"] == pytest.approx((right + wrong) / 2, rel=1e-5)
    assert told[0]["val_auc"] == 0.5
    assert [metrics["lr"] for metrics in told] == [1e-6, 1e-6, 1e-6, 5e-7, 5e-7, 2.5e-7]


def test_accuracy_of_what_was_drawn_and_of_validation(
    settings: Any, clips: ClipDataset, made_up_store: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("components.training.fit.create", lambda *told: Fixed())  # calls everything fake
    videos = [Video(str(n), "g", "train", int(n > 0), "none", str(n)) for n in range(10)]
    train = ClipDataset(videos, made_up_store(noise))
    for balance, learnt in (("none", 0.9), ("sampler", 0.5)):
        told = settings(lr=1e-9, epochs=1, batch_size=4, balance=balance)
        best = fit(told, train, clips, tmp_path / balance, ignore).best
        assert (best.epoch, best.train_accuracy, best.val_accuracy) == (1, pytest.approx(learnt), 0.5)
        assert best.gap == pytest.approx(learnt - 0.5)


def test_a_rate_that_has_fallen_far_ends_the_training_for_good(
    settings: Any, clips: ClipDataset, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("components.training.fit.create", lambda *told: Fixed())
    falling = Plateau(name="plateau", patience=1, factor=0.1, end=5e-8)
    told = settings(lr=1e-6, epochs=20, batch_size=8).model_copy(update={"schedule": falling})
    for _ in range(2):  # the second call finds the checkpoint of a training that has ended
        rates = [epoch.lr for epoch in fit(told, clips, clips, tmp_path, ignore).history]
        assert rates == pytest.approx([1e-6, 1e-6, 1e-6, 1e-7, 1e-7])


def test_a_hundred_steps_fit_a_few_clips(settings: Any, clips: ClipDataset, tmp_path: Path) -> None:
    patient = EarlyStopping(metric="loss", patience=100)
    as_stored = AugmentationParams(flip=0.0, brightness=0.0, contrast=0.0, shift=0.0)
    long = settings(
        lr=0.003, patience=5, epochs=25, batch_size=4, early_stopping=patient, augmentation=as_stored
    )
    fitted = fit(long, clips, clips, tmp_path, ignore)
    assert fitted.best.val_auc > 0.9
    assert not fitted.model.training
    assert fitted.best == min(fitted.history, key=lambda epoch: epoch.val_loss)


def test_validation_takes_the_face_that_decides_in_clips_of_any_length(
    settings: Any, clips: ClipDataset, made_up_store: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shades(name: str) -> NDArray[np.uint8]:
        """Two faces: of fakes one is white, of genuine videos both are black."""
        crops = np.zeros((2, 1 + int(name), 32, 32, 3), np.uint8)
        crops[1] = 255 * (int(name) % 2)
        return crops

    class Bright(Fixed):
        def outputs(self, clips: Tensor, mask: Tensor | None = None) -> Outputs:
            fake = clips.mean(dim=(1, 2, 3, 4)) * self.logits[1]
            return Outputs(torch.stack([0 * fake, fake], dim=1), clips.mean(dim=(1, 3, 4)))

    monkeypatch.setattr("components.training.fit.create", lambda *told: Bright())
    videos = [Video(str(n), "g", "val", n % 2, "none", str(n)) for n in range(6)]
    val = ClipDataset(videos, made_up_store(shades))
    short = settings(lr=1e-9, warmup=0, epochs=1, batch_size=4)
    fitted = fit(short, clips, val, tmp_path, ignore)
    assert fitted.best.val_auc == 1.0  # the main face alone would make 0.5


def test_ctrl_c_stays_what_it_is(settings: Any, clips: ClipDataset, tmp_path: Path) -> None:
    def interrupt(metrics: Any, step: int) -> None:
        raise KeyboardInterrupt

    handler = signal.getsignal(signal.SIGINT)
    try:
        with pytest.raises(KeyboardInterrupt):
            fit(settings(), clips, clips, tmp_path, interrupt)
    finally:
        signal.signal(signal.SIGINT, handler)
