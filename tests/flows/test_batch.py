"""The batch scoring flow, killed and run again."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from components.bundle import Bundle

if TYPE_CHECKING:
    from conftest import StubProject

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.fixture
def source(sample_data: Path, tmp_path: Path) -> Path:
    """Sixteen videos with a face and one that is none."""
    folder = tmp_path / "library"
    folder.mkdir()
    for video in sample_data.glob("*/*.mp4"):
        (folder / video.name).write_bytes(video.read_bytes())
    (folder / "text.mp4").write_text("not a video", encoding="utf-8")
    return folder


def options(source: Path, bundle: Bundle, output: Path) -> list[str]:
    return [
        "batch",
        str(source),
        "--output",
        str(output),
        "--bundle",
        str(bundle.folder),
        "--shard-size",
        "2",
    ]


def test_a_killed_job_goes_on_with_nothing_lost_or_doubled(
    stub_project: "StubProject", source: Path, real_bundle: Bundle, tmp_path: Path
) -> None:
    output = tmp_path / "scores"
    arguments = options(source, real_bundle, output)
    command = [sys.executable, "-m", "flows.cli", *arguments, "--workers", "1"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PREFECT_API_URL": stub_project.prefect_api}
    job = subprocess.Popen(command, cwd=stub_project.root, env=environment, start_new_session=True)
    wait_for(lambda: len(list(output.glob("shards/*/shard-*.parquet"))) >= 2, job)
    os.killpg(job.pid, signal.SIGKILL)
    job.wait()
    killed = stub_project.living_flow_run()
    before = {file: file.stat().st_mtime_ns for file in output.glob("shards/*/shard-*.parquet")}
    assert not (output / "scores.parquet").exists()

    done = stub_project.unmask(*arguments)
    assert done.returncode == 0, done.stderr
    table = pd.read_parquet(output / "scores.parquet")
    assert sorted(table["path"]) == sorted(video.name for video in source.iterdir())
    assert set(table.loc[table["status"] == "ok", "path"]) == {v.name for v in source.iterdir()} - {
        "text.mp4"
    }
    assert {file: file.stat().st_mtime_ns for file in before} == before  # none was scored again
    assert stub_project.flow_run(killed)["state_type"] == "CRASHED"


def test_only_what_is_new_or_changed_is_scored(
    stub_project: "StubProject", source: Path, real_bundle: Bundle, tmp_path: Path
) -> None:
    arguments = options(source, real_bundle, tmp_path / "scores")
    for video in sorted(source.iterdir())[4:]:
        video.unlink()
    assert "0 done before, 4 to score" in stub_project.unmask(*arguments, "--dry-run").stdout
    assert stub_project.unmask(*arguments).returncode == 0
    changed, gone, *_ = sorted(source.iterdir())
    changed.write_text("not a video any more", encoding="utf-8")
    gone.unlink()
    (source / os.fsdecode(b"new\xff.mp4")).write_text("nor this", encoding="utf-8")
    (source / r"new\xff.mp4").write_text("nor its namesake", encoding="utf-8")
    (source / "notes.txt").write_text("nor this", encoding="utf-8")
    told = stub_project.unmask(*arguments, "--dry-run").stdout
    assert "2 done before, 3 to score (1 of them changed)" in told
    assert "left out: 1 file that is no video (notes.txt)" in told
    assert stub_project.unmask(*arguments).returncode == 0
    table = pd.read_parquet(tmp_path / "scores" / "scores.parquet").set_index("path")
    assert table.index.is_unique
    assert len(table) == 6
    other = tmp_path / "other"
    other.mkdir()
    (other / "new.mp4").write_text("of another library", encoding="utf-8")
    for more in ([], ["--dry-run"]):
        refused = stub_project.unmask(*options(other, real_bundle, tmp_path / "scores"), *more)
        told = f"holds the scores of {source}, not of {other}; give another --output"
        assert (refused.returncode, told in refused.stderr) == (2, True), refused.stderr
    assert table.loc[changed.name, "status"] == table.loc[r"new\xff.mp4", "status"] == "undecodable"
    assert table.loc[r"new\\xff.mp4", "bytes"] == len("nor its namesake")


def wait_for(condition: Callable[[], bool], job: "subprocess.Popen[bytes]", seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert job.poll() is None, "the job ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
