"""Trials one after another: in this process, or in several that share the study."""

import logging
import multiprocessing
import os
import signal
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from multiprocessing.process import BaseProcess
from multiprocessing.queues import SimpleQueue
from pathlib import Path

import optuna

from components.errors import TrainingError, UnmaskError
from components.params import Metric
from components.parent import end_with_parent
from components.tuning.results import Tried, finished, line, tried
from components.tuning.study import claim, one_at_a_time, open_study, shared
from components.tuning.trial import Bench, run_trial

log = logging.getLogger(__name__)

OnTrial = Callable[[Tried, Sequence[Tried]], None]
"""Takes a finished trial, and all of them."""

POLL = 0.5
"""Seconds between two looks at the study that workers share."""


def work(bench: Bench, target: int, on_trial: OnTrial) -> None:
    """Runs trials in this process until as many as wanted have begun.

    Args:
        bench: what is trained, and on what.
        target: so many trials in all.
        on_trial: gets each finished one.

    Raises:
        UnmaskError: settings that cannot be trained.
    """
    study = open_study(bench.project, bench.study, bench.tune, bench.settings.epochs)
    alone = partial(one_at_a_time, bench.project, bench.study)
    while (trial := claim(study, bench.space, bench.tune, target, alone)) is not None:
        run_trial(bench, study, trial)
        trials = tried(study.get_trials(deepcopy=False))
        on_trial(trials[trial.number], trials)


def work_side_by_side(bench: Bench, target: int, jobs: int, on_trial: OnTrial) -> None:
    """The same in so many processes. What they say stands in `worker-N.log` beside the trials' checkpoints.

    Raises:
        UnmaskError: of the first worker that met one; the others are stopped.
        TrainingError: a worker ended badly.
    """
    context = multiprocessing.get_context("spawn")
    errors: SimpleQueue[UnmaskError] = context.SimpleQueue()
    folder = bench.project.scratch / "tuning" / bench.study
    folder.mkdir(parents=True, exist_ok=True)
    logs = [folder / f"worker-{number}.log" for number in range(jobs)]
    workers = [context.Process(target=_worker, args=(bench, target, errors, path)) for path in logs]
    study = open_study(bench.project, bench.study, bench.tune, bench.settings.epochs)
    with _running(workers):
        _watch(study, workers, on_trial)
    if not errors.empty():
        raise errors.get()
    for worker, path in zip(workers, logs, strict=True):
        if worker.exitcode:
            raise TrainingError(f"{path}: a worker ended with {worker.exitcode}; its log says why")


def tell(target: int, metric: Metric) -> OnTrial:
    """Logs a line for each trial."""

    def told(trial: Tried, trials: Sequence[Tried]) -> None:
        log.info("%s", line(trial, trials, metric, target))

    return told


def _watch(study: optuna.Study, workers: Sequence[BaseProcess], on_trial: OnTrial) -> None:
    """Until all workers have ended, or one badly."""
    seen = {trial.number for trial in finished(tried(study.get_trials(deepcopy=False)))}
    alive = True
    while alive:
        alive = any(worker.is_alive() for worker in workers) and not any(
            worker.exitcode for worker in workers
        )
        time.sleep(POLL if alive else 0)
        trials = tried(study.get_trials(deepcopy=False))
        for trial in finished(trials):
            if trial.number not in seen:
                on_trial(trial, trials)
        seen |= {trial.number for trial in finished(trials)}


@contextmanager
def _running(workers: Sequence[BaseProcess]) -> Iterator[None]:
    """Workers that end with the block; interrupted ones put their trial back."""
    try:
        for worker in workers:
            worker.start()
        yield
    finally:
        for worker in workers:
            if worker.pid is not None and worker.is_alive():
                os.kill(worker.pid, signal.SIGINT)
        for worker in workers:
            if worker.pid is not None:
                worker.join()


def _worker(bench: Bench, target: int, errors: "SimpleQueue[UnmaskError]", path: Path) -> None:
    end_with_parent()
    os.setsid()  # Ctrl-C comes once, from the process that waits
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    sink = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(sink, 1)
    os.dup2(sink, 2)
    try:
        with shared(bench.project, bench.study):
            work(bench, target, lambda one, trials: None)
    except KeyboardInterrupt:
        pass
    except UnmaskError as error:
        errors.put(error)
        raise SystemExit(2) from error
    except Exception as error:
        traceback.print_exc()
        raise SystemExit(1) from error
