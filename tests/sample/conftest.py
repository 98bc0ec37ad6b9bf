"""The shipped sample, made once, and small pieces of it."""

import fcntl
from pathlib import Path

import numpy as np
import pytest

from sample import SampleSettings, generate
from sample.paint import PaintedHead, paint_head
from sample.person import draw_person

TINY = SampleSettings(people=8, frames=3, width=160, height=120, workers=1)
"""All four methods, as few pixels as possible."""


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder that all test processes share."""
    base = tmp_path_factory.getbasetemp()
    return base if worker_id == "master" else base.parent


@pytest.fixture(scope="session")
def shipped_sample(shared_folder: Path) -> Path:
    """The sample as `unmask sample-data` makes it. Only for slow tests."""
    folder = shared_folder / "shipped-sample"
    with (shared_folder / "shipped-sample.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        generate(folder, progress=False)
    return folder


@pytest.fixture(scope="session")
def networks(shared_folder: Path) -> Path:
    """MTCNN's networks."""
    from components.export.detector import convert

    folder = shared_folder / "synthesis-detector"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            convert(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_settings() -> SampleSettings:
    return TINY


@pytest.fixture(scope="session")
def tiny_sample(shared_folder: Path) -> Path:
    """A sample of `tiny_settings`. Do not write to it."""
    folder = shared_folder / "tiny-sample"
    with (shared_folder / "tiny-sample.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        generate(folder, TINY, progress=False)
    return folder


@pytest.fixture(scope="session")
def head() -> PaintedHead:
    return paint_head(draw_person(seed=3, index=0))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)
