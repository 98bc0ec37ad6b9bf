"""What happens in a training, with the time of it: `components.training.fit.fit` as it is, watched."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import lightning.pytorch as lightning
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.profilers import Profiler

from components.training import fit as fitting

FETCH = "[_TrainingEpochLoop].train_dataloader_next"
STEP = "run_training_batch"
BACKWARD_AND_STEP = "optimizer_step"
"""Lightning's names of what it does."""


def now() -> float:
    """Seconds, when the GPU has done what it was told."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


def spent() -> float:
    """Seconds of a GPU's time; of a CPU's those of this process, which others on the machine change less."""
    return now() if torch.cuda.is_available() else time.process_time()


class Epochs(Callback):
    """Seconds of each epoch: waiting for batches, steps, and all of it until the next one begins."""

    def __init__(self) -> None:
        self.waiting: list[float] = []
        self.stepping: list[float] = []
        self.whole: list[float] = []
        self.began = 0.0  # the first one
        self._spent = Spent()
        self._epoch = 0.0

    @property
    def profiler(self) -> Profiler:
        """That Lightning is to be given."""
        return self._spent

    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
        self._close()
        self._epoch = now()
        self.began = self.began or self._epoch
        self._spent.seconds.clear()

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        self._close()

    def _close(self) -> None:
        if self._epoch:
            self.waiting.append(self._spent.seconds[FETCH])
            self.stepping.append(self._spent.seconds[STEP])
            self.whole.append(now() - self._epoch)
            self._epoch = 0.0


class Spent(Profiler):
    """Seconds by what they were spent on, of waiting and of steps alone."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: dict[str, float] = defaultdict(float)
        self._began: dict[str, float] = {}

    def start(self, action_name: str) -> None:
        if action_name in (FETCH, STEP):
            self._began[action_name] = now()

    def stop(self, action_name: str) -> None:
        if action_name in (FETCH, STEP):
            self.seconds[action_name] += now() - self._began[action_name]


@contextmanager
def watched(*callbacks: Callback, profiler: Profiler | None = None, **replaced: Any) -> Iterator[None]:
    """`fit` with more callbacks, a profiler, and some of what it calls replaced, by name."""

    def trainer(**told: Any) -> lightning.Trainer:
        told["callbacks"] = [*told["callbacks"], *callbacks]
        return lightning.Trainer(**told, profiler=profiler)

    with patch.multiple(fitting, Trainer=trainer, **replaced):
        yield


def timed(work: Callable[..., Any], seconds: list[float]) -> Callable[..., Any]:
    """A function that also notes how long it took."""

    def told(*arguments: Any, **named: Any) -> Any:
        start = now()
        found = work(*arguments, **named)
        seconds.append(now() - start)
        return found

    return told
