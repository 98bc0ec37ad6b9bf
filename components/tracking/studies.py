"""MLflow runs of a search for settings: the study is the parent, each trial a child.

As with trainings, a store that cannot be reached costs a warning, never a trial.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from components.errors import RegistryError
from components.project import Project
from components.tracking.runs import CANDIDATE, LiveRun
from components.tracking.store import connect

STUDY = "unmask.study"
STATE = "unmask.trial"

ENDS = {"complete": "FINISHED", "pruned": "KILLED", "interrupted": "KILLED"}
"""MLflow's word for what became of a trial; every other end is a failure."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StudyRun:
    """What the runs of one study have in common; without `run_id` there is no MLflow."""

    project: Project
    candidate: str
    name: str
    run_id: str = ""


class TrialRun(LiveRun):
    """The curves of one trial."""

    def __init__(self, client: MlflowClient | None, run_id: str) -> None:
        super().__init__(client, run_id)
        self._state = "failed"

    def end(self, state: str, metrics: Mapping[str, float]) -> None:
        """Says what became of the trial, and what its best epoch was like."""
        self._state = state
        self.log({f"best_{name}": value for name, value in metrics.items()}, 0)

    @property
    def state(self) -> str:
        return self._state


@contextmanager
def study_run(study: StudyRun, params: Mapping[str, object]) -> Iterator[StudyRun]:
    """Yields the parent run, open while the study goes on; the same study goes on in the same run."""
    try:
        client, run_id = _open(study, params)
    except (MlflowException, RegistryError) as error:
        log.warning("%s; the search goes on without MLflow", _first_line(error))
        yield study
        return
    status = "FAILED"
    try:
        yield StudyRun(study.project, study.candidate, study.name, run_id)
        status = "FINISHED"
    except KeyboardInterrupt:
        status = "KILLED"
        raise
    finally:
        _terminate(client, run_id, status)


@contextmanager
def trial_run(
    study: StudyRun, number: int, params: Mapping[str, object], earlier: str = ""
) -> Iterator[TrialRun]:
    """Yields a child run, open while its trial trains.

    Args:
        study: with the id of its run.
        number: of the trial.
        params: the settings that the study chose for it.
        earlier: the run of the interrupted trial that goes on in this one.
    """
    client, run_id = _open_trial(study, number, params, earlier)
    run = TrialRun(client, run_id)
    try:
        yield run
    except KeyboardInterrupt:
        run.end("interrupted", {})
        raise
    finally:
        if client is not None:
            _terminate(client, run_id, ENDS.get(run.state, "FAILED"), {STATE: run.state})


def log_outcome(study: StudyRun, metrics: Mapping[str, float], files: Iterable[Path]) -> None:
    """Logs what a study has found, beside its run."""
    if not study.run_id:
        return
    try:
        connect(study.project)
        client = MlflowClient()
        for name, value in metrics.items():
            client.log_metric(study.run_id, name, value)
        for file in files:
            client.log_artifact(study.run_id, str(file))
    except (MlflowException, RegistryError, OSError) as error:
        log.warning("MLflow: %s", _first_line(error))


def _open(study: StudyRun, params: Mapping[str, object]) -> tuple[MlflowClient, str]:
    experiment = connect(study.project)
    client = MlflowClient()
    runs = client.search_runs([experiment], f"tags.`{STUDY}` = '{study.name}'", max_results=1)
    if runs:
        client.update_run(runs[0].info.run_id, status="RUNNING")
        return client, str(runs[0].info.run_id)
    tags = {STUDY: study.name, CANDIDATE: study.candidate}
    run = client.create_run(experiment, run_name=f"tune {study.candidate}", tags=tags)
    for name, value in params.items():
        client.log_param(run.info.run_id, name, value)
    return client, str(run.info.run_id)


def _open_trial(
    study: StudyRun, number: int, params: Mapping[str, object], earlier: str
) -> tuple[MlflowClient | None, str]:
    if not study.run_id:
        return None, ""
    try:
        experiment = connect(study.project)
        client = MlflowClient()
        if earlier and _reopened(client, earlier):
            return client, earlier
        tags = {MLFLOW_PARENT_RUN_ID: study.run_id, CANDIDATE: study.candidate}
        run = client.create_run(experiment, run_name=f"{study.candidate} {number}", tags=tags)
        for name, value in params.items():
            client.log_param(run.info.run_id, name, value)
    except (MlflowException, RegistryError) as error:
        log.warning("MLflow: %s; trial %d goes on without curves", _first_line(error), number)
        return None, ""
    return client, str(run.info.run_id)


def _reopened(client: MlflowClient, run_id: str) -> bool:
    try:
        client.update_run(run_id, status="RUNNING")
    except MlflowException:  # another store, or it was deleted
        return False
    return True


def _terminate(client: MlflowClient, run_id: str, status: str, tags: Mapping[str, str] | None = None) -> None:
    try:
        for name, value in (tags or {}).items():
            client.set_tag(run_id, name, value)
        client.set_terminated(run_id, status)
    except MlflowException as error:
        log.warning("MLflow: %s", _first_line(error))


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
