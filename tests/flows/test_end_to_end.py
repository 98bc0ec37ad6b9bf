"""The whole main line, small: all stages of dvc.yaml, then the flow, the registry and everyone who scores."""

import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
import yaml
from fastapi.testclient import TestClient

from components.bundle import open_bundle
from components.params.resolved import write_resolved
from components.project import Project
from components.tables import FACES, MANIFEST, PREDICTIONS, read_table
from tests.flows import forked

if TYPE_CHECKING:
    from conftest import StubProject

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

ROOT = Path(__file__).parents[2]
STAGES = [
    "resolve",
    "ingest",
    "describe",
    "validate",
    "detector",
    "faces",
    "train@simple_cnn",
    "ensemble",
    "evaluate",
    "gate",
    "export",
]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, sample_data: Path, empty_store: Path) -> Path:
    """A project with the real graph and code, eight people, one candidate and two epochs."""
    root = tmp_path_factory.mktemp("whole") / "project"
    root.mkdir()
    for name in ("components", "serving", "flows"):
        shutil.copytree(ROOT / name, root / name)  # and what is compiled
    for name in ("dvc.yaml", ".dvcignore"):
        shutil.copy(ROOT / name, root / name)
    shutil.copytree(ROOT / "recipes", root / "recipes")
    shutil.copy(empty_store, root / "mlflow.db")
    shutil.copytree(sample_data, root / "data")
    (root / ".dvc").mkdir()
    (root / ".dvc" / "config").write_text("[core]\nanalytics = false\nno_scm = true\n", encoding="utf-8")
    (root / "params.yaml").write_text(yaml.safe_dump(small_params()), encoding="utf-8")
    write_resolved(Project(root))
    return root


def small_params() -> dict:
    content = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    content["candidates"] = {"simple_cnn": content["candidates"]["simple_cnn"] | {"epochs": 2}}
    content["validate"]["min_videos_per_class"] = 1
    # Two epochs on four people learn nothing: this test is about the joints.
    content["gate"] = {"auc": {"min": 0.0}, "f1": {"min": 0.0}, "coverage": {"min": 0.9}}
    content["evaluate"]["bootstrap"] = 20
    return content


@pytest.fixture(scope="module")
def reproduced(root: Path) -> Project:
    """The project after all stages.

    All are called in one process: to import everything anew in each of ten would take longest.
    """
    done = forked.forked(reproduce, [], root, {"MLFLOW_TRACKING_URI": ""}, 900)
    assert done.returncode == 0, done.stdout + done.stderr
    return Project(root)


def reproduce(arguments: Sequence[str]) -> None:
    """`dvc repro` itself, which calls `python -m components STAGE` in this process."""
    from dvc.cli import main as dvc
    from dvc.stage import run

    from components.__main__ import main

    def call(_: str, command: str, **options: object) -> None:
        python, minus_m, module, *stage = shlex.split(command)
        assert (python, minus_m, module) == ("python", "-m", "components")
        if code := main(stage):
            raise run.StageCmdFailedError(command, code)

    run._run = call
    sys.exit(dvc(["repro", *arguments]))


def repro(root: Path) -> "subprocess.CompletedProcess[str]":
    import os

    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "MLFLOW_TRACKING_URI": ""}
    command = [sys.executable, "-m", "dvc", "repro"]
    return subprocess.run(command, cwd=root, env=environment, text=True, capture_output=True, check=False)


def test_dvc_repro_does_all_stages_up_to_export(reproduced: Project) -> None:
    lock = yaml.safe_load((reproduced.root / "dvc.lock").read_text(encoding="utf-8"))
    assert set(STAGES) == set(lock["stages"])
    manifest = read_table(reproduced.manifest, MANIFEST)
    assert len(manifest) == 16
    assert {row["status"] for row in read_table(reproduced.faces, FACES)} == {"ok"}
    predictions = read_table(reproduced.candidate("simple_cnn") / "predictions.parquet", PREDICTIONS)
    evaluated = {row["video_id"] for row in manifest if row["split"] in ("val", "test")}
    assert {row["video_id"] for row in predictions} == evaluated
    assert json.loads(reproduced.gate.read_text(encoding="utf-8"))["passed"]
    info = open_bundle(reproduced.bundle).info
    assert info.candidate == "simple_cnn"
    assert info.gate_passed
    assert (reproduced.reports / "report.html").stat().st_size > 10_000


def test_nothing_changed_is_nothing_run(reproduced: Project) -> None:
    again = repro(reproduced.root)
    assert again.returncode == 0
    assert "Running stage" not in again.stdout
    assert again.stdout.count("didn't change, skipping") == len(STAGES)


def test_everyone_gives_the_same_probabilities(
    reproduced: Project, stub_project: "StubProject", tmp_path: Path
) -> None:
    """Command line, batch flow, API and MLflow's own loader, all from the registry's champion."""
    root = reproduced.root
    stub_project.root = root
    trained = stub_project.unmask("run")
    assert trained.returncode == 0, trained.stderr
    assert "version 1 is the first champion" in trained.stdout
    videos = sorted((root / "data").glob("*/*.mp4"))[::5]

    scored = stub_project.unmask("score", *map(str, videos), "--json")
    assert scored.returncode == 0, scored.stderr
    command_line = {row["path"]: row["probability"] for row in map(json.loads, scored.stdout.splitlines())}
    assert None not in command_line.values()

    library = tmp_path / "library"
    library.mkdir()
    for video in videos:
        (library / video.name).symlink_to(video)
    assert stub_project.unmask("batch", str(library), "--output", str(tmp_path / "scores")).returncode == 0
    rows = pd.read_parquet(tmp_path / "scores" / "scores.parquet").set_index("path")["probability"]

    for video, told in zip(videos, loaded_by_mlflow(root, videos), strict=True):
        expected = command_line[str(video)]
        assert told == pytest.approx(expected, abs=1e-5)
        assert rows[video.name] == pytest.approx(expected, abs=1e-5)
        assert uploaded(reproduced, video) == pytest.approx(expected, abs=1e-5)


def loaded_by_mlflow(root: Path, videos: list[Path]) -> list[float]:
    """What plain MLflow says, in the project folder, in a process of its own."""
    code = (
        "import json, sys, mlflow; model = mlflow.pyfunc.load_model('models:/unmask@champion'); "
        "print(json.dumps(list(model.predict(sys.argv[1:])['probability'])))"
    )
    command = [sys.executable, "-c", code, *map(str, videos)]
    done = subprocess.run(command, cwd=root, text=True, capture_output=True, check=True)
    return list(json.loads(done.stdout.splitlines()[-1]))


def uploaded(project: Project, video: Path) -> float:
    from serving.api.app import create_app
    from serving.champion import open_champion

    app = create_app(
        lambda: open_champion("cpu", 1, project=project), max_upload_bytes=2**24, max_concurrency=1
    )
    with TestClient(app) as client:
        answer = client.post("/v1/videos:score", files={"file": (video.name, video.read_bytes())})
    return float(answer.json()["probability"])
