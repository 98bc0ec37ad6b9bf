"""The stage as a whole: interrupted, resumed, with broken and doubled videos."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest

from components.errors import DataError, StageError
from components.faces.identity import NETWORKS, cut_digest
from components.faces.policy import CropPolicy, Even
from components.faces.process import PACKAGE_ROOT
from components.faces.stage import run
from components.faces.store import ClipStore
from components.params import Params, load_params
from components.project import Project
from components.tables import FACES, MANIFEST, read_table, write_table

PARAMS = PACKAGE_ROOT / "params.yaml"


@pytest.fixture(scope="module")
def params() -> Params:
    """The project's own, with short clips."""
    return load_params(PARAMS).model_copy(update={"faces": CropPolicy(sampling=Even(frames=2), size=64)})


def manifest_row(project: Project, path: Path, **told: Any) -> dict[str, Any]:
    content = path.read_bytes()
    return {
        "video_id": str(path.relative_to(project.data).with_suffix("")),
        "path": str(path.relative_to(project.root)),
        "sha256": hashlib.sha256(content).hexdigest(),
        "split": "train",
        "status": "ok",
        **told,
    }


@pytest.fixture
def new_project(sample_data: Path, detector: Path, tmp_path: Path) -> Callable[[str], Project]:
    """A project with the sample dataset's sixteen videos and a manifest of them."""

    def make(name: str) -> Project:
        project = Project(tmp_path / name)
        project.artifacts.mkdir(parents=True)
        project.detector.symlink_to(detector)
        for video in sorted(sample_data.glob("*/*.mp4")):
            path = project.data / video.parent.name / video.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(video)
        rows = [manifest_row(project, path) for path in sorted(project.data.glob("*/*.mp4"))]
        write_table(rows, MANIFEST, project.manifest)
        return project

    return make


def outputs(project: Project) -> dict[str, str]:
    files = [project.faces, *project.clips.iterdir()]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def clip_names(project: Project) -> set[str]:
    return {path.name for path in project.clips.iterdir()}


SCRIPT = """
import sys
from pathlib import Path
from components.faces.policy import CropPolicy
from components.faces.stage import run
from components.params import load_params
from components.project import Project
params = load_params(Path(sys.argv[1])).model_copy(update={"faces": CropPolicy(sampling=Even(frames=2), size=64)})
run(Project(Path(sys.argv[2])), params, workers=1)
"""


def test_a_killed_stage_goes_on_where_it_was(new_project: Callable[[str], Project], params: Params) -> None:
    whole, killed = new_project("whole"), new_project("killed")
    stage = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, PARAMS, killed.root],
        env=os.environ | {"PYTHONPATH": str(PACKAGE_ROOT)},
        stderr=subprocess.DEVNULL,
    )
    while not len(list(killed.clips.glob("*.npz"))) >= 3:
        assert stage.poll() is None
        time.sleep(0.005)
    stage.send_signal(signal.SIGKILL)
    stage.wait()
    left = {path.name: path.stat().st_mtime_ns for path in killed.clips.glob("*.npz")}
    assert 3 <= len(left) < 16
    assert not killed.faces.exists()

    run(whole, params, workers=2)
    run(killed, params, workers=1)
    assert outputs(killed) == outputs(whole)
    assert len(outputs(whole)) == 17
    kept = {path.name: path.stat().st_mtime_ns for path in killed.clips.iterdir() if path.name in left}
    assert kept == left  # what was there was not cut again


