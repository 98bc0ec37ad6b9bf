from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from components.params import CandidateParams
from components.params.training import (
    Constant,
    Cosine,
    EarlyStopping,
    Linear,
    OneCycle,
    Optimizer,
    Plateau,
    Step,
)
from components.training import fit as fitting
from components.training.callbacks import ignore
from components.training.fit import fit
from components.training.module import ClipClassifier
from components.training.optimization import optimizer, share_of_step
from components.training.sam import SharpnessAware
from tests.components.training.tiny import Tiny, clips, settings


@pytest.mark.parametrize(
    ("clips", "batch_size", "accumulate", "shares"),
    [
        (8, 4, 1, [1, 1]),
        (9, 4, 1, [1, 1, 1]),
        (16, 4, 2, [1, 1, 1, 1]),
        (12, 4, 2, [1, 1, 2]),  # the last step has one batch
        (10, 4, 2, [1, 1, 2]),  # of two clips
        (14, 4, 2, [1, 1, 4 / 3, 2 / 3]),  # of two batches, one of them smaller
    ],
)
def test_every_clip_of_a_step_counts_the_same(
    clips: int, batch_size: int, accumulate: int, shares: list[float]
) -> None:
    sizes = [min(batch_size, clips - start) for start in range(0, clips, batch_size)]
    told = [
        share_of_step(size, batch, batch_size, accumulate, clips) for batch, size in enumerate(sizes)
    ]  # fmt: skip
    assert told == pytest.approx(shares)


def one_step(told: dict[str, Any], folder: Path) -> list[Tensor]:
    """The weights after one epoch over ten clips without dropout or batch norm, by plain descent."""
    fitted = fit(settings(epochs=1, gradient_clip=None, **told), clips(10), clips(4, "val"), folder, ignore)
    return list(fitted.model.parameters())


def test_accumulated_batches_are_one_large_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the last step has fewer and smaller ones: 10 clips are 4 + 4 + 2."""
    monkeypatch.setattr(fitting, "create", lambda *told: Tiny(norm=False, dropout=0.0))
    constant = {"schedule": Constant(name="constant")}
    whole = one_step({"batch_size": 8, "accumulate": 1} | constant, tmp_path / "whole")
    parts = one_step({"batch_size": 4, "accumulate": 2} | constant, tmp_path / "parts")
    uneven = one_step({"batch_size": 1, "accumulate": 8} | constant, tmp_path / "single")
    for one, other, third in zip(whole, parts, uneven, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(one, third, rtol=1e-4, atol=1e-5)


@pytest.fixture
def rates(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """That of every step."""
    seen: list[float] = []

    def on_before_optimizer_step(self: ClipClassifier, optimizer: Any) -> None:
        seen.append(optimizer.param_groups[0]["lr"])

    monkeypatch.setattr(ClipClassifier, "on_before_optimizer_step", on_before_optimizer_step)
    monkeypatch.setattr(fitting, "create", lambda *told: Tiny())
    return seen


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (Constant(name="constant", warmup_epochs=1), [0.5, 1, 1, 1, 1, 1]),
        (Cosine(name="cosine"), [1.0, 0.933, 0.75, 0.5, 0.25, 0.067]),
        (Linear(name="linear", hold=0.5), [1, 1, 1, 1, 2 / 3, 1 / 3]),
        (Step(name="step", every=2, factor=0.5, floor=0.3), [1, 1, 0.5, 0.5, 0.3, 0.3]),
        (Step(name="step", every=2, factor=0.5, warmup_epochs=1), [1 / 2, 1, 1, 1, 0.5, 0.5]),
        (Plateau(name="plateau", warmup_epochs=2, patience=9), [0.25, 0.5, 0.75, 1, 1, 1]),
    ],
)
def test_rates_follow_steps_and_not_batches(
    schedule: Any, expected: list[float], rates: list[float], tmp_path: Path
) -> None:
    """Three epochs of two steps: two batches, and the third."""
    told = settings(
        epochs=3, accumulate=2, schedule=schedule, optimizer=Optimizer(name="adam", lr=1.0, weight_decay=0)
    )
    fit(told, clips(10), clips(4, "val"), tmp_path, ignore)
    assert rates == pytest.approx(expected, abs=1e-3)


def test_one_cycle_ends_with_the_last_accumulated_step(rates: list[float], tmp_path: Path) -> None:
    told = settings(
        epochs=5,
        accumulate=2,
        schedule=OneCycle(name="onecycle", rise=0.3),
        optimizer=Optimizer(name="adam", lr=1.0, weight_decay=0),
    )
    fitted = fit(told, clips(10), clips(4, "val"), tmp_path, ignore)
    assert len(rates) == 10
    assert rates.index(max(rates)) == 2
    assert max(rates) == pytest.approx(1.0)
    assert rates[-1] < 1e-4 < rates[-2]
    assert fitted.history[-1].lr == rates[-1]


def test_sharpness_aware_statistics_are_of_the_first_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both passes of a step see the same dropout, and only one of them is learnt from by the batch norms."""
    monkeypatch.setattr(fitting, "create", lambda *told: Tiny())
    means = []
    for radius in (0.0, 0.5):
        flat = Optimizer(name="adam", lr=1e-12, weight_decay=0, sam=radius)
        told = settings(epochs=2, optimizer=flat, schedule=Constant(name="constant"))
        fitted = fit(told, clips(8), clips(4, "val"), tmp_path / str(radius), ignore)
        means.append((fitted.model.state_dict()["hidden.1.running_mean"], fitted.history[-1].train_loss))
    torch.testing.assert_close(means[0][0], means[1][0], rtol=1e-5, atol=1e-6)
    assert means[0][1] == pytest.approx(means[1][1], rel=1e-5)


