"""Folders of pictures through the whole of ingest, and what is said of pictures that are no clip."""

import os
import time
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from components.datasets.adding import bring, make_plan
from components.datasets.found import read_datasets
from components.errors import DataError
from components.faces.pool import WorkerPool
from components.params import Params, load_params
from components.project import Project
from components.stages.ingest import run
from components.tables import MANIFEST, read_table
from components.validation.frame import make_frame

PICTURES = 9


def write_clip(folder: Path, seed: int, suffix: str = ".png") -> None:
    """Pictures of noise that drifts."""
    folder.mkdir(parents=True)
    coarse = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), dtype=np.uint8)
    for number in range(PICTURES):
        picture = Pillow.fromarray(np.roll(coarse, number, axis=1)).resize((64, 48))
        picture.save(folder / f"frame{number}{suffix}")


def age(folder: Path) -> None:
    """Let all be of an hour ago: what was written just now is read again."""
    for path in folder.rglob("*"):
        os.utime(path, (time.time() - 3600,) * 2)


@pytest.fixture(scope="module")
def params() -> Params:
    return load_params(Path(__file__).parents[3] / "params.yaml")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Four people with a clip of each class; one has a copy in another format."""
    for person in range(4):
        write_clip(tmp_path / "data/real" / f"p{person}", person)
        write_clip(tmp_path / "data/fake" / f"p{person}", 100 + person)
    write_clip(tmp_path / "data/real/copy", 0, ".bmp")
    age(tmp_path)
    return Project(tmp_path)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []
    examine_one = WorkerPool.examine_one

    def tell(pool: WorkerPool, path: Path) -> Any:
        names.append(path.name)
        return examine_one(pool, path)

    monkeypatch.setattr(WorkerPool, "examine_one", tell)
    return names


def ingest(project: Project, params: Params) -> dict[str, dict[str, Any]]:
    run(project, params, workers=1)
    return {row["video_id"]: row for row in read_table(project.manifest, MANIFEST)}


def test_folders_of_pictures_become_rows(
    project: Project, params: Params, decoded: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    rows = ingest(project, params)
    assert len(rows) == len(decoded) == 9
    row = rows["real/p3"]
    facts = ("path", "frames", "fps", "width", "height", "codec", "status")
    assert [row[name] for name in facts] == ["data/real/p3", PICTURES, 25.0, 64, 48, "png", "ok"]
    assert row["bytes"] == sum(path.stat().st_size for path in (project.data / "real/p3").iterdir())
    assert row["group"] == rows["fake/p3"]["group"]
    assert rows["real/p0"]["near_duplicate"] == rows["real/copy"]["near_duplicate"] == "real/copy"
    assert rows["real/p0"]["sha256"] != rows["real/copy"]["sha256"]
    assert make_frame(list(rows.values()))["timing"].eq(1.0).all()  # as `validate` asks

    ingest(project, params)
    assert len(decoded) == 9
    assert "9 videos, nothing changed" in capsys.readouterr().err
    folder = project.data / "real/p1"
    (folder / "frame0.png").rename(folder / "frame99.png")  # its first picture is now its last
    (project.data / "fake/p2/frame0.png").write_bytes(b"damaged")
    changed = ingest(project, params)
    assert sorted(decoded[9:]) == ["p1", "p2"]
    assert changed["real/p1"]["sha256"] != rows["real/p1"]["sha256"]
    assert changed["fake/p2"]["status"] == "ok"


def test_pictures_are_brought_one_by_one(project: Project, tmp_path: Path) -> None:
    (tmp_path / "data/real/p0/Thumbs.db").touch()
    data = tmp_path / "project/data"
    plan = make_plan(tmp_path / "data", data, name="mine")
    assert (len(plan.missing), plan.unreadable, len(plan.dataset.listing.entries)) == (9 * PICTURES, (), 9)
    list(bring(plan))
    assert make_plan(tmp_path / "data", data, name="mine").missing == ()
    assert not (data / "mine/real/p0/Thumbs.db").exists()
    (dataset,) = read_datasets(data)
    assert len(dataset.listing.entries) == 9


@pytest.mark.parametrize(
    "names", [("real/1.png", "fake/1.png"), ("real/1.png", "real/2.png", "fake/p/1.png", "fake/p/2.png")]
)
def test_loose_pictures_are_refused_with_what_to_do(tmp_path: Path, names: tuple[str, ...]) -> None:
    for name in names:
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / name).touch()
    remedy = r"pictures are no clip \(.*real/1.png.*\): put those of each video into a folder of its own"
    with pytest.raises(DataError, match=remedy):
        read_datasets(tmp_path / "data")
    if len(names) == 2:
        with pytest.raises(DataError, match=remedy):
            make_plan(tmp_path / "data", tmp_path / "elsewhere")


@pytest.mark.parametrize("shape", ["{label}/{split}/{n}.png", "{split}/{label}/{n}.png"])
def test_folders_of_splits_and_classes_are_no_clips(tmp_path: Path, shape: str) -> None:
    for label, split, n in product(("Real", "fake"), ("Train", "test"), range(3)):
        file = tmp_path / "data" / shape.format(label=label, split=split, n=n)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    for read in (read_datasets, lambda data: make_plan(data, tmp_path / "elsewhere")):
        with pytest.raises(DataError, match=r"12 pictures are no clip \(.*: put those of each video into"):
            read(tmp_path / "data")


@pytest.mark.parametrize("column", ["", "identity", "source"])
def test_single_pictures_that_nothing_ties_are_refused(tmp_path: Path, column: str) -> None:
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        (tmp_path / name).touch()
    cell = column and "ann"
    table = f"path,label,{column or 'method'}\na.jpg,real,{cell}\nb.jpg,fake,{cell}\nc.jpg,,\n"
    (tmp_path / "manifest.csv").write_text(table, encoding="utf-8")
    if column:
        assert len(read_datasets(tmp_path)[0].listing.entries) == 3
        return
    told = r"manifest\.csv: 2 single pictures with neither identity nor source: a\.jpg, b\.jpg; name who is"
    with pytest.raises(DataError, match=told):
        read_datasets(tmp_path)


def test_a_manifest_may_name_folders_and_single_pictures(tmp_path: Path) -> None:
    for name in ("clips/One/1.png", "clips/One/2.png", "faces/a.jpg", "faces/b.jpg", "faces/c.jpg"):
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / name).touch()
    table = "path,label,identity\nclips/one,real,ann\nfaces/a.jpg,fake,ann\nfaces/b.jpg,fake,bob\n"
    (tmp_path / "data/manifest.csv").write_text(table, encoding="utf-8")
    (dataset,) = read_datasets(tmp_path / "data")
    assert [entry.path for entry in dataset.listing.entries] == ["clips/One", "faces/a.jpg", "faces/b.jpg"]
    assert any(
        "1 pictures, no clip in the layout manifest: faces/c.jpg" in note for note in dataset.listing.notes
    )
