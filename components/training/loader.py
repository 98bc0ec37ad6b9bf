"""From datasets to batches, in this process or in others that work ahead of it.

Batches are the same whatever the number of processes: the sampler runs in this one, and what it asks for
tells the epoch, too.
"""

import multiprocessing
from typing import Any

import cv2
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from components.params import CandidateParams
from components.training.augmentation import augmentation
from components.training.batches import ClipBatch, WholeBatch, WholeVideos, collate
from components.training.dataset import ClipDataset, DrawnClips
from components.training.distributed import ALONE, Dealt, Processes
from components.training.sampling import EpochSampler, training_items

AHEAD = 4
"""Batches that each process prepares ahead."""


def epoch_sampler(clips: ClipDataset, settings: CandidateParams) -> EpochSampler:
    """What each epoch draws of the training clips."""
    return EpochSampler(training_items(clips.videos, settings), settings.seed, settings.hard_examples)


def training_batches(
    clips: ClipDataset,
    settings: CandidateParams,
    together: Processes = ALONE,
    sampler: EpochSampler | None = None,
) -> DataLoader[ClipBatch]:
    """Drawn and augmented clips, others in each epoch; those that fall to this process."""
    drawn = DrawnClips(clips, settings.frame_range, _augment(clips, settings), settings.seed)
    loader: DataLoader[Any] = DataLoader(
        drawn,
        together.part(settings.batch_size),
        sampler=Dealt(sampler or epoch_sampler(clips, settings), together),
        collate_fn=collate,
        **_in_others(settings.workers),
    )
    return loader


def whole_batches(
    clips: ClipDataset, batch_size: int, workers: int = 0, together: Processes = ALONE
) -> DataLoader[WholeBatch]:
    """All stored frames of all faces, of the videos that fall to this process; see `WholeVideos`."""
    whole = WholeVideos(clips, batch_size, together.rank, together.count)
    return DataLoader(whole, batch_size=None, **_in_others(workers))


def _augment(clips: ClipDataset, settings: CandidateParams) -> Any:
    return _nothing if settings.cache_features else augmentation(settings.augmentation, clips.crop_size)


def _nothing(features: Tensor) -> Tensor:
    return features


def _in_others(workers: int) -> dict[str, Any]:
    """A loader's arguments for so many processes."""
    pinned = {"pin_memory": torch.cuda.is_available()}
    if not workers:
        return pinned
    return pinned | {
        "num_workers": workers,
        "persistent_workers": True,
        "prefetch_factor": AHEAD,
        "worker_init_fn": _one_thread,
        "multiprocessing_context": _context(),
    }


def _context() -> Any:
    """How processes are started: from one without threads, which alone can be forked safely.

    A training has threads of torch, OpenCV, MLflow and the progress bar by then. `spawn`, where a system has
    nothing else, imports torch once for each process.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["components.training.loader"])
    return context


def _one_thread(worker: int) -> None:
    """Torch sees to its own threads; those of OpenCV would take the cores of other processes."""
    cv2.setNumThreads(0)
