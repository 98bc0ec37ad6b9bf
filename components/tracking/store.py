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

_known: set[str] = set()
"""Stores that have answered this process."""


def tracking_uri(project: Project) -> str:
    """`MLFLOW_TRACKING_URI` if set, else SQLite where plain `mlflow` in the project folder looks too."""
    return os.environ.get("MLFLOW_TRACKING_URI") or _own_store(project)


def _own_store(project: Project) -> str:
    return f"sqlite:///{project.root.resolve() / 'mlflow.db'}"


def connect(project: Project) -> str:
    """Point this process at the project's store and return the experiment's id.

    The address is pinned as an absolute one, because MLflow's own default follows the current folder.

    Raises:
        RegistryError: the store cannot be opened.
    """
    # A registry client must not unpickle what it is given; models are logged from code.
    os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] = "false"
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    for talkative in ("mlflow.store.db.utils", "mlflow.pyfunc"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    uri = tracking_uri(project)
    try:
        mlflow.set_tracking_uri(uri)
        with _alone(project), _patience(uri):
            experiment = _experiment(uri, project.root.resolve() / "mlartifacts")
            if uri == _own_store(project):
                _follow_move(uri, experiment, (project.root.resolve() / "mlartifacts").as_uri())
            return str(experiment.experiment_id)
    except (MlflowException, SQLAlchemyError, OSError, ImportError, ValueError) as error:
        if os.environ.get("MLFLOW_TRACKING_URI"):
            reason = unreachable("MLFLOW_TRACKING_URI", uri, error, "the project's mlflow.db")
        else:
            reason = f"MLflow store {uri}: {str(error).splitlines()[0]}"
        raise RegistryError(reason) from error


@contextmanager
def _patience(uri: str) -> Iterator[None]:
    """A server that has answered once may take MLflow's two minutes, and is asked again; others are not."""
    if uri in _known:
        yield
        return
    settings = {"MLFLOW_HTTP_REQUEST_TIMEOUT": str(SECONDS_TO_ANSWER), "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
        _known.add(uri)
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


@contextmanager
def _alone(project: Project) -> Iterator[None]:
    """Let one process at a time open the store: two that make the same database spoil each other's tables."""
    folder = project.root / ".unmask"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "mlflow.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _experiment(uri: str, artifacts: Path) -> Experiment:
    found = mlflow.get_experiment_by_name(EXPERIMENT)
    if found is None:
        # A server decides itself where artifacts go; beside SQLite they must not follow the current folder.
        location = artifacts.as_uri() if uri.startswith("sqlite") else None
        return mlflow.get_experiment(mlflow.create_experiment(EXPERIMENT, artifact_location=location))
    if not found.experiment_id:  # of some other server's JSON
        raise MlflowException("no experiment")
    return found


def _follow_move(uri: str, experiment: Experiment, artifacts: str) -> None:
    """Read a project's models from where it is now, though it was moved or copied here with them.

    Args:
        uri: of the project's own store.
        experiment: tells where its artifacts were when it was made.
        artifacts: URI of the folder beside the store.
    """
    before = str(experiment.artifact_location)
    if before == artifacts:
        return
    from components.tracking.moved import rewrite_addresses  # noqa: PLC0415  MLflow's tables take a while

    rewrite_addresses(uri, before, artifacts)
    log.warning("MLflow: this project was moved or copied; %s is now read from %s", before, artifacts)
