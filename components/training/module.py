"""How a candidate learns: loss, optimiser and rate, as a Lightning module."""

from typing import Any

import numpy as np
import torch
from lightning.pytorch import LightningModule
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torchmetrics.classification import BinaryAUROC, BinaryF1Score

from components.models import Candidate
from components.params import CandidateParams
from components.params.training import Plateau
from components.training.batches import ClipBatch, WholeBatch, video_logits
from components.training.losses import clip_losses, weighted_mean
from components.training.optimization import optimizer, scheduler


class ClipClassifier(LightningModule):
    """A candidate with its settings.

    Args:
        model: the network.
        settings: how it learns.
        class_weights: `(2,)`, by which the clips of a class count in the loss; None: all the same.
    """

    class_weights: Tensor | None

    def __init__(
        self, model: Candidate, settings: CandidateParams, class_weights: Tensor | None = None
    ) -> None:
        super().__init__()
        self.model = model
        self.auc, self.f1 = BinaryAUROC(), BinaryF1Score()
        self.register_buffer("class_weights", class_weights, persistent=False)
        self._settings = settings
        self._plateau: ReduceLROnPlateau | None = None
        self._plateau_state: dict[str, Any] = {}

    def forward(self, clips: Tensor) -> Tensor:
        """Logits `(B, 2)` of clips of equal length, uint8 `(B, T, 3, S, S)`."""
        logits: Tensor = self.model(self.model.prepare(clips))
        return logits

    def configure_optimizers(self) -> OptimizerLRScheduler:
        steps = optimizer(self.model, self._settings)
        schedule = self._settings.schedule
        if not isinstance(schedule, Plateau):
            rates = scheduler(steps, self._settings, int(self.trainer.estimated_stepping_batches))
            return {"optimizer": steps, "lr_scheduler": {"scheduler": rates, "interval": "step"}}
        # Not given to Lightning, which steps it after the epoch's checkpoint: a resume would lose a step.
        self._plateau = ReduceLROnPlateau(steps, factor=schedule.factor, patience=schedule.patience)
        self._plateau.load_state_dict(self._plateau_state)
        for group in steps.param_groups:
            group["full"] = group["lr"]
        return steps

    def on_train_batch_start(self, batch: ClipBatch, batch_idx: int) -> None:
        self._seed_dropout()
        if self._plateau and self.global_step < self._warmup:
            for group in self._plateau.optimizer.param_groups:
                group["lr"] = group["full"] * (self.global_step + 1) / self._warmup

    def training_step(self, batch: ClipBatch, batch_idx: int) -> Tensor:
        found = self.model.outputs(self.model.prepare(batch.clips), batch.mask)
        losses = clip_losses(self._settings.loss, found.logits, batch.labels)
        loss = weighted_mean(losses, batch.labels, self.class_weights)
        if self.model.method_head is not None:
            told = self.model.method_head(found.embedding)
            loss = loss + self._settings.methods * cross_entropy(told, batch.methods)
        size = len(batch.labels)
        self.log("train_loss", loss, on_step=False, on_epoch=True, prog_bar=True, batch_size=size)
        return loss

    def validation_step(self, batch: WholeBatch, batch_idx: int) -> None:
        labels = batch.labels
        logits = video_logits(self, batch.faces)
        fake = logits.softmax(dim=1)[:, 1]
        self.auc.update(fake, labels)
        self.f1.update(fake, labels)
        loss = clip_losses(self._settings.loss, logits, labels).mean()
        self.log("val_loss", loss, prog_bar=True, batch_size=len(labels))
        self.log("val_auc", self.auc, prog_bar=True)
        self.log("val_f1", self.f1, prog_bar=True)

    def on_train_epoch_end(self) -> None:
        if self._plateau and self.global_step >= self._warmup:
            self._plateau.step(float(self.trainer.callback_metrics["val_loss"]))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["plateau"] = self._plateau.state_dict() if self._plateau else {}
        checkpoint["origin"] = self.model.origin

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.model.origin = checkpoint["origin"]  # of the weights that are trained on, not of those made now
        self._plateau_state = checkpoint["plateau"]  # the optimiser it belongs to is not made yet

    @property
    def _warmup(self) -> int:
        """Steps in which the rate rises."""
        epochs = getattr(self._settings.schedule, "warmup_epochs", 0)
        return round(epochs * self.trainer.estimated_stepping_batches / self._settings.epochs)

    def _seed_dropout(self) -> None:
        # At every step, not every epoch: Lightning leaves out the first epoch's start when it resumes.
        seed = np.random.SeedSequence((self._settings.seed, self.global_step)).generate_state(1)
        torch.manual_seed(int(seed[0]))
