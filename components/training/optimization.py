"""From gradients to steps: the optimiser, and how its rate changes over a training."""

import math
from collections.abc import Callable, Iterator
from typing import Any

from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR

from components.models import Candidate
from components.params import CandidateParams
from components.params.training import Constant, Cosine, Linear, OneCycle, Plateau, Step
from components.training.sam import SharpnessAware

OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {"adam": Adam, "adamw": AdamW, "sgd": SGD}


def optimizer(model: Candidate, settings: CandidateParams) -> Optimizer:
    """Makes the optimizer of all trainable weights; the backbone's group comes first and has its own rate."""
    options = settings.optimizer
    groups = [
        {"params": list(parameters), "lr": options.lr * share}
        for parameters, share in ((_of_backbone(model), options.backbone), (_of_the_rest(model), 1.0))
    ]
    filled = [group for group in groups if group["params"]]
    fused = settings.precision == "fp32"  # in mixed precision Lightning does not clip for a fused one
    momentum = {"momentum": options.momentum} if options.name == "sgd" else {}
    made = OPTIMIZERS[options.name](
        filled, lr=options.lr, weight_decay=options.weight_decay, fused=fused, **momentum
    )
    return SharpnessAware(made, options.sam) if options.sam else made


def scheduler(optimizer: Optimizer, settings: CandidateParams, steps: int) -> LRScheduler:
    """Returns the rate of every step.

    Args:
        optimizer: whose rates are those of `settings` now.
        settings: of the candidate.
        steps: of the whole training.
    """
    schedule = settings.schedule
    if isinstance(schedule, OneCycle):
        rates = [group["lr"] for group in optimizer.param_groups]
        return OneCycleLR(optimizer, rates, total_steps=steps, pct_start=schedule.rise)
    warmup = round(schedule.warmup_epochs * steps / settings.epochs)
    return LambdaLR(optimizer, lambda step: rate_share(schedule, step, warmup, steps))


def rate_share(
    schedule: Constant | Plateau | Cosine | Linear | Step, step: int, warmup: int, steps: int
) -> float:
    """Returns the share of the full rate at a step from 0; a plateau is noticed elsewhere."""
    if step < warmup:
        return (step + 1) / warmup
    passed = min(1.0, (step - warmup) / max(1, steps - warmup))
    match schedule:
        case Linear():
            return min(1.0, (1 - passed) / (1 - schedule.hold)) if schedule.hold < 1 else 1.0
        case Cosine():
            return schedule.floor + (1 - schedule.floor) * (1 + math.cos(math.pi * passed)) / 2
        case Step():
            return max(schedule.floor, schedule.factor ** ((step - warmup) // schedule.every))
    return 1.0


def share_of_step(size: int, batch: int, batch_size: int, accumulate: int, clips: int) -> float:
    """Returns the factor of a batch's mean loss that makes a step follow the mean over all its clips.

    Lightning divides by the batches of a whole step. The last one of an epoch may have fewer, of fewer clips.

    Args:
        size: clips in this batch.
        batch: its index in the epoch.
        batch_size: clips in a whole one.
        accumulate: batches to a whole step.
        clips: of the epoch.
    """
    whole = accumulate * batch_size
    in_step = min(whole, clips - batch // accumulate * whole)
    return accumulate * size / in_step


def _of_backbone(model: Candidate) -> Iterator[nn.Parameter]:
    return (value for name, value in _learning(model) if name.startswith("backbone."))


def _of_the_rest(model: Candidate) -> Iterator[nn.Parameter]:
    return (value for name, value in _learning(model) if not name.startswith("backbone."))


def _learning(model: Candidate) -> Iterator[tuple[str, Any]]:
    return ((name, value) for name, value in model.named_parameters() if value.requires_grad)
