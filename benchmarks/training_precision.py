"""The same training in two precisions."""

import logging
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import torch

from benchmarks.training_clips import labelled
from benchmarks.training_watch import Epochs, watched
from components.faces.clip import Faces
from components.faces.policy import CropPolicy
from components.params import CandidateParams
from components.params.training import Precision
from components.training.callbacks import ignore
from components.training.fit import fit
from components.training.history import Epoch


class Precise(NamedTuple):
    """What came of a training, from the same start and the same draws."""

    best: Epoch
    last: Epoch
    step: float  # seconds that the steps of an epoch took, at best
    reserved: float  # GB of GPU memory


def precisely(
    settings: CandidateParams,
    policy: CropPolicy,
    taken: Sequence[tuple[Faces, int, str]],
    precision: Precision,
    epochs: int,
) -> Precise:
    """Train on clips with the labels that they have; other people are there to validate on."""
    logging.disable(logging.WARNING)
    settings = settings.model_copy(update={"precision": precision, "epochs": epochs})
    watch = Epochs()
    with TemporaryDirectory(prefix="unmask-training-") as scratch:
        train, val = labelled(Path(scratch) / "clips", taken, policy)
        with watched(watch, profiler=watch.profiler):
            fitted = fit(settings, train, val, Path(scratch) / "training", ignore)
    reserved = torch.cuda.max_memory_allocated() / 1e9 if torch.cuda.is_available() else 0.0
    return Precise(fitted.best, fitted.history[-1], min(watch.stepping), reserved)
