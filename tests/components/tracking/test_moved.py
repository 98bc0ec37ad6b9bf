import logging
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from components.bundle import Bundle, open_bundle
from components.errors import RegistryError
from components.project import Project
from components.tracking import registry
from components.tracking.moved import rewrite_addresses
from components.tracking.runs import live_run
from components.tracking.store import connect

STORE = "MLFLOW_TRACKING_URI"
ROOT = Path(__file__).parent.parent.parent.parent


class Unpinned(Project):
    """A project of its own process: MLflow leaves the store that it used in the environment for the next."""

    def __init__(self, root: Path) -> None:
        os.environ.pop(STORE, None)
        super().__init__(root)


def register(project: Project, bundle: Bundle) -> str:
    with live_run(bundle.info.candidate, {}, "key", project) as run:
        pass
    code, packages = ROOT / "serving" / "registered_model.py", [ROOT / "components", ROOT / "serving"]
    return registry.register_bundle(project, bundle, run.run_id, code, packages)


@pytest.fixture
def before(tmp_path: Path, empty_store: Path, bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with a registered version, in a folder whose name SQL patterns would take for another."""
    monkeypatch.delenv(STORE, raising=False)
    project = Project(tmp_path / "be_fore 100%")
    project.root.mkdir()
    shutil.copy(empty_store, project.root / "mlflow.db")
    register(project, bundle)
    shutil.rmtree(project.root / ".unmask")  # what was downloaded already would hide where models are read
    return project


def test_a_moved_project_reads_its_models_from_where_it_is(
    before: Project, bundle: Bundle, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    moved = Unpinned(before.root.rename(tmp_path / "after"))
    with caplog.at_level(logging.WARNING):
        found = registry.resolve_alias(alias="1", project=moved)
        registry.resolve_alias(alias="1", project=moved)
    assert open_bundle(found.folder).digest == bundle.digest
    assert [record.message for record in caplog.records if "moved or copied" in record.message] == [
        f"MLflow: this project was moved or copied; {(before.root / 'mlartifacts').as_uri()} "
        f"is now read from {(moved.root / 'mlartifacts').as_uri()}"
    ]


def test_a_copy_neither_reads_nor_writes_the_original(
    before: Project, bundle: Bundle, tmp_path: Path
) -> None:
    copy = Unpinned(Path(shutil.copytree(before.root, tmp_path / "copy")))
    for model in (before.root / "mlartifacts").rglob("model.onnx"):
        model.write_bytes(b"another")
    held = sorted(os.walk(before.root / "mlartifacts"))
    assert open_bundle(registry.resolve_alias(alias="1", project=copy).folder).digest == bundle.digest
    shutil.copytree(bundle.folder, tmp_path / "other")
    (tmp_path / "other" / "MODEL_CARD.md").write_text("# Another\n", encoding="utf-8")
    assert register(copy, open_bundle(tmp_path / "other")) == "2"
    assert open_bundle(registry.resolve_alias(alias="2", project=copy).folder)
    assert sorted(os.walk(before.root / "mlartifacts")) == held
    with pytest.raises(RegistryError, match="no version '2'"):
        registry.resolve_alias(alias="2", project=Unpinned(before.root))


def test_a_store_that_is_named_stays_as_it_is(
    before: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(STORE, f"sqlite:///{before.root / 'mlflow.db'}")
    with caplog.at_level(logging.WARNING):
        connect(Project(tmp_path / "guest"))
    assert "moved or copied" not in caplog.text
    monkeypatch.delenv(STORE)
    assert registry.resolve_alias(alias="1", project=before).version == "1"


def test_a_version_whose_files_are_gone_names_them(before: Project) -> None:
    shutil.rmtree(before.root / "mlartifacts")
    with pytest.raises(RegistryError) as caught:
        registry.resolve_alias(alias="1", project=before)
    assert str(before.root / "mlartifacts") in str(caught.value)
    assert "unmask run" in str(caught.value)


@pytest.mark.parametrize("elsewhere", ["s3://bucket/models", "mlflow-artifacts:/1", "file:///mnt/models"])
def test_artifacts_that_never_lay_beside_the_store_stay_where_they_are(
    before: Project, tmp_path: Path, elsewhere: str
) -> None:
    rewrite_addresses(
        f"sqlite:///{before.root / 'mlflow.db'}", (before.root / "mlartifacts").as_uri(), elsewhere
    )
    moved = Unpinned(before.root.rename(tmp_path / "after"))
    connect(moved)
    with closing(sqlite3.connect(moved.root / "mlflow.db")) as store:
        (address,) = store.execute("select storage_location from model_versions").fetchone()
    assert address.startswith(f"{elsewhere}/")
