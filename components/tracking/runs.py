"""MLflow runs of candidates: live while they train, rebuilt from a stage's files where they are missing.

A stage that DVC takes from its cache executes nothing, so nothing may rely on a live run being there: every
run carries the digest of its training (`KEY`), which also stands in candidate.json; registration looks it up.
"""

import csv
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from components.errors import RegistryError
from components.project import Project
from components.tracking.store import connect

KEY = "unmask.training"
CANDIDATE = "unmask.candidate"

log = logging.getLogger(__name__)


class LiveRun:
    """Curves for people to watch. A store that cannot be reached costs a warning, never the training."""

    def __init__(self, client: MlflowClient | None, run_id: str) -> None:
        self._client = client
        self.run_id = run_id
        self.whole = True  # until an epoch could not be logged

    def log(self, metrics: Mapping[str, float], step: int) -> None:
        """Log one epoch's metrics."""
        if self._client is None:
            return
        try:
            _log_epoch(self._client, self.run_id, metrics, step)
        except MlflowException as error:
            log.warning("MLflow: %s; curves stop here, training goes on", str(error).splitlines()[0])
            self._client = None
            self.whole = False


@contextmanager
def live_run(
    candidate: str, params: Mapping[str, object], key: str = "", project: Project | None = None
) -> Iterator[LiveRun]:
    """A run that is open while a candidate trains; an interrupted training goes on in the same run.

    Args:
        candidate: name of the candidate.
        params: logged as the run's parameters.
        key: digest of everything that decides the training's outcome.
        project: the project folder; the current one by default.
    """
    try:
        client, run_id = _open(project or Project(), candidate, params, key)
    except (MlflowException, RegistryError) as error:
        log.warning("%s; training goes on without live curves", str(error).splitlines()[0])
        yield LiveRun(None, "")
        return
    status = "FAILED"
    live = LiveRun(client, run_id)
    try:
        yield live
        # A run that misses epochs is not taken for the training's: registration rebuilds it.
        status = "FINISHED" if live.whole else "FAILED"
    except KeyboardInterrupt:
        status = "KILLED"
        raise
    finally:
        _close(client, run_id, status)


def ensure_run(project: Project, candidate: str, params: Mapping[str, object], key: str) -> str:
    """The finished run of a training, rebuilt from its history.csv where this MLflow never saw it.

    Raises:
        RegistryError: MLflow cannot be reached.
    """
    experiment = connect(project)
    try:
        return _rebuilt(MlflowClient(), experiment, project, candidate, params, key)
    except MlflowException as error:
        raise RegistryError(f"MLflow: {str(error).splitlines()[0]}") from error


def _rebuilt(
    client: MlflowClient,
    experiment: str,
    project: Project,
    candidate: str,
    params: Mapping[str, object],
    key: str,
) -> str:
    found = _find(client, experiment, key)
    if found is not None and found.info.status == "FINISHED":
        return str(found.info.run_id)
    run_id = _create(client, experiment, candidate, params, key)
    for row in _epochs(project.history(candidate)):
        step = int(row.pop("epoch"))
        _log_epoch(client, run_id, row, step)
    client.set_terminated(run_id, "FINISHED")
    return run_id


def _open(
    project: Project, candidate: str, params: Mapping[str, object], key: str
) -> tuple[MlflowClient, str]:
    experiment = connect(project)
    client = MlflowClient()
    found = _find(client, experiment, key) if key else None
    if found is None or found.info.status == "FINISHED":
        return client, _create(client, experiment, candidate, params, key)
    client.update_run(found.info.run_id, status="RUNNING")
    return client, str(found.info.run_id)


def _find(client: MlflowClient, experiment: str, key: str) -> Run | None:
    runs = client.search_runs(
        [experiment], f"tags.`{KEY}` = '{key}'", order_by=["attributes.start_time DESC"], max_results=50
    )
    finished = [run for run in runs if run.info.status == "FINISHED"]
    return next(iter([*finished, *runs]), None)


def _create(
    client: MlflowClient, experiment: str, candidate: str, params: Mapping[str, object], key: str
) -> str:
    run = client.create_run(experiment, run_name=candidate, tags={KEY: key, CANDIDATE: candidate})
    for name, value in params.items():
        client.log_param(run.info.run_id, name, value)
    return str(run.info.run_id)


def _log_epoch(client: MlflowClient, run_id: str, metrics: Mapping[str, float], step: int) -> None:
    for name, value in metrics.items():
        client.log_metric(run_id, name, value, step=step)


def _close(client: MlflowClient, run_id: str, status: str) -> None:
    try:
        client.set_terminated(run_id, status)
    except MlflowException as error:
        log.warning("MLflow: %s", str(error).splitlines()[0])


def _epochs(history: Path) -> list[dict[str, float]]:
    with history.open(newline="", encoding="utf-8") as file:
        return [{name: float(value) for name, value in row.items() if value} for row in csv.DictReader(file)]
