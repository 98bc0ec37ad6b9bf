"""Workers that hang, crash or lose their parent."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.errors import ParamsError, StageError
from components.faces.clip import OUT_OF_MEMORY, Faces, Failure, GivenUp
from components.faces.container import VideoFault
from components.faces.detector import DetectorFault
from components.faces.examine import Examined, examine
from components.faces.limits import Limits
from components.faces.policy import CropPolicy, NoDetector
from components.faces.pool import WorkerPool
from components.faces.process import PACKAGE_ROOT, WorkerProcess
from components.faces.protocol import MAX_HEADER, ProtocolError, pack, receive
from components.faces.sampling import Even, Every, Range
from components.faces.still import Still, still
from components.faces.video import VideoInfo, probe
from components.faces.worker import answer, reply

PATIENCE = 60.0


@pytest.fixture
def video(tmp_path: Path, make_video: Callable[..., Path]) -> Path:
    return make_video(tmp_path / "a.mp4")


@pytest.fixture
def pool() -> Iterator[WorkerPool]:
    """One worker, and as much wall clock as a stopped worker needs to be noticed in a test."""
    with WorkerPool(1, Limits(wall_seconds=3.0)) as pool:
        yield pool


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


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


@pytest.mark.parametrize("array", [np.arange(12.0)[::3], np.float32(3).reshape(()), np.zeros((2, 0))])
def test_arrays_of_any_layout_are_sent(array: Any) -> None:
    array = np.asarray(array)
    _, received = receive(reader(pack({}, {"a": array})), max_bytes=100)
    assert received["a"].shape == array.shape
    assert np.array_equal(received["a"], array)


@pytest.mark.parametrize(
    "policy",
    [
        CropPolicy(sampling=Even(frames=4), size=64),
        CropPolicy(sampling=Range(policy="range", least=3, most=5, per_second=4.0), size=64, tracks="all"),
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


@pytest.mark.parametrize("provider", ["gpu", "CPU"])
def test_an_unknown_provider_is_named(monkeypatch: pytest.MonkeyPatch, provider: str) -> None:
    monkeypatch.setenv("UNMASK_DETECTOR_PROVIDER", provider)
    with pytest.raises(ParamsError, match=rf"UNMASK_DETECTOR_PROVIDER={provider}: no such provider; set cpu"):
        WorkerPool(1, Limits())


def test_a_detector_that_cannot_be_opened_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], detector: Path, video: Path
) -> None:
    monkeypatch.setenv("UNMASK_DETECTOR_PROVIDER", "cuda")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with WorkerPool(1, Limits(), CropPolicy(), detector) as pool:
        with pytest.raises(
            StageError, match=r"UNMASK_DETECTOR_PROVIDER=cuda: .*UNMASK_DETECTOR_PROVIDER=cpu"
        ):
            pool.extract_one(video)
        assert pool.pids == []
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize(
    ("provider", "remedy"),
    [("cpu", "make {detector} again, .*dvc repro -f detector"), ("cuda", "set UNMASK_DETECTOR_PROVIDER=cpu")],
)
def test_a_detector_that_fails_stops_instead_of_costing_videos(
    detector: Path,
    video: Path,
    worker_answers: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    provider: str,
    remedy: str,
) -> None:
    monkeypatch.setenv("UNMASK_DETECTOR_PROVIDER", provider)
    worker_answers(pack({"fault": "Fail: CUDNN_STATUS_BAD_PARAM"}))
    told = rf"^{video}: the face detector failed twice \(Fail: CUDNN_STATUS_BAD_PARAM\); .*"
    with WorkerPool(1, Limits(), CropPolicy(), detector) as pool:
        for ask in (pool.extract_one, pool.look_one):
            with pytest.raises(StageError, match=told + remedy.format(detector=detector)):
                ask(video)
            assert pool.pids == []  # an ill device stays ill in the process that has met it


def test_a_detector_that_fails_once_costs_nothing(
    detector: Path, video: Path, worker_answers: Callable[..., None]
) -> None:
    no_face = Failure("no_face", "no face in any of 8 frames", frames=8)
    worker_answers(pack({"failure": asdict(no_face)}), first=pack({"fault": "Fail: out of memory"}))
    with WorkerPool(1, Limits(), CropPolicy(), detector) as pool:
        assert pool.extract_one(video) == no_face


@pytest.mark.parametrize("fault", [3, "two\nlines", "\x1b[2J", "long" * 300])
def test_a_worker_does_not_put_words_on_the_screen(
    detector: Path, video: Path, worker_answers: Callable[..., None], fault: Any
) -> None:
    worker_answers(pack({"fault": fault}))
    with WorkerPool(1, Limits(), CropPolicy(), detector) as pool:
        assert "nonsense" in (pool.extract_one(video).reason or "")  # type: ignore[union-attr]


def test_only_a_worker_with_a_detector_may_blame_it(
    pool: WorkerPool, video: Path, worker_answers: Callable[..., None]
) -> None:
    worker_answers(pack({"fault": "Fail: out of memory"}))
    found = pool.probe_one(video)
    assert isinstance(found, GivenUp)
    assert "nonsense" in found.reason


def test_a_detectors_fault_is_no_answer_about_a_video() -> None:
    def task(path: Path) -> VideoInfo:
        raise DetectorFault("Fail: CUDNN_STATUS_BAD_PARAM")

    assert reply(task, Path("a.mp4")) == ({"fault": "Fail: CUDNN_STATUS_BAD_PARAM"}, {})


def test_networks_of_another_version_stop_before_any_video(
    tmp_path: Path, detector: Path, video: Path
) -> None:
    shutil.copytree(detector, tmp_path / "old")
    shutil.copy(detector / "rnet.onnx", tmp_path / "old" / "onet.onnx")
    with (
        WorkerPool(1, Limits(), CropPolicy(), tmp_path / "old") as pool,
        pytest.raises(StageError, match=r"onet\.onnx: takes or gives something else"),
    ):
        pool.extract_one(video)


LIMITED = """
import resource
from types import SimpleNamespace
from components.faces.detector import Guarded
from components.faces import worker
from components.faces.limits import Limits
worker._limit_resources(Limits(), memory=not Guarded(SimpleNamespace({stated})).on_device)
print(resource.getrlimit(resource.RLIMIT_AS)[0], resource.getrlimit(resource.RLIMIT_FSIZE)[0])
"""


@pytest.mark.parametrize(
    ("stated", "granted"),
    [
        ("provider='CUDAExecutionProvider'", -1),  # maps more than any limit that would mean something
        ("provider='CPUExecutionProvider'", Limits().memory_mb * 2**20),
        ("", Limits().memory_mb * 2**20),
    ],
)
def test_memory_is_limited_unless_the_detector_computes_on_a_device(stated: str, granted: int) -> None:
    child = [sys.executable, "-c", LIMITED.format(stated=stated)]
    told = subprocess.run(child, cwd=PACKAGE_ROOT, capture_output=True, text=True, check=True).stdout
    assert told.split() == [str(granted), "0"]


def test_examine_and_stills_answer_for_every_path(tmp_path: Path, video: Path) -> None:
    (tmp_path / "text.mp4").write_text("hello")
    paths = [video, tmp_path / "text.mp4"] * 3
    with WorkerPool(2, Limits(memory_mb=512)) as pool:  # the least that may be granted suffices
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
    monkeypatch.setattr("components.faces.process.PACKAGE_ROOT", Path("/nonexistent"))
    worker = WorkerProcess({})
    with pytest.raises(StageError, match="a video worker cannot start"):
        worker.ask({}, 1.0)
    worker.close()
    assert capfd.readouterr().err


SCRIPT = """
import sys, time
from pathlib import Path
from components.faces.pool import WorkerPool
from components.faces.limits import Limits
with WorkerPool(2, Limits()) as pool:
    for index, answer in pool.probe([Path(sys.argv[1])] * 10_000_000):
        if index == 20:
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
        assert parent.stdout
        workers = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(workers) == 2
        os.killpg(parent.pid, end)  # as Ctrl-C does
        assert parent.wait(PATIENCE) == -end
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


