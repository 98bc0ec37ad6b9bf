"""A project as it stands before evaluate: 15 people in val, 12 in test, three candidates."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.params import Params, load_params
from components.project import Project
from components.tables import FACES, MANIFEST, PREDICTIONS, write_table

QUALITY = {"simple_cnn": 3.0, "resnet18_average": 1.5, "efficientnet_bilstm": 0.5}
LIKE: dict[str, Any] = {"width": 640, "height": 360, "frames": 100, "bytes": 500_000}
SEEN: dict[str, Any] = {"box_side": 100.0, "brightness": 0.5, "colourfulness": 40.0}
METHODS = ("selfblend", "swap", "flicker")
SPLITS = ["train"] * 3 + ["val"] * 15 + ["test"] * 12


def video(person: int, split: str, label: str) -> dict[str, Any]:
    return {
        "video_id": f"{label}/p{person:03d}",
        "label": label,
        "method": METHODS[person % 3] if label == "fake" else "none",
        "identities": [f"p{person:03d}"],
        "group": f"p{person:03d}",
        "split": split,
        "status": "ok",
        **LIKE,
    }


@pytest.fixture
def drawn() -> None:
    """For tests of figures: all others go without, since to draw them takes most of the stage's time."""


@pytest.fixture(autouse=True)
def _undrawn(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "drawn" not in request.fixturenames:
        for name in ("draw", "draw_candidates", "draw_slices"):
            monkeypatch.setattr(f"components.stages.evaluate.{name}", lambda *_: None)


@pytest.fixture
def params() -> Params:
    whole = load_params(Path(__file__).parents[3] / "params.yaml")
    candidates = {name: whole.candidates[name] for name in QUALITY}
    evaluate = whole.evaluate.model_copy(update={"bootstrap": 20})
    return whole.model_copy(update={"candidates": candidates, "evaluate": evaluate})


@pytest.fixture
def project(tmp_path: Path, params: Params) -> Project:
    project = Project(tmp_path)
    videos = [
        video(person, split, label) for person, split in enumerate(SPLITS) for label in ("real", "fake")
    ]
    broken = {"video_id": "real/broken", "label": "real", "status": "undecodable"}
    # One genuine test video shows no face: it is decodable, so it lowers the coverage.
    faces = [row | {"status": "no_face" if row["video_id"] == "real/p029" else "ok"} for row in videos]
    write_table([*videos, broken], MANIFEST, project.manifest)
    digest = params.faces.digest
    told = [
        {key: row[key] for key in ("video_id", "status")} | SEEN | {"crop_digest": digest} for row in faces
    ]
    write_table(told, FACES, project.faces)
    scored = [row for row in faces if row["status"] == "ok" and row["split"] != "train"]
    for name, quality in QUALITY.items():
        write_predictions(project, name, scored, quality)
        write_history(project.history(name))
    return project


def write_predictions(project: Project, name: str, videos: list[dict[str, Any]], quality: float) -> None:
    random = np.random.default_rng(7)
    rows = [
        {key: row[key] for key in ("video_id", "group", "split", "method")}
        | {"label": int(row["label"] == "fake")}
        | {"logit": quality * ((row["label"] == "fake") - 0.5) + random.normal()}
        for row in videos
    ]
    write_table(rows, PREDICTIONS, project.candidate(name) / "predictions.parquet")


def write_history(path: Path) -> None:
    path.parent.mkdir(parents=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["epoch", "train_loss", "val_loss", "val_auc", "lr"])
        writer.writerows(
            [epoch, 0.7 - epoch / 20, 0.7 - epoch / 30, 0.5 + epoch / 20, 0.001] for epoch in range(1, 9)
        )
