"""Processes that prepare clips ahead of a training. They import this, so it imports little."""

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import cv2
import torch

from components.errors import UnmaskError
from components.parent import end_with_parent

PREFETCH_BATCHES = 4
"""Batches that each process prepares ahead."""

NEEDED = ["components.training.augmentation", "components.training.batches", "components.training.decoded"]
"""What is imported once, for all processes."""


def loading(workers: int) -> dict[str, Any]:
    """Returns a loader's arguments for so many processes."""
    pinned = {"pin_memory": torch.cuda.is_available()}
    if not workers:
        return pinned
    return pinned | {
        "num_workers": workers,
        "persistent_workers": True,
        "prefetch_factor": PREFETCH_BATCHES,
        "worker_init_fn": _begin,
        "multiprocessing_context": _context(),
    }


@contextmanager
def told_plainly() -> Iterator[None]:
    """Errors of these processes in their own words, without the traceback that torch makes their message."""
    try:
        yield
    except UnmaskError as error:
        if not str(error).startswith("Caught "):
            raise
        last = str(error).strip().splitlines()[-1]  # "components.errors.DataError: …"
        raise type(error)(last.partition(": ")[2]) from None


def _context() -> Any:
    """Returns how processes are started: from one without threads, which alone can be forked safely.

    A training has threads of torch, OpenCV, MLflow and the progress bar by then. `spawn`, where a system has
    nothing else, imports torch once for each process.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(NEEDED)
    return context


def _begin(worker: int) -> None:
    """Torch sees to its own threads; those of OpenCV would take the cores of other processes."""
    cv2.setNumThreads(0)
    end_with_parent()  # torch watches the process that this one was forked from instead