def reader(content: bytes) -> Callable[[memoryview], None]:
    rest = memoryview(content)

    def read_into(view: memoryview) -> None:
        nonlocal rest
        if len(rest) < len(view):
            raise EOFError
        view[:], rest = rest[: len(view)], rest[len(view) :]

    return read_into


def test_messages_come_back_as_they_were() -> None:
    arrays = {"a": np.arange(6, dtype=np.uint8).reshape(2, 3), "b": np.zeros((0, 4), np.float32)}
    header, received = receive(reader(pack({"task": "probe", "path": "\udcff"}, arrays)), max_bytes=6)
    assert header == {"task": "probe", "path": "\udcff"}
    assert {name: array.tolist() for name, array in received.items()} == {
        "a": [[0, 1, 2], [3, 4, 5]],
        "b": [],
    }


def header_of(arrays: Any) -> bytes:
    content = json.dumps({"header": {}, "arrays": arrays}).encode()
    return len(content).to_bytes(4, "little") + content


@pytest.mark.parametrize(
    "content",
    [
        (MAX_HEADER + 1).to_bytes(4, "little"),
        b"\x02\0\0\0[]",
        b"\x04\0\0\0nope",
        pack({}, {"a": np.zeros(1, "complex64")}),
        (60_000).to_bytes(4, "little") + b"[" * 60_000,
        header_of([["a", "uint8", [1 << 40]]]),
        header_of([["a", "uint8", [0, 1 << 70]]]),
        header_of([["a", "uint8", [60]], ["b", "float32", [11]]]),
        header_of([["a", "uint8", [101]], ["b", "uint8", [-1]]]),
        header_of([["a", "uint8", [-1]]]),
        header_of([["a", "uint8", "12"]]),
        header_of([["a", "uint8"]]),
        header_of(None),
    ],
)
def test_what_is_no_message_is_refused(content: bytes) -> None:
    with pytest.raises(ProtocolError):
        receive(reader(content), max_bytes=100)


def test_a_message_that_breaks_off_is_the_end() -> None:
    with pytest.raises(EOFError):
        receive(reader(pack({}, {"a": np.zeros(9, np.uint8)})[:-1]), max_bytes=9)
