"""What happens beside the training: its history, its curves, its end, and checkpoints that survive a kill."""

import logging
import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins import TorchCheckpointIO
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback, EarlyStopping
from torch.optim import Optimizer

from components.files import replacing
from components.training.history import MEASURED, Epoch
from components.training.sampling import EpochSampler

OnEpoch = Callable[[Mapping[str, float], int], None]
"""Takes one epoch's metrics and its number, from 1."""

log = logging.getLogger(__name__)


def ignore(metrics: Mapping[str, float], epoch: int) -> None:
    """Ignores the epoch, in all processes of a training but the first, where nobody watches."""


class History(Callback):
    """Collects a row for each epoch, and passes it on. Its rows are part of the checkpoint.

    Args:
        on_epoch: gets every new row.
        verbose: log a line for each epoch, where nobody sees a progress bar.
    """

    def __init__(self, on_epoch: OnEpoch, verbose: bool) -> None:
        self.epochs: list[Epoch] = []
        self._on_epoch = on_epoch
        self._verbose = verbose
        self._rate = math.nan

    def on_before_optimizer_step(
        self, trainer: Trainer, pl_module: LightningModule, optimizer: Optimizer
    ) -> None:
        self._rate = optimizer.param_groups[-1]["lr"]  # the backbone, which comes first, may have another

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        metrics = trainer.callback_metrics
        epoch = Epoch(
            epoch=trainer.current_epoch + 1,
            lr=self._rate,
            **{name: float(metrics[name]) for name in MEASURED},
        )
        self.epochs.append(epoch)
        self._on_epoch(epoch.metrics, epoch.epoch)
        if self._verbose:
            log.info("%s", epoch.line(trainer.max_epochs or 0))

    def state_dict(self) -> dict[str, Any]:
        return {"epochs": [epoch._asdict() for epoch in self.epochs]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.epochs = [Epoch(**epoch) for epoch in state_dict["epochs"]]


class Stopping(EarlyStopping):
    """Early stopping that a resumed training remembers: one that had stopped trains no further epoch."""

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        super().on_train_start(trainer, pl_module)
        trainer.should_stop = self.wait_count >= self.patience


class RightEpoch(Callback):
    """Tells a sampler in which epoch a resumed training goes on.

    Lightning does so only after the loader's first batches were asked for, if other processes prepare them.
    """

    def __init__(self, sampler: EpochSampler) -> None:
        self._sampler = sampler

    def on_load_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        progress = checkpoint["loops"]["fit_loop"]["epoch_progress"]
        self._sampler.set_epoch(progress["current"]["processed"])


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes a checkpoint beside its place and then moves it there: a kill leaves the old one, never half."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | os.PathLike[str], storage_options: Any = None
    ) -> None:
        whole = Path(path)
        aside = f".{whole.name}"  # one for all processes: checkpoints are large, and a kill leaves it there
        with replacing(whole, aside) as partial, partial.open("wb") as file:
            torch.save(checkpoint, file)  # by name, torch hides why it could not write
