"""A project whose stages cost nothing, run by the real DVC, Prefect and MLflow."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import httpx
import pytest
import yaml

from components.bundle import Bundle, BundleInfo
from components.project import Project
from components.tables import MANIFEST, write_table
from flows.server import free_port, start_server
from tests.flows import forked
from tests.flows.forked import Done

ROOT = Path(__file__).parent.parent.parent

GRAPH = """
stages:
  ingest:
    cmd: cp prepared/manifest.parquet artifacts/
    deps:
      - data
    outs:
      - artifacts/manifest.parquet
  train:
    foreach:
      - a
      - b
    do:
      cmd:
        - echo epoch of ${item}
        - mkdir -p artifacts/candidates
        - cp -r prepared/${item} artifacts/candidates
      deps:
        - artifacts/manifest.parquet
      outs:
        - artifacts/candidates/${item}
  evaluate:
    cmd: cp prepared/evaluation.json reports/
    deps:
      - artifacts/candidates
      - prepared/evaluation.json
    metrics:
      - reports/evaluation.json:
          cache: false
  gate:
    cmd: cp prepared/gate.json reports/
    deps:
      - reports/evaluation.json
      - prepared/gate.json
    metrics:
      - reports/gate.json:
          cache: false
  export:
    cmd: cp -r prepared/bundle artifacts/
    deps:
      - reports/gate.json
      - prepared/bundle
    outs:
      - artifacts/bundle
"""


class StubProject:
    """A project folder, and the `unmask` command run in it."""

    def __init__(self, root: Path, prefect_api: str) -> None:
        self.root = root
        self.project = Project(root)
        self.prefect_api = prefect_api

    def unmask(self, *arguments: str) -> Done:
        environment = {"PYTHONPATH": str(ROOT), "COLUMNS": "200", "PREFECT_API_URL": self.prefect_api}
        return forked.unmask(*arguments, cwd=self.root, environment=environment)

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """The command in a process group of its own, as a shell starts it."""
        return subprocess.Popen(
            # Where tests run in the background, Ctrl-C is ignored.
            ["env", "--default-signal=INT", sys.executable, "-m", "flows.cli", *arguments],
            cwd=self.root,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "COLUMNS": "200",
                "PREFECT_API_URL": self.prefect_api,
            },
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            process_group=0,
        )

    def flow_run(self, name: str) -> dict[str, Any]:
        """What Prefect knows of a run."""
        return dict(httpx.get(f"{self.prefect_api}/flow_runs/{name}").raise_for_status().json())

    def living_flow_run(self) -> str:
        """The id of the only run that has begun and not ended."""
        (file,) = (self.root / ".unmask" / "flow-runs").iterdir()
        return file.stem

    def set_gate(self, value: float) -> None:
        passed = value >= 0.8
        rule = {"name": "auc", "value": value, "min": 0.8, "passed": passed}
        verdict = {"passed": passed, "winner": "a", "rules": [rule]}
        (self.root / "prepared" / "gate.json").write_text(json.dumps(verdict), encoding="utf-8")

    def set_bundle(self, **changes: object) -> None:
        """Change fields of what export makes."""
        rewrite(self.root / "prepared" / "bundle", **changes)


@pytest.fixture(autouse=True)
def _own_services(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests never talk to a server or a store that somebody has named."""
    for name in (
        "PREFECT_API_URL",
        "PREFECT_HOME",
        "MLFLOW_TRACKING_URI",
        "MLFLOW_REGISTRY_URI",
        "UNMASK_PROJECT",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def prefect_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One Prefect server for all tests of this worker."""
    project = Project(tmp_path_factory.mktemp("prefect"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PREFECT_HOME", str(project.root))
        with start_server(project, free_port(), services=False) as url:
            yield url


@pytest.fixture
def stub_project(
    tmp_path: Path, real_bundle: Bundle, sample_data: Path, empty_store: Path, prefect_api: str
) -> StubProject:
    """Two candidates, `a` wins, its bundle is `real_bundle`, and the gate passes."""
    root = tmp_path / "project"
    for folder in ("data", "artifacts", "reports/training/a", "prepared", ".dvc"):
        (root / folder).mkdir(parents=True)
    (root / ".dvc" / "config").write_text("[core]\nanalytics = false\nno_scm = true\n", encoding="utf-8")
    (root / "dvc.yaml").write_text(GRAPH, encoding="utf-8")
    _write_params(root / "params.yaml")
    _write_videos(root, sample_data)
    prepared = root / "prepared"
    for candidate in ("a", "b"):
        (prepared / candidate).mkdir()
        told = json.dumps({"training": f"training-of-{candidate}", "settings": {"epochs": 2}})
        (prepared / candidate / "candidate.json").write_text(told, encoding="utf-8")
    shutil.copy(empty_store, root / "mlflow.db")
    (root / "reports/training/a/history.csv").write_text("epoch,train_loss\n1,0.7\n2,0.6\n", encoding="utf-8")
    figures = {"val": {"auc": 0.9}, "test": {"auc": 0.9, "f1": 0.8}}
    other = {"val": {"auc": 0.8}, "test": {"auc": 0.9, "f1": None}}
    evaluation = {"winner": "a", "candidates": {"a": figures, "b": other}}
    (prepared / "evaluation.json").write_text(json.dumps(evaluation), encoding="utf-8")
    shutil.copytree(real_bundle.folder, prepared / "bundle")
    rewrite(prepared / "bundle", candidate="a")
    project = StubProject(root, prefect_api)
    project.set_gate(0.9)
    return project


def rewrite(bundle: Path, **changes: object) -> None:
    """Change fields of a bundle's bundle.json."""
    file = bundle / "bundle.json"
    info = BundleInfo.model_validate(json.loads(file.read_text(encoding="utf-8")) | changes)
    file.write_text(info.model_dump_json(), encoding="utf-8")


def _write_params(path: Path) -> None:
    content = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    settings = next(iter(content["candidates"].values()))
    path.write_text(
        yaml.safe_dump(content | {"candidates": {"a": settings, "b": settings}}), encoding="utf-8"
    )


def _write_videos(root: Path, sample: Path) -> None:
    """Eight test videos: the darker ones pass for genuine, the brighter ones for forged.

    The model of `real_bundle` goes by brightness, so that it is better than chance on them, or worse.
    """
    by_brightness = sorted(sample.glob("*/*.mp4"), key=brightness)
    rows = []
    for label, videos in {"real": by_brightness[:4], "fake": by_brightness[-4:]}.items():
        for video in videos:
            copy = root / "data" / label / video.name
            copy.parent.mkdir(exist_ok=True)
            shutil.copy(video, copy)
            path = copy.relative_to(root).as_posix()
            known = {"video_id": path, "path": path, "label": label, "split": "test", "status": "ok"}
            digest = hashlib.sha256(copy.read_bytes()).hexdigest()
            rows.append(dict.fromkeys(MANIFEST.names) | known | {"sha256": digest})
    write_table(rows, MANIFEST, root / "prepared" / "manifest.parquet")


def brightness(video: Path) -> float:
    """Mean of the first frame."""
    with av.open(video) as container:
        frame = next(container.decode(video=0))
        return float(frame.to_ndarray(format="gray").mean())
