"""Every layout from the downloaded folder to a checked manifest, as a user takes it there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from components.datasets.found import list_datasets
from components.datasets.layouts import LAYOUTS
from components.errors import ValidationError
from components.params import load_params
from components.project import Project
from components.stages.ingest import run as ingest
from components.stages.validate import run as validate
from components.tables import MANIFEST, read_table
from flows.data import add
from tests.flows.published import DATASETS, OUTLINES

ROOT = Path(__file__).parents[2]

# Whose own lists put people on both sides, and by which kinds of leak.
LEAKING = {"faceforensics": {"identity", "source"}, "celeb-df": {"identity", "source"}}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project without data, outside git."""
    root = tmp_path / "project"
    (root / ".dvc").mkdir(parents=True)
    (root / ".dvc" / "config").write_text(
        "[core]\n    no_scm = true\n    analytics = false\n", encoding="utf-8"
    )
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(ROOT / name, root)
    monkeypatch.setenv("DVC_GLOBAL_CONFIG_DIR", str(tmp_path / "global"))
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    return Project(root)


@pytest.fixture
def untracked(monkeypatch: pytest.MonkeyPatch) -> None:
    """What DVC does with what was added is the affair of `test_data`."""
    monkeypatch.setattr("flows.data.track_with_dvc", lambda _: None)


def change(project: Project, section: str, **values: Any) -> None:
    content = yaml.safe_load(project.params.read_text(encoding="utf-8"))
    content[section] |= values
    project.params.write_text(yaml.safe_dump(content), encoding="utf-8")


def leaks(project: Project) -> set[str]:
    return set(pd.read_csv(project.reports / "validation" / "leaks.csv")["kind"])


def test_there_is_a_tree_of_every_layout() -> None:
    assert {*DATASETS, *OUTLINES} == set(LAYOUTS)


@pytest.mark.parametrize("layout", OUTLINES)
def test_an_outline_is_recognised(layout: str, tmp_path: Path) -> None:
    for path, text in OUTLINES[layout].items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    (dataset,) = list_datasets(tmp_path)
    assert dataset.layout == layout
    assert sorted(entry.label or "" for entry in dataset.listing.entries) == ["fake", "real"]


@pytest.mark.parametrize("layout", DATASETS)
def test_from_the_download_to_checked_splits(
    untracked: None, layout: str, project: Project, tmp_path: Path
) -> None:
    DATASETS[layout](tmp_path / "download")
    add(project, tmp_path / "download", layout=None, name=None, copy=False, dry_run=False)
    change(project, "validate", min_videos_per_class=1)
    params = load_params(project.params)
    ingest(project, params, workers=1)
    rows = read_table(project.manifest, MANIFEST)
    assert {row["dataset"] for row in rows} == {layout}
    assert {row["status"] for row in rows} == {"ok"}
    if layout not in LEAKING:
        validate(project, params)
        assert leaks(project) == set()
        return

    with pytest.raises(ValidationError, match="person"):
        validate(project, params)
    assert leaks(project) == LEAKING[layout]
    change(project, "validate", allow_leaks=sorted(LEAKING[layout]))
    validate(project, load_params(project.params))
    assert leaks(project) == LEAKING[layout]

    change(project, "validate", allow_leaks=[])
    change(project, "ingest", leak="drop")
    ingest(project, load_params(project.params), workers=1)
    validate(project, load_params(project.params))
    assert leaks(project) == set()


def test_two_datasets_train_on_one_and_test_on_the_other(
    untracked: None, project: Project, tmp_path: Path
) -> None:
    for layout in ("celeb-df", "faceforensics"):
        DATASETS[layout](tmp_path / layout)
        add(project, tmp_path / layout, layout=None, name=None, copy=False, dry_run=False)
    change(project, "ingest", datasets={"celeb-df": "test", "faceforensics": "train"})
    change(project, "validate", min_videos_per_class=1)
    ingest(project, load_params(project.params), workers=1)
    validate(project, load_params(project.params))
    rows = read_table(project.manifest, MANIFEST)
    used = {(row["dataset"], row["split"]) for row in rows if row["split"]}
    assert used == {("celeb-df", "test"), ("faceforensics", "train"), ("faceforensics", "val")}
    tested = {row["path"] for row in rows if row["split"] == "test"}
    assert len(tested) == 7  # those of its own list


@pytest.mark.full  # `test_end_to_end` has DVC find that nothing has changed
def test_dvc_runs_the_same_stages(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    DATASETS["manifest"](tmp_path / "download")
    add(project, tmp_path / "download", layout=None, name="mine", copy=True, dry_run=False)
    for name in ("components", "recipes", "data.dvc"):
        if not (project.root / name).exists():
            (project.root / name).symlink_to(ROOT / name)
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    repro = [sys.executable, "-m", "dvc", "repro", "ingest", "validate"]
    first = subprocess.run(repro, cwd=project.root, text=True, capture_output=True, check=False)
    assert first.returncode == 0, first.stderr
    lock = project.splits_lock.read_bytes()
    again = subprocess.run(repro, cwd=project.root, text=True, capture_output=True, check=False)
    assert "Running stage" not in again.stdout
    assert project.splits_lock.read_bytes() == lock
