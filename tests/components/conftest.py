"""The policy and the limits that tests of this room use, and a worker that does as it is told."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from components.faces.policy import CropPolicy
from components.faces.pool import WorkerPool
from components.sandbox.protocol import pack
from components.video.limits import Limits
from components.video.sampling import Even


@pytest.fixture
def limits() -> Limits:
    return Limits()


@pytest.fixture
def policy() -> CropPolicy:
    return CropPolicy(sampling=Even(frames=8), size=64)


FAKE_WORKER = """
import os, pathlib, signal, struct, sys
folder = pathlib.Path({folder!r})
def receive():
    if not (length := sys.stdin.buffer.read(4)):
        sys.exit()
    sys.stdin.buffer.read(struct.unpack("<I", length)[0])
def send(name):
    sys.stdout.buffer.write((folder / name).read_bytes())
    sys.stdout.buffer.flush()
receive()
send("ready")
while True:
    receive()
    for life in sorted(folder.glob("life-*")):
        life.unlink()
        os.kill(os.getpid(), signal.SIGKILL)
    if (folder / "first").exists():
        (folder / "first").rename(folder / "once")  # before it is sent: this process may be killed then
        send("once")
    else:
        send("answer")
"""


@pytest.fixture
def worker_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Has every worker answer with the same bytes, after having been killed a number of times.

    The first answer may be another one.
    """
    package = tmp_path / "fake" / "components" / "faces"
    package.mkdir(parents=True)
    for init in (package.parent / "__init__.py", package / "__init__.py"):
        init.touch()
    (package / "worker.py").write_text(FAKE_WORKER.format(folder=str(package)))
    (package / "ready").write_bytes(pack({"ready": True}))
    monkeypatch.setattr("components.sandbox.process.PACKAGE_ROOT", tmp_path / "fake")

    def script(answer: bytes, deaths: int = 0, first: bytes | None = None) -> None:
        (package / "answer").write_bytes(answer)
        if first:
            (package / "first").write_bytes(first)
        for index in range(deaths):
            (package / f"life-{index}").touch()

    return script


@pytest.fixture(scope="session")
def make_scene() -> Callable[..., Path]:
    """Writes a film that drifts, and cuts each half second; its pictures follow from the time."""

    def make(
        path: Path,
        seconds: float = 4.0,
        fps: int = 25,
        size: tuple[int, int] = (160, 120),
        codec: str = "libx264",
        gop: int = 250,
        seed: int = 5,
        rotation: float = 0.0,
        blank_until: float = 0.0,
        options: dict[str, str] | None = None,
        **container_options: str,
    ) -> Path:
        with av.open(path, "w", options=container_options) as container:
            stream: Any = container.add_stream(codec, rate=fps, options=options or {})
            stream.width, stream.height, stream.pix_fmt, stream.gop_size = *size, "yuv420p", gop
            if rotation:
                stream.set_display_rotation(rotation)
            for index in range(round(seconds * fps)):
                image = _scene(index / fps, size, seed) if index / fps >= blank_until else _black(size)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
            container.mux(stream.encode())
        return path

    return make


def _scene(time: float, size: tuple[int, int], seed: int) -> np.ndarray[Any, Any]:
    texture = np.random.default_rng([seed, int(2 * time + 0.25)]).integers(0, 256, (9, 12, 3), np.uint8)
    large = cv2.resize(texture, (480, 360), interpolation=cv2.INTER_CUBIC)
    return cv2.resize(np.roll(large, int(40 * time), axis=1), size, interpolation=cv2.INTER_AREA)


def _black(size: tuple[int, int]) -> np.ndarray[Any, Any]:
    return np.zeros((size[1], size[0], 3), np.uint8)


@pytest.fixture
def video(tmp_path: Path, make_video: Callable[..., Path]) -> Path:
    return make_video(tmp_path / "a.mp4")


@pytest.fixture
def pool() -> Iterator[WorkerPool]:
    """One worker, and as much wall clock as a stopped worker needs to be noticed in a test."""
    with WorkerPool(1, Limits(wall_seconds=3.0)) as pool:
        yield pool
