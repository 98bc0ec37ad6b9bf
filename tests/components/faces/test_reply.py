"""Answers that a worker gives once a video has taken it over."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.faces.clip import Clip, Failure
from components.faces.examine import Examined
from components.faces.identity import NETWORKS
from components.faces.policy import CropPolicy, Even, Limits
from components.faces.pool import WorkerPool
from components.faces.protocol import pack
from components.faces.reply import clip_bytes, layout
from components.faces.video import VideoInfo

POLICY = CropPolicy(sampling=Even(frames=2), size=32)
INFO = asdict(VideoInfo(24, 25.0, 320, 240, 0.96, "h264", 7))
NUMBERS = {"frames": 2, "face_share": 1.0, "tracks": 1, "box_side": 40.0, "info": INFO}


@pytest.fixture
def networks(tmp_path: Path) -> Path:
    """What a worker that decodes nothing does not open."""
    for name in NETWORKS:
        (tmp_path / name).touch()
    return tmp_path


def arrays(**changed: Any) -> dict[str, Any]:
    return {name: np.zeros(shape, dtype) for name, (dtype, shape) in layout(POLICY).items()} | changed


def clip(**changed: Any) -> bytes:
    return pack({"clip": NUMBERS | changed}, arrays())


def failure(**told: Any) -> bytes:
    return pack({"failure": {"status": "no_face", "reason": "no face"} | told})


def raw(header: bytes) -> bytes:
    return len(header).to_bytes(4, "little") + header


def test_a_sound_answer_is_taken(networks: Path, worker_answers: Callable[..., None]) -> None:
    worker_answers(clip())
    with WorkerPool(1, Limits(), POLICY, networks) as pool:
        taken = pool.extract_one(Path("a.mp4"))
    assert isinstance(taken, Clip)
    assert taken.parts()[0] == NUMBERS
    assert sum(array.nbytes for array in taken.parts()[1].values()) == clip_bytes(POLICY)


NONSENSE = {
    "nested": raw(b"[" * 60_000),
    "long": raw(b"[" * 200_000),
    "no header": raw(b"{}"),
    "nothing told": pack({}),
    "no clip": pack({"clip": None}, arrays()),
    "unknown status": failure(status="splendid"),
    "failure that is ok": failure(status="ok"),
    "reason of two lines": failure(reason="a\nb"),
    "reason without an encoding": failure(reason="\udcff"),
    "count beyond Parquet": failure(frames=1 << 80),
    "negative count": clip(tracks=-1),
    "share above one": clip(face_share=1.5),
    "share not a number": clip(face_share=float("nan")),
    "endless side": clip(box_side=float("inf")),
    "another number": clip(threshold=0.0),
    "info without a codec": clip(info={"frames": 1}),
    "other shape": pack({"clip": NUMBERS}, arrays(crops=np.zeros((2, 16, 64, 3), np.uint8))),
    "flat": pack({"clip": NUMBERS}, arrays(crops=np.zeros(2 * 32 * 32 * 3, np.uint8))),
    "other type": pack({"clip": NUMBERS}, arrays(boxes=np.zeros((2, 2), np.float64))),
    "too much": pack({"clip": NUMBERS}, arrays(crops=np.zeros((2, 64, 64, 3), np.uint8))),
    "missing array": pack({"clip": NUMBERS}, {"crops": arrays()["crops"]}),
    "another array": pack({"clip": NUMBERS}, arrays(frames=np.zeros(0, np.uint8))),
}


@pytest.mark.parametrize("answer", NONSENSE.values(), ids=NONSENSE.keys())
def test_nonsense_costs_the_video_and_the_worker(
    networks: Path, worker_answers: Callable[..., None], answer: bytes
) -> None:
    worker_answers(answer)
    with WorkerPool(1, Limits(), POLICY, networks) as pool:
        outcome = pool.extract_one(Path("a.mp4"))
        assert pool.pids == []
        worker_answers(failure())
        assert pool.extract_one(Path("b.mp4")) == Failure("no_face", "no face")
    assert isinstance(outcome, Failure)
    assert outcome.status == "undecodable"
    assert outcome.reason.startswith("the decoder answered with nonsense (")


@pytest.mark.parametrize("fingerprint", ["", "0" * 255, "0" * 257, "G" * 256, "A" * 256, "0" * 256 + "\n", 7])
def test_nonsense_about_a_fingerprint_is_refused(
    worker_answers: Callable[..., None], fingerprint: Any
) -> None:
    worker_answers(pack({"examined": {"info": INFO, "fingerprint": fingerprint}}))
    with WorkerPool(1, Limits()) as pool:
        outcome = pool.examine_one(Path("a.mp4"))
    assert isinstance(outcome, Failure)
    assert outcome.reason.startswith("the decoder answered with nonsense (")


@pytest.mark.parametrize("fingerprint", [None, "0123456789abcdef" * 16])
def test_a_sound_examination_is_taken(worker_answers: Callable[..., None], fingerprint: str | None) -> None:
    worker_answers(pack({"examined": {"info": INFO, "fingerprint": fingerprint}}))
    with WorkerPool(1, Limits()) as pool:
        assert pool.examine_one(Path("a.mp4")) == Examined(VideoInfo(**INFO), fingerprint)


@pytest.mark.parametrize(
    "image",
    [
        None,
        np.zeros((161, 4, 3), np.uint8),
        np.zeros((4, 161, 3), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
    ],
)
def test_nonsense_for_a_still_is_refused(worker_answers: Callable[..., None], image: Any) -> None:
    worker_answers(pack({}, {} if image is None else {"still": image}))
    with WorkerPool(1, Limits()) as pool:
        outcome = pool.still_one(Path("a.mp4"))
    assert isinstance(outcome, Failure)
    assert outcome.reason.startswith("the decoder answered with nonsense (")


@pytest.mark.parametrize("info", [None, {}, INFO | {"bytes": -1}, INFO | {"codec": "h\x1b[2J"}])
def test_nonsense_about_a_video_is_refused(worker_answers: Callable[..., None], info: Any) -> None:
    worker_answers(pack({"info": info}))
    with WorkerPool(1, Limits()) as pool:
        outcome = pool.probe_one(Path("a.mp4"))
    assert isinstance(outcome, Failure)
    assert outcome.reason.startswith("the decoder answered with nonsense (")
