"""Which MLflow store is used, and how it is opened."""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mlflow
from mlflow.entities import Experiment
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from components.addresses import SECONDS_TO_ANSWER, unreachable
from components.errors import RegistryError
from components.project import Project

EXPERIMENT = "unmask"

log = logging.getLogger(__name__)

LATER = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2"}
"""For a server that has answered before."""

_known: set[str] = set()
"""Stores that have answered this process."""


def tracking_uri(project: Project) -> str:
    """`MLFLOW_TRACKING_URI` if set, else SQLite where plain `mlflow` in the project folder looks too."""
    return os.environ.get("MLFLOW_TRACKING_URI") or _own_store(project)


def _own_store(project: Project) -> str:
    return f"sqlite:///{project.root.resolve() / 'mlflow.db'}"


def connect(project: Project, *, patient: bool = False) -> str:
    """Points this process at the project's store and returns the experiment's id.

    The address is pinned as an absolute one, because MLflow's own default follows the current folder.

    Args:
        project: the project folder.
        patient: wait for a busy server, rather than say soon that the address may be wrong.

    Raises:
        RegistryError: the store cannot be opened.
    """
    # A registry client must not unpickle what it is given; models are logged from code.
    os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] = "false"
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    for talkative in ("mlflow.store.db.utils", "mlflow.pyfunc"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    uri = tracking_uri(project)
    try:
        mlflow.set_tracking_uri(uri)
        with _alone(project), _patience(uri, patient):
            experiment = _experiment(uri, project.root.resolve() / "mlartifacts")
            if uri == _own_store(project):
                _follow_move(uri, experiment, project.root.resolve() / "mlartifacts")
            return str(experiment.experiment_id)
    except (MlflowException, SQLAlchemyError, OSError, ImportError, ValueError) as error:
        if uri != _own_store(project):
            reason = unreachable("MLFLOW_TRACKING_URI", uri, error, "the project's mlflow.db")
        else:
            reason = f"MLflow store {uri}: {str(error).splitlines()[0]}"
        raise RegistryError(reason) from error


@contextmanager
def _patience(uri: str, patient: bool) -> Iterator[None]:
    """Asks a server that has not answered yet once and briefly, unless something could be lost by that.

    What the user has set holds in any case.
    """
    for name, value in LATER.items():
        os.environ.setdefault(name, value)
    once = {
        "MLFLOW_HTTP_REQUEST_TIMEOUT": str(SECONDS_TO_ANSWER),
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    }
    brief = {} if patient or uri in _known else once
    before = {name: os.environ.get(name) for name in brief}
    os.environ.update({name: brief[name] for name in brief if before[name] in {None, LATER.get(name)}})
    try:
        yield
        _known.add(uri)
    finally:
        for name, kept in before.items():
            os.environ.pop(name)
            if kept is not None:
                os.environ[name] = kept


@contextmanager
def _alone(project: Project) -> Iterator[None]:
    """Let one process at a time open the store: two that make the same database spoil each other's tables."""
    folder = project.root / ".unmask"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "mlflow.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _experiment(uri: str, artifacts: Path) -> Experiment:
    experiment = mlflow.get_experiment_by_name(EXPERIMENT)
    if experiment is None:
        # A server decides itself where artifacts go; beside SQLite they must not follow the current folder.
        location = artifacts.as_uri() if uri.startswith("sqlite") else None
        return mlflow.get_experiment(mlflow.create_experiment(EXPERIMENT, artifact_location=location))
    if not experiment.experiment_id:  # of some other server's JSON
        raise MlflowException("no experiment")
    return experiment


def _follow_move(uri: str, experiment: Experiment, folder: Path) -> None:
    """Reads a project's models from where it is now, though it was moved or copied here with them.

    Args:
        uri: of the project's own store.
        experiment: tells where its artifacts were when it was made.
        folder: beside the store; what is not there cannot be read from there.
    """
    artifacts = folder.as_uri()
    before = str(experiment.artifact_location)
    local = before.startswith("file:") and before.endswith("/mlartifacts")  # not a bucket's, nor a server's
    if before == artifacts or not local or not folder.is_dir():
        return
    from components.tracking.moved import rewrite_addresses  # noqa: PLC0415  MLflow's tables take a while

    rewrite_addresses(uri, before, artifacts)
    log.warning("MLflow: this project was moved or copied; %s is now read from %s", before, artifacts)