def test_rows_say_what_became_of_every_video(
    new_project: Callable[[str], Project],
    params: Params,
    make_video: Callable[..., Path],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    project = new_project("project")
    genuine = sorted((project.data / "real").glob("*.mp4"))[0]
    twin = project.data / "real" / "twin.mp4"
    twin.write_bytes(genuine.read_bytes())
    faceless = make_video(project.data / "real" / "faceless.mp4")
    text = project.data / "real" / "text.mp4"
    text.write_text("changed since ingest looked at it")
    short = project.data / "real" / "short.mp4"
    short.write_bytes(b"x")
    rows = [
        manifest_row(
            project, short, status="too_short", reason="3 frames; at least 8 are needed", split=None
        ),
        *(manifest_row(project, path) for path in (twin, genuine, faceless, text)),
    ]
    aside = sorted((project.data / "fake").glob("*.mp4"))[0]
    left_out = manifest_row(project, aside, split=None, excluded="unlabelled")
    write_table([*rows, left_out], MANIFEST, project.manifest)
    run(project, params, workers=1)

    table = read_table(project.faces, FACES)
    assert [row["video_id"] for row in table] == sorted(row["video_id"] for row in rows)
    found = {Path(row["video_id"]).name: row for row in table}
    assert {name: row["status"] for name, row in found.items()} == {
        "faceless": "no_face",
        genuine.stem: "ok",
        "short": "too_short",
        "text": "undecodable",
        "twin": "ok",
    }
    assert found["short"]["reason"] == "3 frames; at least 8 are needed"
    assert found["faceless"]["reason"] == "no face in any of 2 frames"
    assert found["faceless"]["clip"] is None
    assert found["twin"]["clip"] == found[genuine.stem]["clip"]
    assert found["twin"]["face_share"] == 1.0
    assert 20 < found["twin"]["box_side"] < 240
    assert {row["crop_digest"] for row in table} == {params.faces.digest}
    assert [path.name for path in project.clips.iterdir()] == [found["twin"]["clip"]]
    assert ClipStore(project.clips).read_crops(found["twin"]["clip"]).shape == (2, 64, 64, 3)
    assert "faces: ok: 2 of 5 videos" in caplog.messages
    assert "faces: undecodable: 1 of 5 videos" in caplog.messages


def test_stale_and_damaged_clips_are_replaced(new_project: Callable[[str], Project], params: Params) -> None:
    project = new_project("project")
    run(project, params, workers=2)
    before = outputs(project)
    damaged, *_ = sorted(project.clips.iterdir())
    damaged.write_bytes(damaged.read_bytes()[:500])
    (project.clips / "0123456789abcdef-000000000000.npz").write_bytes(b"of another policy")
    (project.clips / f".{damaged.name}.4711").write_bytes(b"half written")
    run(project, params, workers=1)
    assert outputs(project) == before


def test_another_way_of_cutting_cuts_every_clip_again(
    new_project: Callable[[str], Project], params: Params, detector: Path
) -> None:
    project = new_project("project")
    write_table(read_table(project.manifest, MANIFEST)[:2], MANIFEST, project.manifest)
    project.detector.unlink()
    shutil.copytree(detector, project.detector)
    run(project, params, workers=1)
    first = clip_names(project)

    network = onnx.load(project.detector / "onet.onnx")
    network.doc_string = "trained further"
    onnx.save(network, project.detector / "onet.onnx")
    run(project, params, workers=1)
    second = clip_names(project)
    smaller = params.model_copy(update={"faces": CropPolicy(sampling=Even(frames=2), size=32)})
    run(project, smaller, workers=1)
    third = clip_names(project)

    assert [len(names) for names in (first, second, third)] == [2, 2, 2]
    assert not first & second
    assert not second & third
    rows = read_table(project.faces, FACES)
    assert {row["clip"] for row in rows} == third
    assert {row["crop_digest"] for row in rows} == {smaller.faces.digest}
    assert ClipStore(project.clips).read_crops(rows[0]["clip"]).shape == (2, 32, 32, 3)


def test_other_code_is_another_way_of_cutting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*NETWORKS, "crop.py"):
        (tmp_path / name).write_text("first")
    monkeypatch.setattr("components.faces.identity.ROOM", tmp_path)
    before = cut_digest(CropPolicy(), tmp_path)
    assert cut_digest(CropPolicy(), tmp_path) == before
    (tmp_path / "crop.py").write_text("second")
    assert cut_digest(CropPolicy(), tmp_path) != before


def test_not_one_face_is_an_error(
    new_project: Callable[[str], Project], params: Params, make_video: Callable[..., Path]
) -> None:
    project = new_project("project")
    faceless = make_video(project.data / "real" / "faceless.mp4")
    write_table([manifest_row(project, faceless)], MANIFEST, project.manifest)
    with pytest.raises(DataError, match="not one of 1 videos shows a face; most often: no face in any"):
        run(project, params, workers=1)
    assert read_table(project.faces, FACES)[0]["status"] == "no_face"


def test_a_missing_detector_or_manifest_is_named(
    new_project: Callable[[str], Project], params: Params
) -> None:
    project = new_project("project")
    project.detector.unlink()
    with pytest.raises(StageError, match=r"pnet\.onnx: not there"):
        run(project, params)
    project.manifest.unlink()
    with pytest.raises(StageError, match=r"manifest\.parquet: not there yet"):
        run(project, params)
