"""The policy and the limits that tests of this room use, and a worker that does as it is told."""

from collections.abc import Callable
from pathlib import Path

import pytest

from components.faces.policy import CropPolicy, Limits
from components.faces.protocol import pack


@pytest.fixture
def limits() -> Limits:
    return Limits()


@pytest.fixture
def policy() -> CropPolicy:
    return CropPolicy(frames=8, size=64)


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
    send("answer")
"""


@pytest.fixture
def worker_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Has every worker answer with the same bytes, after having been killed a number of times."""
    package = tmp_path / "fake" / "components" / "faces"
    package.mkdir(parents=True)
    for init in (package.parent / "__init__.py", package / "__init__.py"):
        init.touch()
    (package / "worker.py").write_text(FAKE_WORKER.format(folder=str(package)))
    (package / "ready").write_bytes(pack({"ready": True}))
    monkeypatch.setattr("components.faces.process.PACKAGE_ROOT", tmp_path / "fake")

    def script(answer: bytes, deaths: int = 0) -> None:
        (package / "answer").write_bytes(answer)
        for index in range(deaths):
            (package / f"life-{index}").touch()

    return script
