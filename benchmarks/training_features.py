"""What it is worth to compute the features of a frozen backbone once."""

import logging
import statistics
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from benchmarks.training_clips import Stored
from benchmarks.training_watch import Epochs, timed, watched
from components.faces.clip import Faces
from components.faces.policy import CropPolicy
from components.params import CandidateParams
from components.training import features
from components.training.callbacks import ignore
from components.training.fit import fit

GAIN = 20.0
"""Of the first epoch against a later one, at least."""


class Kept(NamedTuple):
    """Seconds. An epoch is whole: its steps, its validation and its two checkpoints."""

    features: float  # of all stored frames, to learn from and to validate on
    first: float  # the first epoch, by itself
    later: float  # median of the others
    steps: float  # of these, the steps alone
    without: float  # an epoch through the backbone: median, after a first one

    @property
    def gain(self) -> float:
        """The first epoch with the features that it waits for, against a later one."""
        return (self.features + self.first) / self.later

    @property
    def gain_of_epochs(self) -> float:
        """An epoch through the backbone against one on features."""
        return self.without / self.later


def kept_features(
    settings: CandidateParams,
    policy: CropPolicy,
    taken: Sequence[tuple[Faces, int, str]],
    clips: int,
    epochs: int = 8,
) -> Kept:
    """Train with features that are kept, and the same with a backbone that sees every clip in every epoch.

    Args:
        settings: of a candidate with a frozen backbone.
        policy: of its clips.
        taken: to make them of.
        clips: to learn from.
        epochs: with features; without there are two, of which the second counts.
    """
    logging.disable(logging.WARNING)
    with TemporaryDirectory(prefix="unmask-training-") as scratch:
        stored = Stored(Path(scratch), taken, policy, clips)
        with_features = settings.model_copy(update={"cache_features": True, "epochs": epochs})
        watch, seconds = _trained(with_features, stored, Path(scratch) / "kept")
        through = settings.model_copy(update={"cache_features": False, "epochs": 2})
        other, _ = _trained(through, stored, Path(scratch) / "through")
    return Kept(
        features=sum(seconds),
        first=watch.whole[0],
        later=statistics.median(watch.whole[1:]),
        steps=statistics.median(watch.stepping[1:]),
        without=other.whole[1],
    )


def _trained(settings: CandidateParams, stored: Stored, folder: Path) -> tuple[Epochs, list[float]]:
    """Its epochs, and the seconds in which features were computed."""
    watch, seconds = Epochs(), list[float]()
    computed = timed(features.cached_features, seconds)
    patient = settings.early_stopping.model_copy(update={"patience": settings.epochs + 1})
    train, val = stored.datasets()
    with watched(watch, profiler=watch.profiler, cached_features=computed):
        fit(settings.model_copy(update={"early_stopping": patient}), train, val, folder, ignore)
    return watch, seconds
