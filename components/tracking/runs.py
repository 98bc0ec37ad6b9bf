"""MLflow runs of candidates: live while they train, rebuilt from a stage's files where they are missing.

A stage that DVC takes from its cache executes nothing, so nothing may rely on a live run being there: every
run carries the digest of its training (`TRAINING_KEY`), which also stands in candidate.json; registration
looks it up.
"""

import csv
import json
import logging
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, Run, RunTag
from mlflow.exceptions import MlflowException

from components.errors import RegistryError
from components.project import Project
from components.tracking.store import connect
from components.tracking.system import system_metrics
from components.tracking.training_data import read_training_data

TRAINING_KEY = "unmask.training"
CANDIDATE = "unmask.candidate"
DATA = "unmask.data"
CROP = "unmask.crop"
ORIGIN = "unmask.pretrained"
"""Where the weights started that were trained: `random`, `loaded` or `bundled`; an ensemble: `by member`."""

LONGEST_VALUE = 500
"""Characters of a parameter; stores differ in how many they take, and all take as many."""

PARAMS_AT_A_TIME = 100
"""The most that MLflow takes at once."""

log = logging.getLogger(__name__)


class LiveRun:
    """Curves for people to watch. A store that cannot be reached costs a warning, never the training."""

    def __init__(self, client: MlflowClient | None, run_id: str) -> None:
        self._client = client
        self.run_id = run_id
        self.whole = True  # until an epoch could not be logged

    def log(self, metrics: Mapping[str, float], step: int) -> None:
        """Logs one epoch's metrics."""
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
    """Yields a run that is open while a candidate trains; an interrupted training goes on in the same run.

    The use of processor, memory and GPU is logged beside the metrics, unless
    `MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING` is false.

    Args:
        candidate: name of the candidate.
        params: logged as the run's parameters, sections as `optimizer.lr`.
        key: digest of everything that decides the training's outcome.
        project: the project folder; the current one by default.
    """
    project = project or Project()
    try:
        client, run_id = _open(project, candidate, params, key)
    except (MlflowException, RegistryError) as error:
        log.warning("%s; training goes on without live curves", str(error).splitlines()[0])
        yield LiveRun(None, "")
        return
    status = "FAILED"
    live = LiveRun(client, run_id)
    try:
        with system_metrics(run_id):
            yield live
        _keep_results(client, run_id, project, candidate)
        # A run that misses epochs is not taken for the training's: registration rebuilds it.
        status = "FINISHED" if live.whole else "FAILED"
    except KeyboardInterrupt:
        status = "KILLED"
        raise
    finally:
        _close(client, run_id, status)


def ensure_run(project: Project, candidate: str, params: Mapping[str, object], key: str) -> str:
    """Returns the finished run of a training, rebuilt from its history.csv where this MLflow never saw it.

    Raises:
        RegistryError: MLflow cannot be reached.
    """
    experiment = connect(project)
    try:
        return _rebuilt(MlflowClient(), experiment, project, candidate, params, key)
    except MlflowException as error:
        raise RegistryError(f"MLflow: {str(error).splitlines()[0]}") from error


def log_results(project: Project, run_id: str, results: Mapping[str, float]) -> None:
    """Logs what was measured on a finished run's weights; what it has already is not logged again.

    Raises:
        RegistryError: MLflow cannot be reached.
    """
    connect(project)
    client = MlflowClient()
    try:
        known = client.get_run(run_id).data.metrics
        _log_epoch(
            client, run_id, {name: value for name, value in results.items() if known.get(name) != value}, 0
        )
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
    run = _find(client, experiment, key)
    if run is not None and run.info.status == "FINISHED":
        return str(run.info.run_id)
    run_id = _create(client, experiment, project, candidate, params, key)
    for row in _epochs(project.history(candidate)):
        step = int(row.pop("epoch"))
        _log_epoch(client, run_id, row, step)
    _keep_results(client, run_id, project, candidate)
    client.set_terminated(run_id, "FINISHED")
    return run_id


