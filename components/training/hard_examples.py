"""Hard-example mining: the losses of an epoch decide what the next one sees more of."""

from typing import Any

import numpy as np
import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback
from torch import Tensor

from components.training.batches import ClipBatch
from components.training.sampling import EpochSampler


class HardExamples(Callback):
    """Tells the sampler the loss of every clip, in each process those of all. Part of the checkpoint.

    Args:
        sampler: of the training clips.
    """

    def __init__(self, sampler: EpochSampler) -> None:
        self._sampler = sampler
        self._seen: list[tuple[Tensor, Tensor]] = []  # items, losses: fetched from the device once an epoch

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: Any, outputs: Any, batch: ClipBatch, batch_idx: int
    ) -> None:
        self._seen.append((batch.items, pl_module.clip_losses.float()))

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        items, losses = (torch.cat(parts) for parts in zip(*self._seen, strict=True))
        self._seen.clear()
        known = torch.from_numpy(self._sampler.losses)
        self._sampler.losses = remembered(known, *_of_all(pl_module, items, losses)).numpy()

    def state_dict(self) -> dict[str, Any]:
        return {"losses": torch.from_numpy(self._sampler.losses)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._sampler.losses = np.asarray(state_dict["losses"])


def remembered(known: Tensor, items: Tensor, losses: Tensor) -> Tensor:
    """Returns losses of all items: of those just drawn their mean, of others what was known.

    Args:
        known: float64 `(N,)`.
        items: int64 `(D,)`, those that were drawn, some more than once.
        losses: `(D,)`, theirs.
    """
    count = torch.bincount(items, minlength=len(known))
    mean = torch.bincount(items, losses.double(), minlength=len(known)) / count
    return torch.where(count > 0, mean, known)


def _of_all(module: Any, items: Tensor, losses: Tensor) -> tuple[Tensor, Tensor]:
    """Returns what all processes have seen, as many each."""
    if module.trainer.world_size > 1:
        items, losses = (module.all_gather(part).flatten() for part in (items, losses))
    return items.cpu(), losses.cpu()
