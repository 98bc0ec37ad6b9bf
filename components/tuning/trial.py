"""One trial: a training with suggested settings, which may be ended early."""

import hashlib
import math
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import optuna
import torch
from optuna.trial import TrialState

from components.params import CandidateParams
from components.params.tuning import TuneParams
from components.project import Project
from components.training.check import of_candidate
from components.training.dataset import ClipDataset
from components.training.fit import fit
from components.tuning.results import BEST, END
from components.tuning.space import Space, suggested_settings
from components.tuning.study import PRESENT, requeue

if TYPE_CHECKING:
    from components.tracking.studies import StudyRun, TrialRun

RUN = "run"
"""Attribute of a trial: its MLflow run, in which it goes on after an interruption."""


@dataclass(frozen=True)
class Bench:
    """What all trials of a study have in common."""

    project: Project
    candidate: str
    study: str  # its name
    settings: CandidateParams  # the candidate's own
    tune: TuneParams
    space: Space
    train: ClipDataset
    val: ClipDataset
    run: "StudyRun"


class _DivergedError(Exception):
    """The validation loss is not a number any more."""


class _Ended(NamedTuple):
    state: str
    value: float | None = None
    best: Mapping[str, float] = {}


def run_trial(bench: Bench, study: optuna.Study, trial: optuna.Trial) -> None:
    """Trains with what the trial suggests, and tells the study how good it was.

    Interrupted, the trial is put back, and its next turn goes on from its last epoch.

    Args:
        bench: what is trained, and on what.
        study: that suggested it.
        trial: fresh, or one that goes on.

    Raises:
        UnmaskError: the settings cannot be trained; the trial counts as failed.
        KeyboardInterrupt: by Ctrl-C.
    """
    from components.tracking.studies import trial_run  # noqa: PLC0415 - mlflow takes seconds to import

    folder = bench.project.scratch / "tuning" / bench.study
    try:
        settings = _settings(bench, trial)
        folder /= _digest(settings)
        with trial_run(bench.run, trial.number, trial.params, trial.user_attrs.get(RUN, "")) as run:
            trial.set_user_attr(RUN, run.run_id)
            ended = _trained(bench, trial, settings, folder, run)
            run.end(ended.state, ended.best)
    except KeyboardInterrupt:
        requeue(study, trial.number)
        raise
    except Exception:
        study.tell(trial, state=TrialState.FAIL)
        raise
    trial.set_user_attr(END, ended.state)
    trial.set_user_attr(BEST, dict(ended.best))
    study.tell(trial, ended.value, None if ended.state == "complete" else TrialState.PRUNED)
    shutil.rmtree(folder, ignore_errors=True)


def _settings(bench: Bench, trial: optuna.Trial) -> CandidateParams:
    if trial.user_attrs.get(PRESENT):
        return bench.settings
    return suggested_settings(bench.settings, bench.space, trial.params)


def _trained(
    bench: Bench,
    trial: optuna.Trial,
    settings: CandidateParams,
    folder: Path,
    run: "TrialRun",
) -> _Ended:
    known = _reported(trial)

    def on_epoch(metrics: Mapping[str, float], epoch: int) -> None:
        run.log(metrics, epoch)
        if not math.isfinite(metrics["val_loss"]):
            raise _DivergedError
        step = epoch - 1  # pruners count from 0
        if step not in known:  # it was, if a kill came between this and the checkpoint
            trial.report(metrics[f"val_{bench.tune.metric}"], step)
        if trial.should_prune():
            raise optuna.TrialPruned

    try:
        features = folder.parent / "features"  # of a frozen backbone: the same for all trials
        with of_candidate(bench.project.params, bench.candidate):
            fitted = fit(settings, bench.train, bench.val, folder, on_epoch, features)
    except optuna.TrialPruned:
        return _Ended("pruned")
    except (_DivergedError, torch.OutOfMemoryError) as error:
        # Told as not a number, the sampler keeps away from these; of a failure it would learn nothing.
        trial.report(math.nan, max(_reported(trial), default=-1) + 1)
        return _Ended("diverged" if isinstance(error, _DivergedError) else "out of memory")
    best: Any = {**fitted.best.metrics, "epoch": fitted.best.epoch}
    return _Ended("complete", best[f"val_{bench.tune.metric}"], best)


def _reported(trial: optuna.Trial) -> set[int]:
    """Epochs of which the study knows."""
    return set(trial.study.get_trials(deepcopy=False)[trial.number].intermediate_values)


def _digest(settings: CandidateParams) -> str:
    return hashlib.sha256(settings.model_dump_json().encode()).hexdigest()[:16]
