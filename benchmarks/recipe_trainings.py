"""Trainings that show whether a recipe can learn at all, and whether it learns what it must not.

Networks, losses, optimisers, rates and schedules are a recipe's own; pictures, batches and clips are small,
and training starts at random. No early stopping: an epoch here is a few steps. A frozen backbone of random
weights gets batch statistics of pictures, as one that has learnt would have: with those it is made with, all
that it sees is alike.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from unittest.mock import patch

import numpy as np
import torch

from benchmarks.recipe_clips import Made, dataset
from benchmarks.recipe_steps import quiet, settle
from components.models import Candidate, create
from components.params import CandidateParams, Network, Params
from components.params.training import EarlyStopping
from components.training.callbacks import ignore
from components.training.dataset import ClipDataset
from components.training.fit import fit
from components.training.losses import clip_losses

CLIPS = 8
ENOUGH = 0.99
"""AUC at which clips count as known by heart."""

IN_A_ROW = 3
"""Epochs in which it must be so: of eight clips, one order in seventy is right by chance."""

STEPS = 4
"""Of an epoch."""

TRAINED, VALIDATED = 32, 150
"""People of the shuffled training and validation videos, two videos each."""

SHUFFLED_EPOCHS = 15
"""With five, Xception had not learnt right labels either (AUC .576); with 15 it has (.966)."""


class Trained(NamedTuple):
    """How far it came."""

    auc: float  # of the last epoch
    best: float  # the highest of all epochs
    loss: float
    epochs: int
    steps: int


class Known(Exception):  # noqa: N818 - no error: the end of a training
    """All clips are known by heart."""


def overfit(params: Params, name: str, epochs: int) -> Trained:
    """Learn eight clips by heart, whose labels nothing but their pictures tells.

    No forgeries are made of them: those would be others each time.

    Args:
        params: with the recipe, reduced.
        name: of the candidate.
        epochs: at most; the schedule is laid out for so many.
    """
    own = params.candidates[name].model_copy(update={"learn_from": "all", "self_blended": 0.0})
    settings = short(own, epochs)
    frames = params.faces.sampling.lengths
    lengths = np.linspace(*frames, CLIPS).round().astype(int).tolist()
    rows = [(Made(person, frames=lengths[person]), person % 2) for person in range(CLIPS)]
    in_epoch = rows * (STEPS * settings.accumulate * settings.batch_size // CLIPS)
    train, val = dataset(in_epoch, "train", params.faces), dataset(rows, "val", params.faces)
    seen = list[Mapping[str, float]]()
    chance = float(clip_losses(settings.loss, torch.zeros(2, 2), torch.tensor([0, 1])).mean())

    def on_epoch(metrics: Mapping[str, float], epoch: int) -> None:
        seen.append(metrics)
        last = seen[-IN_A_ROW:]
        if len(last) == IN_A_ROW and all(
            one["val_auc"] >= ENOUGH and one["val_loss"] < chance for one in last
        ):
            raise Known

    with suppress(Known):
        _fit(settings, train, val, on_epoch)
    best = max(one["val_auc"] for one in seen)
    return Trained(seen[-1]["val_auc"], best, seen[-1]["val_loss"], len(seen), STEPS * len(seen))


def shuffled(params: Params, name: str, really: bool = True) -> Trained:
    """Learn from labels that mean nothing, and evaluate other people by such labels, too.

    Every person has a video as it is and one with a patch; which of them is called forged is drawn.

    Args:
        params: with the recipe, reduced.
        name: of the candidate.
        really: false leaves the labels right, to see that there is something to learn.
    """
    settings = short(params.candidates[name], SHUFFLED_EPOCHS)
    rng = np.random.default_rng(17)
    frames = params.faces.sampling.lengths[0]

    def rows(people: Sequence[int]) -> list[tuple[Made, int]]:
        swapped = rng.integers(0, 2, len(people)) if really else np.zeros(len(people), int)
        return [
            (Made(person, "patch" if forged else "", frames), int(forged ^ swap))
            for person, swap in zip(people, swapped, strict=True)
            for forged in (0, 1)
        ]

    learnt = rows(range(TRAINED))
    if settings.learn_from == "genuine":
        learnt = [row for row in learnt if row[1] == 0]
    train = dataset(learnt, "train", params.faces)
    val = dataset(rows(range(1000, 1000 + VALIDATED)), "val", params.faces)
    history = _fit(settings, train, val, ignore)
    best = max(epoch.val_auc for epoch in history)
    return Trained(history[-1].val_auc, best, history[-1].val_loss, len(history), 0)


def short(settings: CandidateParams, epochs: int) -> CandidateParams:
    """So many epochs, all of them."""
    stopping = EarlyStopping(metric=settings.early_stopping.metric, patience=epochs)
    return settings.model_copy(update={"epochs": epochs, "early_stopping": stopping})


def _fit(settings: CandidateParams, train: ClipDataset, val: ClipDataset, on_epoch: object) -> Sequence:
    def made(network: Network, side: int | None = None) -> Candidate:
        model = create(network, side)
        if getattr(network, "freeze", False):
            settle(model, torch.stack([train[index][0][0, :2] for index in range(CLIPS)]))
        return model

    with TemporaryDirectory() as folder, quiet(), patch("components.training.fit.create", made):
        return fit(settings, train, val, Path(folder), on_epoch).history
