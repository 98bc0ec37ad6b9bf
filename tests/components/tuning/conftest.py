"""A project with an empty study store, and a training whose curve follows from its rate."""

import math
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from optuna.storages import InMemoryStorage

from components.errors import RegistryError
from components.params import CandidateParams, Params
from components.params.tuning import NoPruner, Range, TuneParams
from components.project import Project
from components.training.history import Epoch
from components.tuning.study import open_study
from tests.components.training.conftest import made, params

__all__ = ["made", "params"]

SPACE = {"optimizer.lr": Range(low=1e-5, high=1e-1, log=True), "batch_size": Range(low=2, high=8)}


@pytest.fixture(scope="session")
def tune_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of no trial: making its tables takes longer than copying them."""
    project = Project(tmp_path_factory.mktemp("studies"))
    open_study(project, "none", TuneParams(), 1)
    return project.root / ".unmask" / "tune.sqlite"


@pytest.fixture
def project(
    made: Path, tune_database: Path, empty_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Project:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    root = tmp_path / "project"
    (root / ".unmask").mkdir(parents=True)
    (root / "artifacts").symlink_to(made / "artifacts")
    shutil.copy(tune_database, root / ".unmask" / "tune.sqlite")
    shutil.copy(empty_store, root / "mlflow.db")
    return Project(root)


@pytest.fixture
def tuned(params: Params) -> Callable[..., Params]:
    """The parameters of a small search for `simple_cnn`, some of it told otherwise."""

    def make(**told: Any) -> Params:
        defaults = {"trials": 4, "random": 2, "epochs": 2, "pruner": NoPruner(name="none")}
        settings = TuneParams.model_validate({**defaults, "space": {"simple_cnn": SPACE}, **told})
        return params.model_copy(update={"tune": settings})

    return make


@pytest.fixture
def in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Studies that are not written to a file."""
    storage = InMemoryStorage()
    monkeypatch.setattr("components.tuning.study._storage", lambda project: storage)


@pytest.fixture
def untracked(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no MLflow."""

    def unreachable(project: Project) -> str:
        raise RegistryError("switched off")

    monkeypatch.setattr("components.tracking.studies.connect", unreachable)


@pytest.fixture
def light(in_memory: None, untracked: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """No files of studies, no MLflow and no figures: for tests of nothing of that."""
    monkeypatch.setattr("components.tuning.report.draw_history", lambda *_: None)
    monkeypatch.setattr("components.tuning.report.draw_importances", lambda *_: None)


class Scripted:
    """Stands in for `fit`: the nearer the rate is to 0.003, the better; checkpoints say which epoch is done.

    `at` is called before an epoch is reported, with the number of the training and of the epoch.
    """

    def __init__(self, at: Callable[[int, int], None]) -> None:
        self._at = at
        self.trainings: list[tuple[float, list[int]]] = []  # rate, epochs

    def __call__(
        self,
        settings: CandidateParams,
        train: Any,
        val: Any,
        folder: Path,
        on_epoch: Callable[..., None],
        features: Path,
    ) -> Any:
        rate = settings.optimizer.lr
        self.trainings.append((rate, []))
        folder.mkdir(parents=True, exist_ok=True)
        last = folder / "last.ckpt"
        done = int(last.read_text()) if last.exists() else 0
        auc = 1.0 - abs(math.log10(rate / 0.003)) / 5
        for epoch in range(done, settings.epochs):
            self._at(len(self.trainings) - 1, epoch)
            loss = math.nan if rate > 0.03 else 1.0 - auc
            measured = {"train_loss": 0.1, "val_loss": loss, "val_auc": auc, "val_f1": auc, "lr": rate}
            on_epoch(measured, epoch + 1)
            self.trainings[-1][1].append(epoch)
            last.write_text(str(epoch + 1))
        return SimpleNamespace(best=Epoch(settings.epochs, 0.1, 1.0 - auc, auc, auc, auc, auc, rate))


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Scripted]:
    """Puts a scripted training in the place of the real one."""

    def make(at: Callable[[int, int], None] = lambda training, epoch: None) -> Scripted:
        made = Scripted(at)
        monkeypatch.setattr("components.tuning.trial.fit", made)
        return made

    return make
