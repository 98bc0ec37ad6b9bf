"""How fast clips come, and how fast they are learnt from."""

import logging
import resource
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import torch

from benchmarks.training_clips import Stored
from benchmarks.training_watch import Epochs, now, watched
from components.faces.clip import Faces
from components.faces.policy import CropPolicy
from components.params import CandidateParams
from components.training.callbacks import ignore
from components.training.dataset import ClipDataset
from components.training.distributed import SINGLE_PROCESS
from components.training.features import cached_features
from components.training.fit import build_candidate, fit, prepare_torch
from components.training.loader import epoch_sampler, training_batches
from components.training.sampling import Draw, EpochSampler

AHEAD = 8
"""Clips with which a loader's processes are woken up before they are timed."""


class Rates(NamedTuple):
    """Of one candidate. Clips are drawn clips, a forgery made while training counted like any other."""

    step: float  # clips/s that are learnt from, with the batches there
    cold: dict[int, float]  # clips/s by workers: decoded for the first time, and kept decoded
    warm: dict[int, float]  # the same clips again
    waiting: dict[int, tuple[float, float]]  # share of the first epoch and of the others, by workers
    resident: float  # GB, the most that the training process had
    reserved: float  # GB of GPU memory, the most that was allocated; 0 without a GPU


def rates(
    settings: CandidateParams,
    policy: CropPolicy,
    taken: Sequence[tuple[Faces, int, str]],
    clips: int,
    loaded: int,
    workers: Sequence[int],
    epochs: int = 3,
) -> Rates:
    """Train for some epochs with each number of workers, then load without training.

    Args:
        settings: of the candidate.
        policy: of its clips.
        taken: to make them of.
        clips: of an epoch of training.
        loaded: of an epoch that only loads.
        workers: numbers of processes.
        epochs: of a training. The first one reads what is not decoded; steps are timed in the others.
    """
    logging.disable(logging.WARNING)
    settings = settings.model_copy(update={"epochs": epochs})
    with TemporaryDirectory(prefix="unmask-training-") as scratch:
        place = Path(scratch)
        stored = Stored(place, taken, policy, max(clips, loaded))
        trained = {count: _trained(settings, stored, clips, count, place) for count in workers}
        draws = _draws(settings, stored, clips)
        resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
        reserved = torch.cuda.max_memory_allocated() / 1e9 if torch.cuda.is_available() else 0.0
        found = {count: _loaded(settings, stored, count, place) for count in workers}
    return Rates(
        step=draws / statistics.median(trained[workers[0]].stepping[1:]),
        cold={count: cold for count, (cold, _) in found.items()},
        warm={count: warm for count, (_, warm) in found.items()},
        waiting={count: _waiting(watch) for count, watch in trained.items()},
        resident=resident,
        reserved=reserved,
    )


def _draws(settings: CandidateParams, stored: Stored, clips: int) -> int:
    """Of an epoch: forgeries that are made on the way count, too."""
    train, _ = stored.datasets(most=clips)
    return len(epoch_sampler(train, settings))


def _trained(settings: CandidateParams, stored: Stored, clips: int, workers: int, place: Path) -> Epochs:
    train, val = stored.datasets(cold=True, most=clips)
    watch = Epochs()
    with watched(watch, profiler=watch.profiler):
        fit(
            settings.model_copy(update={"workers": workers}),
            train,
            val,
            place / f"training{workers}",
            ignore,
            place / "features",
        )
    return watch


def _waiting(watch: Epochs) -> tuple[float, float]:
    """Share of the time of batches: of the first epoch, of all others."""
    shares = [
        waiting / (waiting + stepping)
        for waiting, stepping in zip(watch.waiting, watch.stepping, strict=True)
    ]
    return shares[0], statistics.median(shares[1:])


class Rows(EpochSampler):
    """Draws of the clips from `first` on; before, of those that only wake the processes."""

    def __init__(self, clips: ClipDataset, settings: CandidateParams) -> None:
        super().__init__(epoch_sampler(clips, settings).items, settings.seed)
        self._forged = settings.self_blended > 0
        self.rows = range(0)

    def __len__(self) -> int:
        return len(self.rows) * (2 if self._forged else 1)

    def __iter__(self) -> Iterator[Draw]:
        for row in self.rows:
            yield Draw(0, row)
            if self._forged:
                yield Draw(0, row, forged=True)


def _loaded(settings: CandidateParams, stored: Stored, workers: int, place: Path) -> tuple[float, float]:
    """Clips/s, of clips that are not decoded yet and of the same ones again."""
    clips, _ = stored.datasets(cold=True)
    settings = settings.model_copy(update={"workers": workers})
    prepare_torch(settings)
    if settings.cache_features:
        clips = cached_features(build_candidate(settings, clips), clips, settings, place / "features")
    rows = Rows(clips, settings)
    loader = training_batches(clips, settings, SINGLE_PROCESS, rows)

    def epoch(chosen: range) -> float:
        rows.rows = chosen
        start = now()
        for _ in loader:
            pass
        return len(rows) / (now() - start)

    awake = min(AHEAD, len(clips) // 2)
    epoch(range(awake))
    measured = range(awake, len(clips))
    return epoch(measured), statistics.median(epoch(measured) for _ in range(3))
