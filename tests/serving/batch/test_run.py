import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from components.errors import DataError
from components.printable import printable
from components.scores import VideoScore
from serving.batch.plan import plan_batch
from serving.batch.run import scan_library, score_shard
from serving.batch.store import ScoreStore

VIDEOS = 12
SHARD_SIZE = 3


class SleepyScorer:
    """Scores a video by its size, slowly, and notes each that it was asked for."""

    def __init__(self, log: Path, seconds: float = 0.0) -> None:
        self.log, self.seconds = log, seconds

    def score(self, paths: Sequence[Path]) -> Iterator[VideoScore]:
        for path in paths:
            time.sleep(self.seconds)
            with self.log.open("a") as log:
                log.write(f"{printable(path.name)}\n")
            yield VideoScore(
                path=str(path), verdict="fake", probability=path.stat().st_size / 100, status="ok",
                reason=None, frames=8, face_share=1.0, fallback=None, faces=(), seconds=0.1,
                model_version="ignored",
            )  # fmt: skip


def opened(source: Path, output: Path) -> ScoreStore:
    return ScoreStore(output, source, "7", "d" * 64)


def job(source: Path, output: Path, log: Path, seconds: float = 0.0) -> None:
    with opened(source, output) as store:
        todo = plan_batch(scan_library(source).videos, store.rows(), SHARD_SIZE)
        store.forget(todo.stale)
        for shard in todo.shards:
            score_shard(SleepyScorer(log, seconds), source, shard, store)
        store.publish()


def sizes(source: Path, output: Path) -> dict[str, int]:
    with opened(source, output) as store:
        rows = store.rows()
    assert len({row["path"] for row in rows}) == len(rows)  # nothing doubled
    return {row["path"]: round(row["probability"] * 100) for row in rows}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "videos"
    for number in range(VIDEOS):
        video = folder / f"sub{number % 2}" / f"{number:02}.mp4"
        video.parent.mkdir(parents=True, exist_ok=True)
        video.write_bytes(b"x" * (number + 1))
    return folder


def expected(source: Path) -> dict[str, int]:
    return {video.path: video.bytes for video in scan_library(source).videos}


def test_one_row_per_video_with_its_own_score(source: Path, tmp_path: Path) -> None:
    job(source, tmp_path / "out", tmp_path / "log")
    assert sizes(source, tmp_path / "out") == expected(source)
    with opened(source, tmp_path / "out") as store:
        assert {row["model_version"] for row in store.rows()} == {"7"}


def test_a_second_job_scores_only_what_changed(source: Path, tmp_path: Path) -> None:
    job(source, tmp_path / "out", tmp_path / "first")
    (source / "sub0/00.mp4").write_bytes(b"x" * 50)
    (source / "sub1/new.mp4").write_bytes(b"x")
    (source / "sub1/11.mp4").unlink()
    job(source, tmp_path / "out", tmp_path / "second")
    assert (tmp_path / "second").read_text().split() == ["00.mp4", "new.mp4"]
    assert sizes(source, tmp_path / "out") == expected(source) | {"sub1/11.mp4": 12}  # the vanished one stays


@pytest.mark.parametrize("until", [1, 2])  # shards on disk: killed inside the second, inside the third
def test_killed_with_9_then_run_again(source: Path, tmp_path: Path, until: int) -> None:
    output, log = tmp_path / "out", tmp_path / "log"
    process = start(source, output, log)
    try:
        wait_for(lambda: len(list(output.glob("shards/7-*/shard-*.parquet"))) >= until, process)
        wait_for(lambda: len(log.read_text().split()) > until * SHARD_SIZE, process)
        os.kill(process.pid, signal.SIGKILL)
    finally:
        process.kill()
        process.wait()
    kept = sizes(source, output)
    assert 0 < len(kept) < VIDEOS
    job(source, output, tmp_path / "again")
    assert sizes(source, output) == expected(source)
    again = {Path(path).name for path in expected(source).keys() - kept.keys()}
    assert set((tmp_path / "again").read_text().split()) == again  # what was written is not scored twice


def start(source: Path, output: Path, log: Path) -> subprocess.Popen[bytes]:
    """Run `job` in a process of its own: this very file is its program."""
    root = str(Path(__file__).parents[3])
    environment = os.environ | {"PYTHONPATH": root}
    return subprocess.Popen([sys.executable, __file__, source, output, log, "0.05"], env=environment)


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, "the job ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.parametrize("name", ["missing", "file.mp4", "x" * 300])
def test_a_source_that_is_no_folder_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "file.mp4").touch()
    with pytest.raises(DataError, match=f"^{tmp_path / name}: no such folder"):
        scan_library(tmp_path / name)


def test_names_that_read_alike_have_a_row_each_however_often_it_is_run(source: Path, tmp_path: Path) -> None:
    odd = {b"v\xff.mp4": 40, rb"v\xff.mp4": 41, b"a\nb.MOV": 42, rb"a\x0ab.MOV": 43}
    for name, size in odd.items():
        (source / os.fsdecode(name)).write_bytes(b"x" * size)
    job(source, tmp_path / "out", tmp_path / "first")
    assert sizes(source, tmp_path / "out") == expected(source)
    assert len(expected(source)) == VIDEOS + len(odd)
    assert expected(source)[r"v\xff.mp4"] == 40
    job(source, tmp_path / "out", tmp_path / "second")
    assert not (tmp_path / "second").exists()  # all are known again


def test_a_file_that_cannot_be_looked_at_stays_in_the_job(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = Path.stat

    def refused(path: Path, **options: Any) -> os.stat_result:
        if path.name == "03.mp4":
            raise PermissionError(errno.EACCES, "Permission denied")
        return look(path, **options)

    monkeypatch.setattr(Path, "stat", refused)
    found = {video.path: (video.bytes, video.mtime_ns) for video in scan_library(source).videos}
    assert found["sub1/03.mp4"] == (None, None)
    assert len(found) == VIDEOS


if __name__ == "__main__":
    job(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4]))
