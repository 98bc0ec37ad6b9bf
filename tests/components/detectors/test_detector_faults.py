"""A detector that fails, in a worker: no fault of a video, and told in one line."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from components.detectors.faults import DetectorFault
from components.errors import ParamsError, StageError
from components.faces.clip import Failure, GivenUp
from components.faces.policy import CropPolicy
from components.faces.pool import WorkerPool
from components.faces.worker import reply
from components.sandbox.process import PACKAGE_ROOT
from components.sandbox.protocol import pack
from components.video.frames import VideoInfo
from components.video.limits import Limits


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
from components.detectors.faults import Guarded
from components.faces.worker import memory_limit
from components.sandbox.child import limit_resources
from components.video.limits import Limits
limit_resources(memory_limit(Limits(), Guarded(SimpleNamespace({stated}))))
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
