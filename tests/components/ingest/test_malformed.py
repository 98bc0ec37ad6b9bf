"""Malformed videos through the pool that ingest uses: each ends as a failure, and harms nothing."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from components.faces.clip import Failure, GivenUp
from components.faces.pool import WorkerPool
from components.video.examine import Examined
from components.video.limits import Limits, Status
from tests.components.ingest.malformed import film, malformed_videos

LIMITS = Limits(wall_seconds=10.0, memory_mb=512)


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    with WorkerPool(1, LIMITS) as pool:
        yield pool


@pytest.fixture
def corpus(tmp_path: Path) -> tuple[list[Path], dict[str, Status]]:
    expected = malformed_videos(tmp_path / "videos")
    return [tmp_path / "videos" / name for name in expected], expected


def resident_mb(pool: WorkerPool) -> float:
    (pid,) = pool.pids
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def test_every_malformed_video_fails_with_a_reason(
    pool: WorkerPool, corpus: tuple[list[Path], dict[str, Status]]
) -> None:
    paths, expected = corpus
    assert len(paths) >= 40
    answers = {paths[index].name: answer for index, answer in pool.examine(paths)}
    failures = {name: answer for name, answer in answers.items() if isinstance(answer, Failure)}
    assert {name: failure.status for name, failure in failures.items()} == expected
    assert all(failure.reason for failure in failures.values())
    assert not [name for name, failure in failures.items() if isinstance(failure, GivenUp)]


def test_malformed_videos_leave_the_worker_as_it_was(
    pool: WorkerPool, corpus: tuple[list[Path], dict[str, Status]]
) -> None:
    paths, _ = corpus
    list(pool.examine(paths))
    before, workers = resident_mb(pool), pool.pids
    for _ in range(4):
        list(pool.examine(paths))
    assert pool.pids == workers
    assert resident_mb(pool) - before < 8  # 40 KiB for each of them


def test_a_folder_named_like_a_video_fails(pool: WorkerPool, tmp_path: Path) -> None:
    (tmp_path / "folder.mp4").mkdir()
    reason = "no pictures in this folder; accepted are jpg, png, bmp and webp"
    assert pool.examine_one(tmp_path / "folder.mp4") == Failure("undecodable", reason)


@pytest.mark.parametrize(("form", "codec"), [("mp4", "libx264"), ("matroska", "libx264"), ("avi", "mpeg4")])
def test_flipped_bits_never_cost_the_worker(pool: WorkerPool, tmp_path: Path, form: str, codec: str) -> None:
    rng = np.random.default_rng(17)
    sound = np.frombuffer(film(form, codec), np.uint8)
    for index in range(25):
        content = sound.copy()
        places = rng.integers(0, len(content), 40)
        content[places] ^= (1 << rng.integers(0, 8, len(places))).astype(np.uint8)
        path = tmp_path / f"{index}.bin"
        path.write_bytes(content.tobytes())
        answer = pool.examine_one(path)
        assert isinstance(answer, Examined | Failure)
        assert not isinstance(answer, GivenUp)


def test_a_sound_film_passes(pool: WorkerPool, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(film("mp4"))
    assert isinstance(pool.examine_one(tmp_path / "a.mp4"), Examined)
