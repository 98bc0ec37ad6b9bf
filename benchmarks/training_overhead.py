"""A training as Unmask runs it against the least that trains the same: a loop in PyTorch."""

import statistics
from collections.abc import Iterator
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor, nn
from torch.utils.data import DataLoader

from benchmarks.training_clips import Stored
from benchmarks.training_watch import spent, watched
from components.faces.clip import Faces
from components.faces.policy import CropPolicy
from components.models import Candidate
from components.params import CandidateParams
from components.training.batches import ClipBatch, collate
from components.training.callbacks import ignore
from components.training.dataset import DrawnClip
from components.training.features import cached_features
from components.training.fit import build_candidate, fit, prepare_torch
from components.training.loader import training_batches
from components.training.losses import clip_losses
from components.training.optimization import optimizer

STEPS = 6
"""Of an epoch, after which the other way has its turn."""

MOST = 1.05
"""Of the ratio."""


class Overhead(NamedTuple):
    """Seconds of a step (of a CPU: CPU seconds), medians over epochs, which alternate in one process."""

    ours: float
    bare: float
    ratio: float  # median of the ratios of neighbouring epochs
    spread: tuple[float, float]  # quartiles of these
    pairs: int


def overhead(
    settings: CandidateParams,
    policy: CropPolicy,
    taken: list[tuple[Faces, int, str]],
    pairs: int,
) -> Overhead:
    """Train twice side by side, on the same batches in memory, in turns of an epoch each.

    Args:
        settings: of the candidate; without SAM, whose step is no plain one.
        policy: of its clips.
        taken: to make them of.
        pairs: of epochs; one more, in which everything is new, does not count.
    """
    settings = settings.model_copy(
        update={"epochs": pairs + 1, "workers": 0, "early_stopping": _patient(settings, pairs)}
    )
    with TemporaryDirectory(prefix="unmask-training-") as scratch:
        clips = Stored(Path(scratch), taken, policy, STEPS * settings.accumulate * settings.batch_size)
        train, val = clips.datasets()
        prepare_torch(settings)
        model = build_candidate(settings, train)
        if settings.cache_features:
            train = cached_features(model, train, settings, Path(scratch) / "features")
        drawn = [one for batch in training_batches(train, settings) for one in _taken_apart(batch)]
        batches: DataLoader[Any] = DataLoader(drawn, settings.batch_size, collate_fn=collate)  # type: ignore[arg-type]
        turns = Turns(Bare(model, settings, batches), len(batches) // settings.accumulate)
        with watched(turns, training_batches=lambda *_: batches):
            fit(settings, train, val, Path(scratch) / "training", ignore)
    ours, bare = turns.ours[1:], turns.bare[1:]
    ratios = [one / other for one, other in zip(ours, bare, strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4)
    return Overhead(statistics.median(ours), statistics.median(bare), middle, (low, high), len(ratios))


def _patient(settings: CandidateParams, epochs: int) -> Any:
    return settings.early_stopping.model_copy(update={"patience": epochs + 2})


def _taken_apart(batch: ClipBatch) -> Iterator[DrawnClip]:
    """The clips that were put together, without what they were filled up with."""
    for row, clip in enumerate(batch.clips):
        whole = clip if batch.mask is None else clip[batch.mask[row]]
        label, method, item = (int(values[row]) for values in (batch.labels, batch.methods, batch.items))
        yield DrawnClip(whole.clone(), label, method, item)


class Bare:
    """A textbook's loop: forward, loss, backward, clip, step. It logs, checks and keeps nothing."""

    def __init__(self, model: Candidate, settings: CandidateParams, batches: DataLoader[Any]) -> None:
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._model = model.to(self._device).train()
        self._settings = settings
        self._batches = batches
        self._optimizer = optimizer(self._model, settings)

    def epoch(self) -> None:
        batches = iter(self._batches)
        while step := list(islice(batches, self._settings.accumulate)):
            self._optimizer.zero_grad()
            for batch in step:
                self._loss(batch).backward()  # type: ignore[no-untyped-call]
            if self._settings.gradient_clip:
                nn.utils.clip_grad_norm_(self._model.parameters(), self._settings.gradient_clip)
            self._optimizer.step()

    def _loss(self, batch: ClipBatch) -> Tensor:
        clips, labels = batch.clips.to(self._device), batch.labels.to(self._device)
        mask = None if batch.mask is None else batch.mask.to(self._device)
        with self._precision():
            if clips.is_floating_point():
                logits = self._model.classify(clips, mask).logits
            else:
                logits = self._model(self._model.prepare(clips), mask)
            return clip_losses(self._settings.loss, logits, labels).mean() / self._settings.accumulate

    def _precision(self) -> Any:
        if self._settings.precision == "fp32":
            return nullcontext()
        half = torch.bfloat16 if self._settings.precision == "bf16" else torch.float16
        return torch.autocast(self._device.type, half)


class Turns(Callback):
    """Before each epoch of a training the bare loop has one. Counts from the first fetch to the last step."""

    def __init__(self, bare: Bare, steps: int) -> None:
        self.ours: list[float] = []  # seconds of a step
        self.bare: list[float] = []
        self._loop = bare
        self._steps = steps
        self._began = 0.0

    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
        start = spent()
        self._loop.epoch()
        self._began = spent()
        self.bare.append((self._began - start) / self._steps)

    def on_train_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if batch_idx + 1 == trainer.num_training_batches:
            self.ours.append((spent() - self._began) / self._steps)
