"""The moving average of a network's weights, which is evaluated and kept in their place."""

from collections.abc import Callable, Sequence

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor

from components.training.distributed import average_buffers

Update = Callable[[Sequence[Tensor], Sequence[Tensor], Tensor | int], None]


class Averaging(WeightAveraging):
    """An exponential moving average of weights and of batch-norm statistics, after every step.

    Validation sees the average, and checkpoints hold it under `state_dict`, the raw weights beside it.

    Args:
        decay: share of the old average that is left after a step.
    """

    def __init__(self, decay: float) -> None:
        super().__init__(multi_avg_fn=moving(decay))

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # Lightning makes the average before the network is on its device; each step would fetch all weights.
        if self._average_model is not None:
            self._average_model.to(pl_module.device)

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self._average_model is not None:
            average_buffers(self._average_model)


def moving(decay: float) -> Update:
    """How an average moves; at first faster, or short trainings would be evaluated by their first steps.

    The rise `(1 + n) / (10 + n)` is that of TensorFlow's `ExponentialMovingAverage`.
    """

    @torch.no_grad()
    def update(averaged: Sequence[Tensor], current: Sequence[Tensor], steps: Tensor | int) -> None:
        if not averaged[0].is_floating_point():  # counters of batches
            torch._foreach_copy_(tuple(averaged), tuple(current))
            return
        count = float(steps)
        moved = 1 - min(decay, (1 + count) / (10 + count))
        torch._foreach_lerp_(tuple(averaged), tuple(current), moved)

    return update
