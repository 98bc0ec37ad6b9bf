"""The bar of a training that somebody watches."""

from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import RichProgressBar

BAR_NAMES = {
    "loss": "loss",
    "val_loss": "validation loss",
    "val_auc": "AUC",
    "val_f1": "F1",
    "val_accuracy": "accuracy",
}
"""What is shown, by the names under which it is logged; the first one of the last batch."""


class TrainingBar(RichProgressBar):
    """Epochs from 1, as in the log; clips, the last loss, and what validation found after the last epoch."""

    def __init__(self) -> None:
        super().__init__(console_kwargs={"stderr": True})

    def get_metrics(self, trainer: Trainer, pl_module: LightningModule) -> dict[str, Any]:
        metrics = super().get_metrics(trainer, pl_module)
        shown = {name: metrics[key] for key, name in BAR_NAMES.items() if key in metrics}
        return {"clips": clips_seen(trainer), **shown}

    def _get_train_description(self, current_epoch: int) -> str:
        whole = f"epoch {current_epoch + 1}/{self.trainer.max_epochs}"
        # Rich makes room once, by the first description.
        return whole.ljust(len(self.validation_description))


def clips_seen(trainer: Trainer) -> str:
    """Says how many of the epoch's clips were seen, in all processes: `24/160`."""
    loader: Any = trainer.train_dataloader
    part, batches = len(loader.sampler), trainer.fit_loop.epoch_loop.batch_progress.current.ready
    seen = min(batches * loader.batch_size, part)
    return f"{seen * trainer.world_size}/{part * trainer.world_size}"