@pytest.mark.parametrize(
    ("name", "sam", "kind"), [("adam", 0.0, "Adam"), ("adamw", 0.05, "AdamW"), ("sgd", 0.05, "SGD")]
)
def test_groups_and_kinds(name: Any, sam: float, kind: str) -> None:
    told = settings(optimizer=Optimizer(name=name, lr=0.25, weight_decay=0.125, sam=sam))
    made = optimizer(Tiny(), told)
    assert isinstance(made, SharpnessAware) == bool(sam)
    base = made._base if isinstance(made, SharpnessAware) else made
    assert type(base).__name__ == kind
    assert [(group["lr"], group["weight_decay"]) for group in made.param_groups] == [(0.25, 0.125)]


@pytest.mark.parametrize("metric", ["loss", "auc", "f1", "accuracy"])
def test_the_best_epoch_is_the_one_that_is_kept(
    metric: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Epochs that are as good as the best one, and one that is no number, whose metrics would be perfect."""
    losses = iter([0.7, 0.5, float("nan"), 0.5, 0.4, 0.4])
    monkeypatch.setattr(fitting, "create", lambda *told: Tiny())
    weights: list[Tensor] = []

    def validation_step(self: ClipClassifier, batch: Any, batch_idx: int) -> None:
        if batch_idx == 0:
            weights.append(self.model.get_parameter("head.1.weight").detach().clone())
            loss = torch.tensor(next(losses))
            self.val_loss.update(loss)
            found = torch.tensor([0.1, 0.9]) if not loss > 0.45 else torch.tensor([0.9, 0.1])
            for one in (self.auc, self.f1, self.val_accuracy):
                one.update(found, torch.tensor([0, 1]))

    monkeypatch.setattr(ClipClassifier, "validation_step", validation_step)
    monkeypatch.setattr(fitting, "Stopping", Unstopped)
    told = settings(epochs=6, early_stopping=EarlyStopping(metric=metric, patience=50))
    fitted = fit(told, clips(8), clips(2, "val"), tmp_path, ignore)
    assert fitted.best.epoch == 5
    assert torch.equal(fitted.model.get_parameter("head.1.weight"), weights[4])


@pytest.mark.parametrize(("min_delta", "epochs"), [(0.0, 6), (0.015, 6), (0.025, 4)])
def test_a_gain_below_min_delta_does_not_count(
    min_delta: float, epochs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loss falls by 0.02 every second epoch, and the best epoch is the best whatever counts as a gain."""
    losses = iter([0.7, 0.7, 0.68, 0.68, 0.66, 0.66])
    monkeypatch.setattr(fitting, "create", lambda *told: Tiny())

    def validation_step(self: ClipClassifier, batch: Any, batch_idx: int) -> None:
        if batch_idx == 0:
            self.val_loss.update(torch.tensor(next(losses)))
            for one in (self.auc, self.f1, self.val_accuracy):
                one.update(torch.tensor([0.1, 0.9]), torch.tensor([0, 1]))

    monkeypatch.setattr(ClipClassifier, "validation_step", validation_step)
    stopping = EarlyStopping(metric="loss", patience=3, min_delta=min_delta)
    fitted = fit(settings(epochs=6, early_stopping=stopping), clips(8), clips(2, "val"), tmp_path, ignore)
    assert len(fitted.history) == epochs
    assert fitted.best.val_loss == min(epoch.val_loss for epoch in fitted.history)


class Unstopped(fitting.Stopping):
    """Goes on after what is no number."""

    def __init__(self, *args: Any, **told: Any) -> None:
        super().__init__(*args, **told, check_finite=False)


@pytest.mark.parametrize(
    ("others", "words"),
    [
        ({"accumulate": 2}, "optimizer.sam: a step evaluates its batch twice, as a whole; set accumulate: 1"),
        ({"precision": "fp16"}, "optimizer.sam: two gradients have no common scale"),
    ],
)
def test_what_does_not_go_with_sharpness(others: dict[str, Any], words: str) -> None:
    told = settings(optimizer=Optimizer(name="adam", lr=0.1, weight_decay=0, sam=0.05), **others)
    with pytest.raises(ValidationError, match=words):
        CandidateParams.model_validate(told.model_dump())
