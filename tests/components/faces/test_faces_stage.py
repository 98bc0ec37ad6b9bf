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
from components.faces.policy import CropPolicy
from components.faces.store import SUFFIX, ClipStore
from components.params import Params, load_params
from components.project import Project
from components.sandbox.process import PACKAGE_ROOT
from components.stages import faces as stage
from components.stages.faces import run
from components.tables import FACES, MANIFEST, read_table, write_table
from components.video.sampling import Even
from tests.components.sandbox.processes import alive, eventually

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
from components.video.sampling import Even
from components.stages.faces import run
from components.params import load_params
from components.project import Project
policy = CropPolicy(sampling=Even(frames=2), size=64)
params = load_params(Path(sys.argv[1])).model_copy(update={"faces": policy})
run(Project(Path(sys.argv[2])), params, workers=2)
"""


def stored(project: Project) -> dict[str, int]:
    """Finished clips, and when they were written."""
    return {path.name: path.stat().st_mtime_ns for path in project.clips.glob(f"[!.]*{SUFFIX}")}


def children(process: int) -> list[int]:
    """Those of all of its threads."""
    lists = Path(f"/proc/{process}/task").glob("*/children")
    return [int(pid) for told in lists for pid in told.read_text().split()]


def kill_after(new: int, project: Project) -> None:
    """Kill the stage once it has stored so many more clips; its workers must end by themselves."""
    enough = len(stored(project)) + new  # a count in all could be there before this run has a worker
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, PARAMS, project.root],
        env=os.environ | {"PYTHONPATH": str(PACKAGE_ROOT)},
        stderr=subprocess.DEVNULL,
        process_group=0,
    )
    while len(stored(project)) < enough:
        assert process.poll() is None
        time.sleep(0.005)
    workers = children(process.pid)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert len(workers) == 2
    assert eventually(lambda: not any(map(alive, workers)))


def test_a_stage_that_is_killed_again_and_again_ends_as_an_undisturbed_one(
    new_project: Callable[[str], Project], params: Params
) -> None:
    whole, killed = new_project("whole"), new_project("killed")
    left: dict[str, int] = {}
    for new in (1, 3):  # four in all: well before the end, so that it is not reached meanwhile
        kill_after(new, killed)
        before, left = left, stored(killed)
        assert len(before) + new <= len(left) < 16
        assert before.items() <= left.items()  # what was there was not cut again
        assert not killed.faces.exists()
    (killed.clips / f".{min(left)}.4711").write_bytes(b"half written")

    run(whole, params, workers=2)
    run(killed, params, workers=1)
    assert outputs(killed) == outputs(whole)
    assert len(outputs(whole)) == 17
    assert left.items() <= stored(killed).items()


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
    assert found["faceless"]["clips"] == 0
    assert found["twin"]["clips"] == 1
    assert {row["fallback"] for row in table} == {None}
    assert found["twin"]["clip"] == found[genuine.stem]["clip"]
    assert found["twin"]["face_share"] == 1.0
    assert 20 < found["twin"]["box_side"] < 240
    assert 0.1 < found["twin"]["brightness"] < 0.9
    assert 10 < found["twin"]["colourfulness"] < 100
    assert (found["faceless"]["brightness"], found["faceless"]["colourfulness"]) == (None, None)
    assert {row["crop_digest"] for row in table} == {params.faces.digest}
    assert [path.name for path in project.clips.iterdir()] == [found["twin"]["clip"]]
    assert ClipStore(project.clips).read_crops(found["twin"]["clip"]).shape == (1, 2, 64, 64, 3)
    assert "faces: ok: 2 of 5 videos" in caplog.messages
    assert "faces: undecodable: 1 of 5 videos" in caplog.messages


def test_stale_and_damaged_clips_are_replaced(new_project: Callable[[str], Project], params: Params) -> None:
    project = new_project("project")
    run(project, params, workers=2)
    before = outputs(project)
    damaged, *_ = sorted(project.clips.iterdir())
    damaged.write_bytes(damaged.read_bytes()[:500])
    (project.clips / f"0123456789abcdef-000000000000{SUFFIX}").write_bytes(b"of another policy")
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
    assert ClipStore(project.clips).read_crops(rows[0]["clip"]).shape == (1, 2, 32, 32, 3)


def test_a_fallback_is_told(
    new_project: Callable[[str], Project],
    params: Params,
    make_video: Callable[..., Path],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    project = new_project("project")
    faceless = make_video(project.data / "real" / "faceless.mp4")
    genuine = sorted((project.data / "real").glob("p*.mp4"))[0]
    write_table([manifest_row(project, path) for path in (faceless, genuine)], MANIFEST, project.manifest)
    policy = CropPolicy(sampling=Even(frames=2), size=64, fallback="center", tracks="all")
    for told in ("2 videos to cut, 0 already there", "0 videos to cut, 2 already there"):
        run(project, params.model_copy(update={"faces": policy}), workers=1)
        assert f"faces: {told}" in caplog.messages
        found = {Path(row["video_id"]).name: row for row in read_table(project.faces, FACES)}
        assert {name: (row["status"], row["fallback"]) for name, row in found.items()} == {
            "faceless": ("ok", "center"),
            genuine.stem: ("ok", None),
        }
        assert found["faceless"]["face_share"] == 0.0
        assert found["faceless"]["tracks"] == 0
        assert found["faceless"]["clips"] == 1
        assert (
            caplog.messages[-1] == "faces: of these, 1 show no face; the middle of the frame was cut instead"
        )
    assert sum("videos/s" in line for line in caplog.messages) == 1


def test_progress_is_told_where_no_terminal_shows_it(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level("INFO")
    clock = iter(range(0, 1000, 20))
    monkeypatch.setattr(stage.time, "monotonic", lambda: next(clock))
    assert list(stage._progress("abcde", 5)) == list("abcde")
    assert caplog.messages == [
        "faces: 2 of 5 videos, about 60 s left",
        "faces: 4 of 5 videos, about 20 s left",
    ]


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
