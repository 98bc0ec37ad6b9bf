"""Answers that a worker gives once a video has taken it over."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.detectors.settings import DETECTORS
from components.faces.clip import Faces, Failure, Origin
from components.faces.policy import FARTHEST, MAX_FACES, CropPolicy
from components.faces.pool import WorkerPool
from components.faces.reply import faces_bytes, layout, read_examined, read_faces_reply, read_info
from components.sandbox.protocol import ProtocolError, pack
from components.video.examine import Examined
from components.video.frames import VideoInfo
from components.video.limits import Limits
from components.video.sampling import Even, RangeSampling

POLICY = CropPolicy(sampling=Even(frames=2), size=32)
CROWD = CropPolicy(
    sampling=RangeSampling(policy="range", least=2, most=5), size=32, tracks="all", fallback="center"
)
INFO = asdict(VideoInfo(24, 25.0, 320, 240, 0.96, "h264", 7))
CLIP = {"face_share": 1.0, "box_side": 40.0, "brightness": 0.5, "colourfulness": 40.0}
NUMBERS = {"clips": [CLIP], "frames": 2, "tracks": 1, "fallback": None, "info": INFO}


@pytest.fixture
def networks(tmp_path: Path) -> Path:
    """What a worker that decodes nothing does not open."""
    for name in DETECTORS["mtcnn"].files:
        (tmp_path / name).touch()
    return tmp_path


def arrays(policy: CropPolicy = POLICY, clips: int = 1, length: int = 2, **changed: Any) -> dict[str, Any]:
    described = layout(policy, clips, length)
    return {name: np.zeros(shape, dtype) for name, (dtype, shape) in described.items()} | changed


def faces(numbers: dict[str, Any] | None = None, **changed: Any) -> bytes:
    """An answer with other numbers or other arrays than a sound one has."""
    return pack({"faces": NUMBERS | (numbers or {})}, arrays(**changed))


def failure(**told: Any) -> bytes:
    return pack({"failure": {"status": "no_face", "reason": "no face"} | told})


def raw(header: bytes) -> bytes:
    return len(header).to_bytes(4, "little") + header


def test_a_sound_answer_is_taken(networks: Path, worker_answers: Callable[..., None]) -> None:
    worker_answers(faces())
    with WorkerPool(1, Limits(), POLICY, networks) as pool:
        taken = pool.extract_one(Path("a.mp4"))
    assert isinstance(taken, Faces)
    assert taken.parts()[0] == NUMBERS
    assert sum(array.nbytes for array in taken.parts()[1].values()) == faces_bytes(POLICY)


@pytest.mark.parametrize("clips", [1, 2, MAX_FACES])
@pytest.mark.parametrize("length", [2, 3, 5])
def test_as_many_faces_and_frames_as_the_policy_allows_are_taken(clips: int, length: int) -> None:
    numbers = NUMBERS | {"clips": [CLIP] * clips, "tracks": clips}
    taken = read_faces_reply({"faces": numbers}, arrays(CROWD, clips, length), CROWD)
    assert isinstance(taken, Faces)
    assert len(taken.clips) == clips
    assert taken.main.crops.shape == (length, 32, 32, 3)
    assert sum(array.nbytes for array in taken.parts()[1].values()) <= faces_bytes(CROWD)


@pytest.mark.parametrize(
    ("numbers", "changed"),
    [
        ({"fallback": "center", "tracks": 0}, {}),
        ({}, {"landmarks": np.full((1, 2, 5, 2), np.nan, np.float32)}),
        ({}, {"origins": np.array([[Origin.REPEATED, Origin.INTERPOLATED]], np.uint8)}),
        ({"frames": 1}, {}),
        ({"clips": [dict.fromkeys(CLIP, 0.0)]}, {}),
    ],
    ids=["fallback", "no landmarks", "origins", "short", "small"],
)
def test_what_is_unusual_is_taken(numbers: dict[str, Any], changed: dict[str, Any]) -> None:
    taken = read_faces_reply({"faces": NUMBERS | numbers}, arrays(CROWD) | changed, CROWD)
    assert isinstance(taken, Faces)


@pytest.mark.parametrize(
    ("numbers", "sent"),
    [
        ({"clips": [CLIP] * (MAX_FACES + 1)}, arrays(CROWD, MAX_FACES + 1)),
        ({}, arrays(CROWD, length=1)),
        ({}, arrays(CROWD, length=6)),
        ({}, arrays(CROWD, 2)),
        ({"clips": [CLIP] * 2}, arrays(CROWD, 1)),
        ({"clips": [CLIP] * 2, "fallback": "center"}, arrays(CROWD, 2)),
        ({}, arrays(CROWD, length=3) | {"times": np.zeros(2)}),
        ({"frames": 4}, arrays(CROWD, length=3)),
    ],
    ids=["crowd", "short", "long", "more clips", "fewer clips", "two middles", "fewer times", "more frames"],
)
def test_other_faces_and_frames_than_the_policy_allows_are_refused(
    numbers: dict[str, Any], sent: dict[str, Any]
) -> None:
    with pytest.raises(ProtocolError):
        read_faces_reply({"faces": NUMBERS | numbers}, sent, CROWD)


@pytest.mark.parametrize("name", ["boxes", "scores", "times", "landmarks"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_refused(name: str, value: float) -> None:
    sent = arrays()
    sent[name].flat[-1] = value
    if name == "landmarks" and np.isnan(value):
        read_faces_reply({"faces": NUMBERS}, sent, POLICY)  # not known
    else:
        with pytest.raises(ProtocolError):
            read_faces_reply({"faces": NUMBERS}, sent, POLICY)


BOX = np.array([10, 10, 50, 50], np.float32)


def boxes(*corners: float) -> Any:
    sent = np.tile(BOX, (1, 2, 1))
    sent[0, 1] = corners
    return sent


@pytest.mark.parametrize(
    "changed",
    [
        {"boxes": boxes(-1e30, 0, 1e30, 9)},
        {"boxes": boxes(-1e12, 0, 1e12, 9)},
        {"boxes": boxes(0, 0, 9, 2 * FARTHEST)},
        {"boxes": boxes(9, 0, 8, 9)},
        {"boxes": boxes(0, 9, 9, 8)},
        {"landmarks": np.full((1, 2, 5, 2), -1e12, np.float32)},
        {"times": np.array([1.0, 0.5])},
        {"times": np.array([-1.0, 0.5])},
    ],
    ids=[
        "endless",
        "huge",
        "far",
        "right to left",
        "bottom up",
        "far eyes",
        "back in time",
        "before the start",
    ],
)
def test_what_is_no_place_or_time_is_refused(changed: dict[str, Any]) -> None:
    read_faces_reply({"faces": NUMBERS}, arrays(boxes=boxes(-FARTHEST, 7, FARTHEST, 7)), POLICY)
    with pytest.raises(ProtocolError):
        read_faces_reply({"faces": NUMBERS}, arrays(**changed), POLICY)


IMPOSSIBLE = [
    {"width": 0},
    {"height": 0},
    {"height": -5},
    {"fps": -1.0},
    {"fps": float("inf")},
    {"duration": -0.1},
    {"bytes": -1},
    {"width": 1 << 40},
]


@pytest.mark.parametrize("told", IMPOSSIBLE, ids=str)
def test_a_video_that_cannot_be_is_refused(told: dict[str, Any]) -> None:
    info = INFO | told
    for read in (
        lambda: read_faces_reply({"faces": NUMBERS | {"info": info}}, arrays(), POLICY),
        lambda: read_info({"info": info}),
        lambda: read_examined({"examined": {"info": info, "fingerprint": None}}),
    ):
        with pytest.raises(ProtocolError):
            read()


def test_a_video_that_does_not_tell_its_rate_is_taken() -> None:
    info = INFO | {"fps": 0.0, "duration": 0.0}
    assert read_info({"info": info}) == VideoInfo(**info)


NONSENSE = {
    "nested": raw(b"[" * 60_000),
    "long": raw(b"[" * 200_000),
    "no header": raw(b"{}"),
    "nothing told": pack({}),
    "no faces": pack({"faces": None}, arrays()),
    "unknown status": failure(status="splendid"),
    "failure that is ok": failure(status="ok"),
    "reason of two lines": failure(reason="a\nb"),
    "reason without an encoding": failure(reason="\udcff"),
    "count beyond Parquet": failure(frames=1 << 80),
    "negative count": faces({"tracks": -1}),
    "no frames": faces({"frames": 0}),
    "no clip": faces({"clips": []}, clips=0),
    "a clip more than there is": faces({"clips": [CLIP] * 2}),
    "a clip more than is scored": faces({"clips": [CLIP] * 2}, clips=2),
    "a clip that is none": faces({"clips": [None]}),
    "share above one": faces({"clips": [CLIP | {"face_share": 1.5}]}),
    "share not a number": faces({"clips": [CLIP | {"face_share": float("nan")}]}),
    "endless side": faces({"clips": [CLIP | {"box_side": float("inf")}]}),
    "side below nothing": faces({"clips": [CLIP | {"box_side": -1e300}]}),
    "side of no face": faces({"clips": [CLIP | {"box_side": 1e9}]}),
    "brighter than white": faces({"clips": [CLIP | {"brightness": 1.1}]}),
    "no colourfulness": faces({"clips": [CLIP | {"colourfulness": float("nan")}]}),
    "more colourful than can be": faces({"clips": [CLIP | {"colourfulness": 1e6}]}),
    "another number of a clip": faces({"clips": [CLIP | {"threshold": 0.0}]}),
    "another number": faces({"threshold": 0.0}),
    "unknown fallback": faces({"fallback": "corner"}),
    "fallback not asked for": faces({"fallback": "center"}),
    "unknown origin": faces(origins=np.full((1, 2), max(Origin) + 1, np.uint8)),
    "endless box": faces(boxes=np.full((1, 2, 4), np.inf, np.float32)),
    "info without a codec": faces({"info": {"frames": 1}}),
    "too few frames": faces(length=1),
    "too many frames": faces(length=3),
    "times of no length": faces(times=np.zeros(())),
    "other shape": faces(crops=np.zeros((1, 2, 16, 64, 3), np.uint8)),
    "flat": faces(crops=np.zeros(2 * 32 * 32 * 3, np.uint8)),
    "other type": faces(boxes=np.zeros((1, 2, 2), np.float64)),
    "too much": faces(crops=np.zeros((1, 2, 64, 64, 3), np.uint8)),
    "missing array": pack({"faces": NUMBERS}, {"crops": arrays()["crops"]}),
    "another array": faces(frames=np.zeros(0, np.uint8)),
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
