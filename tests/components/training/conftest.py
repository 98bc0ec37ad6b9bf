"""Made-up clips: a green square marks the fakes of the training split, and means nothing in the others.

So the training loss falls while the validation loss rises, which calls for lower rates and an early stop.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from components.faces.clip import Faces
from components.faces.store import ClipStore
from components.params import Params, load_params
from components.params.training import Plateau
from components.project import Project
from components.tables import FACES, MANIFEST, write_table
from tests.components.models.conftest import _one_thread

__all__ = ["_one_thread"]

SHIPPED = load_params(Path(__file__).parents[3] / "params.yaml")
FRAMES, SIZE = 6, 32
SPLITS = {"train": 8, "val": 4, "test": 4}


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, make_faces: Callable[..., Faces]) -> Path:
    root = tmp_path_factory.mktemp("project")
    make_project(root, make_faces(FRAMES, SIZE))
    return root


def make_project(root: Path, template: Faces) -> None:
    """Tables and clip files, as the stages before training would leave them."""
    project = Project(root)
    rows = [
        _row(f"{label}/{split}{number}", split, label)
        for split, count in SPLITS.items()
        for label in ("real", "fake")
        for number in range(count // 2)
    ]
    broken = _row("fake/broken", "train", "fake") | {"status": "undecodable", "split": None}
    write_table([*rows, broken], MANIFEST, project.manifest)
    faces = [{"video_id": row["video_id"], "status": "ok", "clip": _clip_name(row)} for row in rows]
    faces.append({"video_id": "fake/broken", "status": "undecodable", "clip": None})
    faces = [row | {"crop_digest": SHIPPED.faces.digest} for row in faces]
    write_table(faces, FACES, project.faces)
    for number, row in enumerate(rows):
        clip = replace(template.main, crops=_crops(number, marked=_is_marked(row, number)))
        ClipStore(project.clips).write(_clip_name(row), replace(template, clips=(clip,)))


def _row(video_id: str, split: str, label: str) -> dict[str, Any]:
    return {
        "video_id": video_id,
        "dataset": "data",
        "label": label,
        "method": "swap" if label == "fake" else "none",
        "group": f"g-{video_id}",
        "split": split,
        "status": "ok",
    }


def _is_marked(row: Mapping[str, Any], number: int) -> bool:
    return bool(row["label"] == "fake" if row["split"] == "train" else number % 2)


def _clip_name(row: Mapping[str, Any]) -> str:
    return f"{row['video_id'].replace('/', '-')}.npz"


def _crops(seed: int, marked: bool) -> np.ndarray[Any, Any]:
    crops = np.random.default_rng(seed).integers(60, 180, (FRAMES, SIZE, SIZE, 3), dtype=np.uint8)
    if marked:
        crops[:, 8:24, 8:24] = (0, 255, 0)
    return crops


@pytest.fixture(scope="session")
def params() -> Params:
    """The shipped parameters, cut down: six epochs, one thread, so that sums are added in one order."""
    return with_settings(
        SHIPPED,
        epochs=6,
        batch_size=4,
        frames=3,
        num_threads=1,
        schedule=Plateau(name="plateau", warmup_epochs=1, patience=1),
    )


def with_settings(params: Params, **settings: Any) -> Params:
    """Parameters with `simple_cnn` as the only candidate, of which some settings are others."""
    changed = params.candidates["simple_cnn"].model_copy(update=settings)
    return params.model_copy(update={"candidates": {"simple_cnn": changed}})


@pytest.fixture(scope="session")
def changed(params: Params) -> Callable[..., Params]:
    """The parameters of `params` with some settings of their candidate changed."""
    return partial(with_settings, params)


class MadeUpStore:
    """Crops (K, T, S, S, 3) by a clip's name, read as a `ClipStore` reads them.

    `reads` tells what was asked for: name, frames and faces.
    """

    def __init__(self, crops: Callable[[str], NDArray[np.uint8]]) -> None:
        self._crops = crops
        self.reads: list[tuple[str, list[int] | None, int | None]] = []

    def shape(self, name: str) -> tuple[int, ...]:
        return self._crops(name).shape

    def read_crops(
        self, name: str, frames: Sequence[int] | None = None, clips: int | None = None
    ) -> NDArray[np.uint8]:
        self.reads.append((name, None if frames is None else list(frames), clips))
        crops = self._crops(name)[:clips].copy()
        return crops if frames is None else crops[:, list(frames)]

    def read_geometry(self, name: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """A face in the middle of a small frame, of which no landmark is known."""
        faces, length = self.shape(name)[:2]
        boxes = np.tile(np.array([10, 10, 50, 50], np.float32), (faces, length, 1))
        return boxes, np.full((faces, length, 5, 2), np.nan, np.float32)


@pytest.fixture(scope="session")
def made_up_store() -> type[MadeUpStore]:
    return MadeUpStore


class Curves:
    """Stands in for the tracking room's live run."""

    def __init__(self) -> None:
        self.opened: list[tuple[str, str]] = []
        self.logged: list[tuple[int, Mapping[str, float]]] = []

    @contextmanager
    def live_run(
        self, candidate: str, params: Mapping[str, object], key: str = "", project: Project | None = None
    ) -> Iterator["Curves"]:
        self.opened.append((candidate, key))
        yield self

    def log(self, metrics: Mapping[str, float], step: int) -> None:
        self.logged.append((step, metrics))


@pytest.fixture
def curves(monkeypatch: pytest.MonkeyPatch) -> Curves:
    made = Curves()
    monkeypatch.setattr("components.tracking.runs.live_run", made.live_run)
    return made
