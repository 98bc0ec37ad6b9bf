"""The study: what is asked of Optuna, and where it remembers.

A study lives in `.unmask/tune.sqlite` and is named by all that makes trials comparable. One process at a time
holds it, with its workers, so that whatever still counts as running when it is opened was interrupted.
"""

import fcntl
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner
from optuna.samplers import TPESampler
from optuna.trial import FrozenTrial, TrialState, create_trial

from components.errors import BusyError
from components.params import Metric
from components.params.tuning import Choices, Hyperband, Median, Pruner, Span, TuneParams
from components.project import Project
from components.tuning.space import Space, choice_labels

GOES_ON, PRESENT = "goes_on", "present"
"""Attributes of a trial: the number of the interrupted one that it takes up; whether it changes nothing."""

DIRECTIONS: dict[Metric, Literal["minimize", "maximize"]] = {
    "loss": "minimize",
    "auc": "maximize",
    "f1": "maximize",
    "accuracy": "maximize",
}


def database(project: Project) -> Path:
    """Returns where studies are remembered."""
    return project.root / ".unmask" / "tune.sqlite"


def study_name(name: str, training: str, space: Space, metric: Metric) -> str:
    """Names a study by candidate and by all that makes its trials comparable.

    Args:
        name: of the candidate.
        training: digest of its own settings, the videos and the code that trains.
        space: what is searched.
        metric: by which trials are compared.
    """
    spans = {key: span.model_dump(mode="json") for key, span in space.items()}
    content = json.dumps([training, spans, metric], sort_keys=True)
    return f"{name}-{hashlib.sha256(content.encode()).hexdigest()[:12]}"


@contextmanager
def held(project: Project, name: str) -> Iterator[None]:
    """Holds a study until it ends; its workers hold it with `shared`.

    Raises:
        BusyError: another process, or a worker that it left, has it.
    """
    path = _lock_file(project, name)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BusyError(f"{path}: another process tunes this; wait for it, or end it") from error
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


@contextmanager
def shared(project: Project, name: str) -> Iterator[None]:
    """Holds a study that the process above holds."""
    with _lock_file(project, name).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


def open_study(project: Project, name: str, tune: TuneParams, epochs: int) -> optuna.Study:
    """Returns the study of that name, made if there is none.

    Args:
        project: the project folder.
        name: of `study_name`.
        tune: how it searches.
        epochs: most of a trial.
    """
    return optuna.create_study(
        storage=_storage(project),
        study_name=name,
        load_if_exists=True,
        direction=DIRECTIONS[tune.metric],
        pruner=pruner(tune.pruner, epochs),
    )


def earlier_trials(project: Project, name: str) -> list[FrozenTrial]:
    """Returns the trials of a study, without making one."""
    if not database(project).exists():
        return []
    storage = _storage(project)
    if name not in optuna.get_all_study_names(storage):
        return []
    return optuna.load_study(study_name=name, storage=storage).get_trials()


def other_studies(project: Project, candidate: str, name: str) -> list[str]:
    """Studies of the same candidate whose trials cannot be compared with this one's."""
    if not database(project).exists():
        return []
    names = optuna.get_all_study_names(_storage(project))
    return [study for study in names if study.rpartition("-")[0] == candidate and study != name]


def pruner(settings: Pruner, epochs: int) -> BasePruner:
    """Returns what ends a trial early."""
    if isinstance(settings, Median):
        return MedianPruner(n_startup_trials=settings.startup, n_warmup_steps=settings.warmup_epochs)
    if isinstance(settings, Hyperband):
        return HyperbandPruner(
            min_resource=min(settings.least_epochs, epochs),
            max_resource=epochs,
            reduction_factor=settings.factor,
        )
    return NopPruner()


def distribution(span: Span) -> BaseDistribution:
    """Returns a span in Optuna's terms."""
    if isinstance(span, Choices):
        return CategoricalDistribution(list(choice_labels(span)))
    if span.whole:
        return IntDistribution(int(span.low), int(span.high), log=span.log)
    return FloatDistribution(float(span.low), float(span.high), log=span.log)


def begin(study: optuna.Study, present: Mapping[str, Any], space: Space) -> None:
    """Makes a study ready: its first trial is of the present settings; interrupted ones wait again.

    Args:
        study: held by this process.
        present: the candidate's own settings; some are missing where the space does not hold them.
        space: what is searched.
    """
    if not study.get_trials(deepcopy=False) and set(present) == set(space):
        study.enqueue_trial(dict(present), user_attrs={PRESENT: True})
    for trial in study.get_trials(states=(TrialState.RUNNING,)):
        requeue(study, trial.number)


def requeue(study: optuna.Study, number: int) -> None:
    """Lets an interrupted trial wait for its turn, with the epochs that it has reported."""
    trials = study.get_trials()
    trial = trials[number]
    if number not in taken_up(trials):  # a kill in between leaves it running, with its heir waiting
        heir = create_trial(
            state=TrialState.WAITING,
            params=trial.params,
            distributions=trial.distributions,
            user_attrs={**trial.user_attrs, GOES_ON: number},
            system_attrs=trial.system_attrs,  # what was enqueued, if it was killed before it could be told
            intermediate_values=trial.intermediate_values,
        )
        study.add_trial(heir)
    study.tell(number, state=TrialState.FAIL)


def taken_up(trials: Sequence[FrozenTrial]) -> set[int]:
    """Numbers of the interrupted trials that another one takes up."""
    return {trial.user_attrs[GOES_ON] for trial in trials if GOES_ON in trial.user_attrs}


def begun(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """Trials that have run or are running, each once however often it was interrupted."""
    interrupted = taken_up(trials)
    return [
        trial for trial in trials if trial.state != TrialState.WAITING and trial.number not in interrupted
    ]


def claim(
    study: optuna.Study, space: Space, tune: TuneParams, target: int, lock: Callable[[], Any]
) -> optuna.Trial | None:
    """Returns the next trial, or None where as many as wanted have begun.

    The sampler draws by the seed and by how many trials came before, so that an interrupted study goes on as
    if nothing had happened.

    Args:
        study: shared by all workers.
        space: what is searched.
        tune: how.
        target: so many trials in all.
        lock: makes a context in which one worker at a time asks.
    """
    with lock():
        before = len(begun(study.get_trials(deepcopy=False)))
        if before >= target:
            return None
        seed = int(np.random.SeedSequence((tune.seed, before)).generate_state(1)[0])
        study.sampler = TPESampler(seed=seed, n_startup_trials=tune.random)
        return study.ask({key: distribution(span) for key, span in space.items()})


@contextmanager
def one_at_a_time(project: Project, name: str) -> Iterator[None]:
    """Among the workers of a study."""
    with _lock_file(project, f"{name}.ask").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _lock_file(project: Project, name: str) -> Path:
    folder = project.scratch / "tuning"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}.lock"


def _storage(project: Project) -> optuna.storages.RDBStorage:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    path = database(project)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Workers write at the same time; SQLite lets one wait for the other.
    patience = {"connect_args": {"timeout": 60}}
    return optuna.storages.RDBStorage(f"sqlite:///{path.resolve()}", engine_kwargs=patience)