def _open(
    project: Project, candidate: str, params: Mapping[str, object], key: str
) -> tuple[MlflowClient, str]:
    experiment = connect(project, patient=True)
    client = MlflowClient()
    run = _find(client, experiment, key) if key else None
    if run is None or run.info.status == "FINISHED":
        return client, _create(client, experiment, project, candidate, params, key)
    client.update_run(run.info.run_id, status="RUNNING")
    return client, str(run.info.run_id)


def _find(client: MlflowClient, experiment: str, key: str) -> Run | None:
    runs = client.search_runs(
        [experiment],
        f"tags.`{TRAINING_KEY}` = '{key}'",
        order_by=["attributes.start_time DESC"],
        max_results=50,
    )
    finished = [run for run in runs if run.info.status == "FINISHED"]
    return next(iter([*finished, *runs]), None)


def _create(
    client: MlflowClient,
    experiment: str,
    project: Project,
    candidate: str,
    params: Mapping[str, object],
    key: str,
) -> str:
    run = client.create_run(experiment, run_name=candidate, tags={TRAINING_KEY: key, CANDIDATE: candidate})
    run_id = str(run.info.run_id)
    entries = [Param(name, value[:LONGEST_VALUE]) for name, value in flat(params).items()]
    for start in range(0, len(entries), PARAMS_AT_A_TIME):
        client.log_batch(run_id, params=entries[start : start + PARAMS_AT_A_TIME])
    _log_data(client, run_id, project)
    return run_id


def flat(params: Mapping[str, object], prefix: str = "") -> dict[str, str]:
    """Parameters as MLflow has them: one level, in names without what it refuses."""
    entries: dict[str, str] = {}
    for key, value in params.items():
        name = prefix + re.sub(r"[^\w .:/-]", "_", str(key))
        entries |= flat(value, f"{name}.") if isinstance(value, Mapping) and value else {name: str(value)}
    return entries


def _log_data(client: MlflowClient, run_id: str, project: Project) -> None:
    data = read_training_data(project)
    if data is None:
        return
    params = [Param(f"videos.{name}", str(count)) for name, count in data.counts.items()]
    client.log_batch(run_id, params=params, tags=[RunTag(DATA, data.digest), RunTag(CROP, data.crop)])
    client.log_inputs(run_id, datasets=[source.as_input() for source in data.datasets])


def _log_epoch(client: MlflowClient, run_id: str, metrics: Mapping[str, float], step: int) -> None:
    now = int(time.time() * 1000)
    client.log_batch(run_id, metrics=[Metric(name, value, now, step) for name, value in metrics.items()])


def _keep_results(client: MlflowClient, run_id: str, project: Project, candidate: str) -> None:
    """Logs what the stage has written about its weights; a store that does not take it costs a warning."""
    about, curves = project.candidate(candidate) / "candidate.json", project.curves(candidate)
    try:
        if about.is_file():
            info = json.loads(about.read_text(encoding="utf-8"))
            client.set_tag(run_id, ORIGIN, info.get("pretrained") or "by member")
            for row in _epochs(project.history(candidate)):
                if row.pop("epoch") == info.get("best_epoch"):  # MLflow's list shows the last one otherwise
                    metrics = {f"best_{name}": value for name, value in row.items() if name != "lr"}
                    _log_epoch(client, run_id, metrics, info["best_epoch"])
        for file in (about, curves):
            if file.is_file():
                client.log_artifact(run_id, str(file))
    except (MlflowException, OSError) as error:
        log.warning("MLflow: %s; the run lacks its curves or candidate.json", str(error).splitlines()[0])


def _close(client: MlflowClient, run_id: str, status: str) -> None:
    try:
        client.set_terminated(run_id, status)
    except MlflowException as error:
        log.warning("MLflow: %s", str(error).splitlines()[0])


def _epochs(history: Path) -> list[dict[str, float]]:
    if not history.is_file():  # an ensemble has none
        return []
    with history.open(newline="", encoding="utf-8") as file:
        return [{name: float(value) for name, value in row.items() if value} for row in csv.DictReader(file)]
