"""How a candidate learns: loss, optimiser and learning rate, as a Lightning module."""

from typing import Any

import numpy as np
import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn
from torch.optim import Adam, AdamW, Optimizer
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torchmetrics.classification import BinaryAUROC

from components.models import Candidate, normalise
from components.params import CandidateParams, TrainingParams
from components.training.batches import WholeBatch, video_logits

OPTIMIZERS: dict[str, type[Adam]] = {"adam": Adam, "adamw": AdamW}

Batch = tuple[Tensor, Tensor]
"""Clips, uint8 `(B, T, 3, S, S)`, and labels, int64 `(B,)`."""


class ClipClassifier(LightningModule):
    """Cross entropy; Adam or AdamW; a linear warm-up, then halved on every plateau of `val_loss`."""

    def __init__(self, model: Candidate, candidate: CandidateParams, training: TrainingParams) -> None:
        super().__init__()
        self.model = model
        self.auc = BinaryAUROC()
        self._candidate = candidate
        self._training = training
        self._plateau_state: dict[str, Any] = {}

    def forward(self, clips: Tensor) -> Tensor:
        """Logits `(B, 2)` of clips, uint8 `(B, T, 3, S, S)`."""
        logits: Tensor = self.model(normalise(clips))
        return logits

    def configure_optimizers(self) -> Optimizer:
        settings = self._candidate
        optimizer = OPTIMIZERS[settings.optimizer](
            self.parameters(), lr=settings.lr, weight_decay=settings.weight_decay, fused=True
        )
        # Not given to Lightning, which steps it after the epoch's checkpoint: a resume would lose a step.
        self._plateau = ReduceLROnPlateau(optimizer, factor=0.5, patience=self._training.plateau_patience)
        self._plateau.load_state_dict(self._plateau_state)
        return optimizer

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        self._seed_dropout()
        warmup = self._training.warmup_epochs * int(self.trainer.num_training_batches)
        if self.global_step < warmup:
            self._set_rate(self._candidate.lr * (self.global_step + 1) / warmup)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        clips, labels = batch
        loss = nn.functional.cross_entropy(self(clips), labels)
        self.log("train_loss", loss, on_step=False, on_epoch=True, prog_bar=True, batch_size=len(labels))
        return loss

    def validation_step(self, batch: WholeBatch, batch_idx: int) -> None:
        labels = batch.labels
        logits = video_logits(self, batch.faces)
        self.auc.update(logits.softmax(dim=1)[:, 1], labels)
        loss = nn.functional.cross_entropy(logits, labels)
        self.log("val_loss", loss, prog_bar=True, batch_size=len(labels))
        self.log("val_auc", self.auc, prog_bar=True)

    def on_train_epoch_end(self) -> None:
        if self.current_epoch + 1 >= self._training.warmup_epochs:
            self._plateau.step(float(self.trainer.callback_metrics["val_loss"]))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["plateau"] = self._plateau.state_dict()
        checkpoint["origin"] = self.model.origin

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.model.origin = checkpoint["origin"]  # of the weights that are trained on, not of those made now
        self._plateau_state = checkpoint["plateau"]  # the optimiser it belongs to is not made yet

    def _set_rate(self, rate: float) -> None:
        for group in self._plateau.optimizer.param_groups:
            group["lr"] = rate

    def _seed_dropout(self) -> None:
        # At every step, not every epoch: Lightning leaves out the first epoch's start when it resumes.
        seed = np.random.SeedSequence((self._training.seed, self.global_step)).generate_state(1)
        torch.manual_seed(int(seed[0]))
