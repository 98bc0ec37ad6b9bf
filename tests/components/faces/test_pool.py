"""Workers that hang, crash or lose their parent."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from components.detectors.settings import NoDetector
from components.errors import StageError
from components.faces.clip import OUT_OF_MEMORY, Faces, Failure, GivenUp
from components.faces.policy import CropPolicy
from components.faces.pool import WorkerPool
from components.faces.worker import answer, reply
from components.sandbox.process import PACKAGE_ROOT, WorkerProcess
from components.sandbox.protocol import pack
from components.video.container import VideoFault
from components.video.examine import Examined, examine
from components.video.frames import VideoInfo, probe
from components.video.limits import Limits
from components.video.sampling import Even, Every, RangeSampling
from components.video.still import Still, still
from tests.components.sandbox.processes import PATIENCE, alive, eventually


def test_probe_answers_for_every_path(tmp_path: Path, video: Path) -> None:
    (tmp_path / "text.mp4").write_text("hello")
    paths = [video, tmp_path / "text.mp4", tmp_path / "gone.mp4"] * 5
    with WorkerPool(2, Limits()) as pool:
        answers = dict(pool.probe(paths))
        assert len(pool.pids) == 2
    assert sorted(answers) == list(range(15))
    assert all(answers[i] == probe(video, Limits()) for i in range(0, 15, 3))
    assert {answers[i].reason for i in range(1, 15, 3)} == {
        "not a video file; accepted are mp4, mov, mkv, webm, avi, ts, mpg, flv, wmv and ogv"
    }
    assert {answers[i].status for i in range(2, 15, 3)} == {"undecodable"}


def test_paths_are_drawn_as_they_are_needed(video: Path) -> None:
    drawn = 0

    def endless() -> Iterator[Path]:
        nonlocal drawn
        while True:
            drawn += 1
            yield video

    with WorkerPool(1, Limits()) as pool:
        answers = pool.probe(endless())
        for _ in range(5):
            next(answers)
        assert drawn <= 8


def test_workers_start_when_needed_and_stay(pool: WorkerPool, video: Path) -> None:
    assert pool.pids == []
    pool.probe_one(video)
    first = pool.pids
    pool.probe_one(video)
    assert pool.pids == first
    pool.close()
    assert not alive(first[0])
    with pytest.raises(StageError, match="closed"):
        pool.probe_one(video)


def test_names_that_are_no_text_work(tmp_path: Path, pool: WorkerPool, video: Path) -> None:
    odd = tmp_path / os.fsdecode(b"f\xff \n\xe2\x82\xac.mp4")
    odd.write_bytes(video.read_bytes())
    assert isinstance(pool.probe_one(odd), VideoInfo)


def test_a_worker_that_hangs_costs_only_its_video(pool: WorkerPool, video: Path) -> None:
    pool.probe_one(video)
    stuck = pool.pids[0]
    os.kill(stuck, signal.SIGSTOP)
    started = time.monotonic()
    assert pool.probe_one(video) == GivenUp("undecodable", "took longer than 3 s and was given up")
    assert 2.5 < time.monotonic() - started < 30
    assert not alive(stuck)
    assert isinstance(pool.probe_one(video), VideoInfo)


def test_a_worker_that_is_killed_costs_nothing(pool: WorkerPool, video: Path) -> None:
    pool.probe_one(video)
    crashing = pool.pids[0]
    os.kill(crashing, signal.SIGSTOP)  # so that it cannot answer before it is killed
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(pool.probe_one, video)
        time.sleep(0.2)
        os.kill(crashing, signal.SIGKILL)  # as the kernel does where memory runs out
        assert answer.result() == probe(video, Limits())
    assert pool.pids != [crashing]


def test_a_worker_that_crashes_again_costs_only_its_video(
    pool: WorkerPool, video: Path, worker_answers: Callable[..., None]
) -> None:
    worker_answers(pack({"failure": {"status": "too_short", "reason": "3 frames"}}), deaths=2)
    assert pool.probe_one(video) == GivenUp("undecodable", "the decoder crashed twice (signal SIGKILL)")
    assert pool.probe_one(video) == Failure("too_short", "3 frames")


def test_a_worker_that_died_while_idle_costs_nothing(pool: WorkerPool, video: Path) -> None:
    pool.probe_one(video)
    os.kill(pool.pids[0], signal.SIGKILL)
    assert eventually(lambda: not alive(pool.pids[0]))
    assert isinstance(pool.probe_one(video), VideoInfo)


def test_workers_are_limited(pool: WorkerPool, video: Path) -> None:
    pool.probe_one(video)
    granted = Path(f"/proc/{pool.pids[0]}/limits").read_text()
    values = {line[:25].strip(): line[25:].split()[0] for line in granted.splitlines()}
    assert values["Max address space"] == str(Limits().memory_mb * 2**20)
    assert values["Max open files"] == "64"
    assert values["Max core file size"] == "0"
    assert values["Max file size"] == "0"
    assert int(values["Max cpu time"]) < 60


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (MemoryError(), OUT_OF_MEMORY),
        (VideoFault("too_short", "3 frames"), Failure("too_short", "3 frames")),
        (KeyError("a\nb"), Failure("undecodable", "KeyError: 'a\\nb'")),
        (RuntimeError("two\n lines"), Failure("undecodable", "RuntimeError: two lines")),
        (RuntimeError("BFCArena: Failed to allocate memory for 9 bytes"), OUT_OF_MEMORY),
        (RuntimeError("(-4:Insufficient memory) in function 'OutOfMemoryError'"), OUT_OF_MEMORY),
        (RuntimeError("std::bad_alloc"), OUT_OF_MEMORY),
    ],
)
def test_whatever_a_task_raises_is_a_failure(error: Exception, failure: Failure) -> None:
    def task(path: Path) -> VideoInfo:
        raise error

    assert answer(task, Path("a.mp4")) == failure
    assert reply(task, Path("a.mp4")) == ({"failure": asdict(failure)}, {})


def test_faces_that_leave_no_room_to_send_them_are_a_failure(
    make_faces: Callable[..., Faces], monkeypatch: pytest.MonkeyPatch
) -> None:
    def parts(_: Faces) -> None:
        raise MemoryError

    monkeypatch.setattr(Faces, "parts", parts)
    header, arrays = reply(lambda _: make_faces(2, 32), Path("a.mp4"))
    assert header["failure"]["status"] == "too_large"
    assert not arrays


def test_memory_is_missed_in_a_fresh_worker_too_before_a_video_is_too_large(
    pool: WorkerPool, video: Path, worker_answers: Callable[..., None]
) -> None:
    starved, sound = pack({"failure": asdict(OUT_OF_MEMORY)}), pack({"info": asdict(probe(video, Limits()))})
    worker_answers(sound, first=starved)  # what an earlier video has left was too little
    assert isinstance(pool.probe_one(video), VideoInfo)
    worker_answers(starved)
    assert pool.probe_one(video) == OUT_OF_MEMORY
    assert pool.pids == []  # the next video finds nothing of it
    worker_answers(sound)
    assert isinstance(pool.probe_one(video), VideoInfo)


@pytest.mark.parametrize(
    "policy",
    [
        CropPolicy(sampling=Even(frames=4), size=64),
        CropPolicy(
            sampling=RangeSampling(policy="range", least=3, most=5, per_second=4.0), size=64, tracks="all"
        ),
        CropPolicy(sampling=Every(policy="every", step=6), size=32, detector=NoDetector(name="none")),
    ],
    ids=["even", "range", "every"],
)
def test_extract_yields_faces_from_several_threads(
    sample_data: Path, detector: Path, policy: CropPolicy
) -> None:
    videos = sorted((sample_data / "real").glob("*.mp4"))[:3]
    with WorkerPool(2, Limits(memory_mb=1024), policy, detector) as pool:
        streamed = dict(pool.extract(videos))
        with ThreadPoolExecutor(4) as threads:
            asked = list(threads.map(pool.extract_one, videos))
    for index, one in enumerate(asked):
        other = streamed[index]
        assert isinstance(one, Faces)
        assert isinstance(other, Faces)
        assert one.main.crops.shape == (4, policy.size, policy.size, 3)
        assert np.array_equal(one.main.crops, other.main.crops)
        assert one.parts()[0] == other.parts()[0]


def test_work_that_asks_the_pool_is_done_for_each_item(video: Path) -> None:
    def frames(number: int) -> int:
        found = pool.probe_one(video)
        return number * found.frames

    with WorkerPool(2, Limits()) as pool:
        assert dict(pool.each(frames, range(5))) == {number: 30 * number for number in range(5)}


def test_examine_and_stills_answer_for_every_path(tmp_path: Path, video: Path) -> None:
    (tmp_path / "text.mp4").write_text("hello")
    paths = [video, tmp_path / "text.mp4"] * 3
    limits = Limits(memory_mb=512, wall_seconds=60.0)  # the least that may be granted suffices
    with WorkerPool(2, limits) as pool:  # a library that waits for a thread it cannot start is a failure here
        examined, stills = dict(pool.examine(paths)), dict(pool.stills(paths))
    assert sorted(examined) == sorted(stills) == list(range(6))
    for index in range(0, 6, 2):
        one, other = examined[index], stills[index]
        assert isinstance(one, Examined)
        assert isinstance(other, Still)
        assert one == examine(video, Limits())
        assert np.array_equal(other.image, still(video, Limits()).image)
        assert isinstance(examined[index + 1], Failure)
        assert isinstance(stills[index + 1], Failure)


def test_extract_needs_a_detector(tmp_path: Path, video: Path) -> None:
    with WorkerPool(1, Limits()) as pool, pytest.raises(StageError, match="can only probe"):
        pool.extract_one(video)
    with pytest.raises(StageError, match=r"pnet\.onnx: not there; make it with dvc repro detector"):
        WorkerPool(1, Limits(), CropPolicy(), tmp_path)


def test_a_worker_that_cannot_start_says_so(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("components.sandbox.process.PACKAGE_ROOT", Path("/nonexistent"))
    worker = WorkerProcess("components.faces.worker", {})
    with pytest.raises(StageError, match="a video worker cannot start"):
        worker.ask({}, 1.0)
    worker.close()
    assert capfd.readouterr().err


SCRIPT = """
import signal, sys
from pathlib import Path
from components.faces.pool import WorkerPool
from components.video.limits import Limits
signal.signal(signal.SIGINT, signal.default_int_handler)  # where tests run in the background, it is ignored
with WorkerPool(2, Limits()) as pool:
    for _ in pool.probe([Path(sys.argv[1])] * 10_000_000):
        if len(pool.pids) == 2:
            print(*pool.pids, flush=True)
"""


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_workers_end_with_their_parent(tmp_path: Path, video: Path, end: signal.Signals) -> None:
    script = tmp_path / "unguarded.py"  # no `if __name__ == "__main__"`
    script.write_text(SCRIPT)
    parent = subprocess.Popen(
        [sys.executable, script, video],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": str(PACKAGE_ROOT)},
        process_group=0,
    )
    with parent:
        try:
            assert parent.stdout
            workers = [int(pid) for pid in parent.stdout.readline().split()]
            assert len(workers) == 2
            os.killpg(parent.pid, end)  # as Ctrl-C does
            assert parent.wait(PATIENCE) == -end
        finally:
            parent.kill()
    assert eventually(lambda: not any(alive(pid) for pid in workers))


def test_close_ends_a_request_in_flight(video: Path) -> None:
    pool = WorkerPool(1, Limits())
    pool.probe_one(video)
    os.kill(pool.pids[0], signal.SIGSTOP)
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(pool.probe_one, video)
        time.sleep(0.2)
        pool.close()
        with pytest.raises(StageError, match="closed"):  # and no row that blames the video
            answer.result(PATIENCE)
