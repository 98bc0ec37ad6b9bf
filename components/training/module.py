"""How a candidate learns: loss, optimiser and rate, as a Lightning module."""

from typing import Any

import numpy as np
import torch
from lightning.pytorch import LightningModule
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torch.utils.data import DataLoader
from torchmetrics import MeanMetric, Metric
from torchmetrics.classification import BinaryAccuracy, BinaryAUROC, BinaryF1Score

from components.models import Candidate
from components.models.base import Outputs
from components.params import CandidateParams
from components.params.training import Plateau
from components.training.batches import ClipBatch, WholeBatch, video_logits
from components.training.distributed import average_buffers
from components.training.losses import clip_losses, weighted_mean
from components.training.optimization import optimizer, scheduler, share_of_step
from components.training.sam import frozen_statistics


class ClipClassifier(LightningModule):
    """A candidate with its settings.

    Args:
        model: the network.
        settings: how it learns.
        class_weights: `(2,)`, by which the clips of a class count in the loss; None: all the same.
    """

    class_weights: Tensor | None
    clip_losses: Tensor
    """(B,), of the last batch."""

    def __init__(
        self, model: Candidate, settings: CandidateParams, class_weights: Tensor | None = None
    ) -> None:
        super().__init__()
        self.model = model
        self.train_loss = MeanMetric(nan_strategy="disable")  # what is no number is to be seen
        self.val_loss = MeanMetric(nan_strategy="disable")
        self.train_accuracy, self.val_accuracy = BinaryAccuracy(validate_args=False), BinaryAccuracy()
        self.auc, self.f1 = BinaryAUROC(), BinaryF1Score()
        self.register_buffer("class_weights", class_weights, persistent=False)
        self._settings = settings
        self._plateau: ReduceLROnPlateau | None = None
        self._plateau_state: dict[str, Any] = {}

    def forward(self, clips: Tensor) -> Tensor:
        """Logits `(B, 2)` of clips of equal length, uint8 `(B, T, 3, S, S)` or features `(B, T, C)`."""
        return self._seen(clips).logits

    def configure_optimizers(self) -> OptimizerLRScheduler:
        steps = optimizer(self.model, self._settings)
        schedule = self._settings.schedule
        if not isinstance(schedule, Plateau):
            rates = scheduler(steps, self._settings, int(self.trainer.estimated_stepping_batches))
            return {"optimizer": steps, "lr_scheduler": {"scheduler": rates, "interval": "step"}}
        # Not given to Lightning, which steps it after the epoch's checkpoint: a resume would lose a step.
        self._plateau = ReduceLROnPlateau(steps, factor=schedule.factor, patience=schedule.patience, eps=0.0)
        self._plateau.load_state_dict(self._plateau_state)
        for group in steps.param_groups:
            group["full"] = group["lr"]
        return steps

    def on_train_start(self) -> None:
        if self._has_ended:  # before it was killed
            self.trainer.should_stop = True

    def on_train_batch_start(self, batch: ClipBatch, batch_idx: int) -> None:
        if self._plateau and self.global_step < self._warmup:
            for group in self._plateau.optimizer.param_groups:
                group["lr"] = group["full"] * (self.global_step + 1) / self._warmup

    def training_step(self, batch: ClipBatch, batch_idx: int) -> Tensor:
        self._seed_dropout(batch_idx)
        if self._perturbed:
            with frozen_statistics(self.model):
                return self._loss(batch) * self._share(batch, batch_idx)
        loss = self._loss(batch)
        self.train_loss.update(loss.detach(), len(batch.labels))
        if self.trainer.progress_bar_callback:
            self.log("loss", loss, prog_bar=True, logger=False)
        return loss * self._share(batch, batch_idx)

    def validation_step(self, batch: WholeBatch, batch_idx: int) -> None:
        labels = batch.labels
        with torch.autocast(self.device.type, enabled=False):  # as it will be exported and evaluated
            logits = video_logits(self, batch.faces)
        fake = logits.softmax(dim=1)[:, 1]
        self.val_accuracy.update(fake, labels)
        self.auc.update(fake, labels)
        self.f1.update(fake, labels)
        self.val_loss.update(clip_losses(self._settings.loss, logits, labels))

    def on_validation_start(self) -> None:
        average_buffers(self.model)

    def on_validation_epoch_end(self) -> None:
        """Logs the epoch; a metric of a network that has diverged is no number, whatever it would be."""
        loss = self.val_loss.compute()
        unknown = loss * 0 if loss.isfinite() else loss.new_tensor(torch.nan)
        metrics = {
            "train_loss": self.train_loss.compute(),
            "train_accuracy": self.train_accuracy.compute() + unknown,
            "val_loss": loss,
            "val_accuracy": self.val_accuracy.compute() + unknown,
            "val_auc": self.auc.compute() + unknown,
            "val_f1": self.f1.compute() + unknown,
        }
        self.log_dict(metrics, prog_bar=True)
        for metric in self.children():
            if isinstance(metric, Metric):
                metric.reset()

    def on_train_epoch_end(self) -> None:
        if self._plateau and self.global_step >= self._warmup:
            self._plateau.step(float(self.trainer.callback_metrics["val_loss"]))
            self.trainer.should_stop |= self._has_ended

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["plateau"] = self._plateau.state_dict() if self._plateau else {}
        checkpoint["origin"] = self.model.origin

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.model.origin = checkpoint["origin"]  # of the weights that are trained on, not of those made now
        self._plateau_state = checkpoint["plateau"]  # the optimiser it belongs to is not made yet

    @property
    def _perturbed(self) -> bool:
        """Whether the weights are for now those that `SharpnessAware` looks at."""
        return getattr(self.trainer.optimizers[0], "perturbed", False)

    @property
    def _has_ended(self) -> bool:
        """Whether the rate has fallen so low that the training is over."""
        schedule = self._settings.schedule
        if self._plateau is None or not isinstance(schedule, Plateau) or self.global_step < self._warmup:
            return False
        return bool(self._plateau.optimizer.param_groups[-1]["lr"] < schedule.end)

    @property
    def _warmup(self) -> int:
        """Steps in which the rate rises."""
        epochs = getattr(self._settings.schedule, "warmup_epochs", 0)
        return round(epochs * self.trainer.estimated_stepping_batches / self._settings.epochs)

    def _loss(self, batch: ClipBatch) -> Tensor:
        outputs = self._seen(batch.clips, batch.mask)
        losses = clip_losses(self._settings.loss, outputs.logits, batch.labels)
        if not self._perturbed:
            self.clip_losses = losses.detach()
            self.train_accuracy.update(outputs.logits.detach().float().softmax(dim=1)[:, 1], batch.labels)
        loss = weighted_mean(losses, batch.labels, self.class_weights)
        if self.model.method_head is not None:
            method_logits = self.model.method_head(outputs.embedding)
            loss = loss + self._settings.methods * cross_entropy(method_logits, batch.methods)
        return loss

    def _seen(self, clips: Tensor, mask: Tensor | None = None) -> Outputs:
        """Returns what the network says of clips, or of the features that its backbone has of them."""
        if clips.is_floating_point():
            return self.model.classify(clips, mask)
        return self.model.outputs(self.model.prepare(clips), mask)

    def _share(self, batch: ClipBatch, batch_idx: int) -> float:
        loader: DataLoader[ClipBatch] = self.trainer.train_dataloader  # type: ignore[assignment]
        drawn = len(loader.sampler)  # type: ignore[arg-type]
        part = self._settings.batch_size // self.trainer.world_size
        return share_of_step(len(batch.labels), batch_idx, part, self._settings.accumulate, drawn)

    def _seed_dropout(self, batch_idx: int) -> None:
        # At every batch: a resumed training has not drawn what the killed one had.
        place = (self._settings.seed, self.current_epoch, batch_idx, self.global_rank)
        seed = int(np.random.SeedSequence(place).generate_state(1)[0])
        torch.default_generator.manual_seed(seed)  # torch.manual_seed takes milliseconds for GPUs unused
        if self.on_gpu:
            torch.cuda.manual_seed(seed)
