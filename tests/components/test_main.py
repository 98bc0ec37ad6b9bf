import subprocess
import sys
from pathlib import Path

import pytest

from components.__main__ import main

ROOT = Path(__file__).parents[2]


def test_a_stage_outside_of_a_project_ends_with_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["ingest"]) == 2
    assert capsys.readouterr().err.startswith("error: params.yaml: not found")


def test_a_stage_without_its_input_ends_with_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    assert main(["ingest"]) == 2
    error = capsys.readouterr().err
    assert "data" in error
    assert "unmask sample-data" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("modules", "absent"),
    [
        ("flows.cli", {"torch", "mlflow", "prefect", "pandas", "cv2", "onnxruntime"}),
        ("serving.scorer, serving.api.server", {"torch", "mlflow", "prefect", "timm", "lightning"}),
        ("components.stages.faces", {"torch", "mlflow", "facenet_pytorch"}),
        ("components.stages.ensemble", {"torch", "sklearn"}),
        ("components.__main__", {"torch", "mlflow", "cv2", "great_expectations", "pandas"}),
    ],
)
def test_light_modules_stay_light(modules: str, absent: set[str]) -> None:
    code = f"import {modules}, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, text=True, capture_output=True, check=True)
    assert not absent & set(done.stdout.split())


@pytest.mark.parametrize(("arguments", "workers"), [([], 0), (["--workers", "3"], 3)])
def test_faces_takes_a_number_of_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], workers: int
) -> None:
    asked = []
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    monkeypatch.setattr("components.stages.faces.run", lambda project, params, workers: asked.append(workers))
    assert main(["faces", *arguments]) == 0
    assert asked == [workers]


def test_faces_asks_whether_the_detectors_model_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    monkeypatch.setattr("components.stages.faces.run", lambda *_: None)
    monkeypatch.setattr("components.export.detector.check_detector", lambda folder, _: asked.append(folder))
    assert main(["faces"]) == 0
    assert asked == [Path("artifacts/detector")]


@pytest.mark.parametrize("workers", ["-1", "many"])
def test_a_number_of_workers_that_is_none_ends_with_2(
    workers: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["faces", "--workers", workers])
    assert ended.value.code == 2
    assert "--workers" in capsys.readouterr().err
