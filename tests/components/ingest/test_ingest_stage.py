"""The whole stage on real files, the broken kinds among them."""

import csv
import json
import os
import re
import time
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from components.errors import DataError
from components.faces.clip import GivenUp
from components.faces.pool import WorkerPool
from components.params import Params, load_params
from components.project import Project
from components.stages.ingest import run
from components.tables import MANIFEST, read_table
from tests.components.ingest.malformed import malformed_videos

FRAMES = 12


def write_video(path: Path, seed: int, frames: int = FRAMES) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    shade = np.random.default_rng(seed).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    with av.open(path, "w") as container:
        stream = container.add_stream("mpeg4", rate=25, width=64, height=48, pix_fmt="yuv420p")
        for index in range(frames):
            picture = av.VideoFrame.from_ndarray(np.roll(shade, index, axis=1), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())


def write_sound(path: Path) -> None:
    with av.open(path, "w") as container:
        stream = container.add_stream("aac", rate=16000)
        for index in range(8):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = 16000, 1024 * index, Fraction(1, 16000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


@pytest.fixture(scope="module")
def params() -> Params:
    return load_params(Path(__file__).parents[3] / "params.yaml")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Six people with two clips each, in folders only."""
    for person in range(6):
        write_video(tmp_path / "data" / "real" / f"p{person}.mp4", seed=person)
        write_video(tmp_path / "data" / "fake" / f"p{person}.mp4", seed=100 + person)
    age(tmp_path)
    return Project(tmp_path)


def age(folder: Path) -> None:
    """Let all files be of an hour ago: what was written just now is read again."""
    for path in folder.rglob("*.mp4"):
        os.utime(path, (time.time() - 3600,) * 2)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the videos that workers are asked to open, as they come."""
    names: list[str] = []
    examine_one = WorkerPool.examine_one

    def tell(pool: WorkerPool, path: Path) -> Any:
        names.append(path.name)
        return examine_one(pool, path)

    monkeypatch.setattr(WorkerPool, "examine_one", tell)
    return names


def outputs(project: Project) -> dict[str, bytes]:
    files = (project.manifest, project.splits, project.splits_lock, project.quarantine)
    return {path.name: path.read_bytes() for path in files}


def ingest(project: Project, params: Params) -> dict[str, dict[str, Any]]:
    run(project, params, workers=1)
    return {row["video_id"]: row for row in read_table(project.manifest, MANIFEST)}


def test_folders_become_a_manifest(
    project: Project, params: Params, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = ingest(project, params)
    assert list(rows) == [f"{label}/p{person}" for label in ("fake", "real") for person in range(6)]
    row = rows["real/p3"]
    assert (project.root / row["path"]).is_file()
    assert {
        name: row[name] for name in ("frames", "fps", "width", "height", "duration", "codec", "status")
    } == {
        "frames": FRAMES,
        "fps": 25.0,
        "width": 64,
        "height": 48,
        "duration": FRAMES / 25,
        "codec": "mpeg4",
        "status": "ok",
    }
    assert (row["group"], row["split"]) == ("unnamed:p3", rows["fake/p3"]["split"])
    assert {row["split"] for row in rows.values()} == {"train", "val", "test"}
    assert (row["dataset"], row["prescribed"], row["excluded"]) == ("data", None, None)
    assert row["sources"] == ["real/p3", "real/p3.mp4"]
    assert row["fingerprint"]
    told = capsys.readouterr().err
    assert "12 of 12 videos name nobody" in told
    assert "No source recording, no content, no near duplicate stands in two splits." in told


def test_the_same_data_gives_the_same_bytes(project: Project, params: Params) -> None:
    ingest(project, params)
    first = outputs(project)
    project.examined.unlink()
    project.splits_lock.unlink()
    ingest(project, params)
    assert outputs(project) == first


def test_where_nothing_has_changed_nothing_is_done(
    project: Project, params: Params, decoded: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    ingest(project, params)
    first = outputs(project), project.manifest.stat().st_mtime_ns
    assert len(decoded) == 12
    capsys.readouterr()
    ingest(project, params)
    assert (outputs(project), project.manifest.stat().st_mtime_ns) == first
    assert "12 videos, nothing changed" in capsys.readouterr().err
    assert len(decoded) == 12


def test_outputs_that_are_not_those_written_are_written_again(
    project: Project, params: Params, decoded: list[str]
) -> None:
    ingest(project, params)
    first = outputs(project)
    decoded.clear()
    for lost, how in product(("manifest", "splits", "quarantine", "splits_lock"), ("gone", "changed")):
        path: Path = getattr(project, lost)
        if how == "gone":
            path.unlink()
        elif lost == "splits_lock":
            path.write_text(path.read_text().replace("seed=", "seed=9"))
        else:
            path.write_text("something else")
        ingest(project, params)
        assert outputs(project) == first, (lost, how)
    assert not decoded


def test_only_a_new_video_is_decoded_and_nobody_moves(
    project: Project, params: Params, decoded: list[str]
) -> None:
    before = {name: row["split"] for name, row in ingest(project, params).items()}
    write_video(project.data / "real" / "new.mp4", seed=50)
    (project.data / "fake" / "p5.mp4").unlink()
    decoded.clear()
    rows = ingest(project, params)
    assert decoded == ["new.mp4"]
    del before["fake/p5"]
    assert {name: row["split"] for name, row in rows.items() if name != "real/new"} == before
    assert rows["real/new"]["split"] is not None


def test_an_interrupted_run_is_taken_up_again(
    project: Project, params: Params, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []
    examine_one = WorkerPool.examine_one

    def interrupted(pool: WorkerPool, path: Path) -> Any:
        asked.append(path.name)
        if len(asked) == 5:
            raise KeyboardInterrupt
        return examine_one(pool, path)

    monkeypatch.setattr(WorkerPool, "examine_one", interrupted)
    with pytest.raises(KeyboardInterrupt):
        ingest(project, params)
    told = re.search(
        r"(\d+) of 12 videos are left to examine; the same command goes on", capsys.readouterr().err
    )
    assert told
    left = int(told[1])
    assert left in {8, 9, 10}  # of the four that were decoded, some may not have been waited for
    assert not project.manifest.exists()
    rows = ingest(project, params)
    assert len(asked) == 5 + left
    assert all(row["status"] == "ok" for row in rows.values())


def test_a_video_that_was_given_up_is_tried_again(
    project: Project, params: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    examine_one = WorkerPool.examine_one
    answers = iter([GivenUp("undecodable", "took longer than 1 s and was given up")])

    def once(pool: WorkerPool, path: Path) -> Any:
        return next(answers, None) or examine_one(pool, path)

    monkeypatch.setattr(WorkerPool, "examine_one", once)
    assert sorted(row["status"] for row in ingest(project, params).values())[-1] == "undecodable"
    assert {row["status"] for row in ingest(project, params).values()} == {"ok"}


def test_splits_are_told_in_numbers(
    project: Project, params: Params, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [
        f"real/p{n}.mp4,real,person {n},none,{split}" for n, split in enumerate(("train", "test", "val"))
    ]
    lines += [
        f"fake/p{n}.mp4,fake,person {n},swap,{split}" for n, split in enumerate(("train", "test", "val"))
    ]
    lines += ["fake/p3.mp4,fake,person 0,paste,test"]
    (project.data / "manifest.csv").write_text("\n".join(["path,label,identity,method,split", *lines]))
    rows = ingest(project, params)
    summary = json.loads(project.splits.read_text())
    assert summary["splits"]["test"] == {
        "videos": 3,
        "real": 1,
        "fake": 2,
        "people": 2,
        "unnamed": 0,
        "unseen": 0,
        "groups": len({row["group"] for row in rows.values() if row["split"] == "test"}),
        "methods": {"none": 1, "paste": 1, "swap": 1},
        "datasets": {"data": 3},
    }
    assert summary["videos"] == 7
    assert summary["excluded"] == {"unlabelled": 0, "dataset": 0, "bridge": 0, "leak": 0}
    assert summary["leaks"] == {"identity": 1, "source": 0, "content": 0, "near-duplicate": 0}
    assert summary["datasets"]["data"]["videos"] == 7
    (note,) = summary["datasets"]["data"]["notes"]
    told = capsys.readouterr().err
    assert note in told
    assert "Leaks by person: 1" in told
    assert "No source recording, no content, no near duplicate stands in two splits." in told


def test_assigning_anew_is_told(project: Project, params: Params, capsys: pytest.CaptureFixture[str]) -> None:
    seed = params.ingest.seed
    ingest(project, params)
    assert "assigned anew" not in capsys.readouterr().err
    ingest(project, params.model_copy(update={"ingest": params.ingest.model_copy(update={"seed": seed + 1})}))
    assert f"assigned anew: seed {seed} → {seed + 1}; people may move" in capsys.readouterr().err


def test_datasets_stand_side_by_side(project: Project, params: Params) -> None:
    for label in ("real", "fake"):
        for person in range(3):
            write_video(project.data / "more" / label / f"p{person}.mp4", seed=hash((label, person)) % 1000)
    params = params.model_copy(
        update={"ingest": params.ingest.model_copy(update={"datasets": {"more": "ignore"}})}
    )
    rows = ingest(project, params)
    assert {row["dataset"]: row["excluded"] for row in rows.values()} == {"data": None, "more": "dataset"}
    assert rows["more/real/p0"]["identities"] == ["unnamed:more/p0"]
    assert rows["more/real/p0"]["split"] is None
    summary = json.loads(project.splits.read_text())
    assert summary["excluded"]["dataset"] == 6
    assert {name: told["videos"] for name, told in summary["datasets"].items()} == {"data": 12, "more": 6}


def test_each_broken_video_is_a_row(
    project: Project, params: Params, capsys: pytest.CaptureFixture[str]
) -> None:
    fake = project.data / "fake"
    (fake / "text.mp4").write_text("not a video")
    (fake / "empty.mp4").touch()
    (fake / "empty_too.mp4").touch()
    (fake / "truncated.mp4").write_bytes((fake / "p0.mp4").read_bytes()[:-600])
    write_sound(fake / "sound.mp4")
    write_video(fake / "short.mp4", seed=9, frames=3)
    (fake / "gone.mp4").symlink_to(project.root / "gone.mp4")
    os.mkfifo(fake / "pipe.mp4")
    rows = ingest(project, params)
    broken = {row["video_id"]: row for row in rows.values() if row["status"] != "ok"}
    assert {name: row["status"] for name, row in broken.items()} == {
        "fake/text": "undecodable",
        "fake/empty": "undecodable",
        "fake/empty_too": "undecodable",
        "fake/truncated": "undecodable",
        "fake/sound": "undecodable",
        "fake/short": "too_short",
        "fake/gone": "undecodable",
        "fake/pipe": "undecodable",
    }
    assert all(row["split"] is None and row["frames"] is None for row in broken.values())
    assert broken["fake/gone"]["reason"] == "file not found"
    assert broken["fake/sound"]["reason"].startswith("no video stream")
    told = capsys.readouterr().err
    assert "8 videos cannot be used (too_short 1, undecodable 7): reports/quarantine.csv" in told
    with project.quarantine.open(newline="") as file:
        listed = {line["path"]: line for line in csv.DictReader(file)}
    assert list(listed) == sorted(row["path"] for row in broken.values())
    assert listed["data/fake/empty.mp4"] == {
        "path": "data/fake/empty.mp4",
        "dataset": "data",
        "status": "undecodable",
        "reason": "the file is empty",
    }


def test_malformed_videos_end_in_quarantine_and_nothing_else_does(project: Project, params: Params) -> None:
    expected = malformed_videos(project.data / "fake" / "malformed")
    rows = ingest(project, params)
    with project.quarantine.open(newline="") as file:
        listed = {line["path"]: line for line in csv.DictReader(file)}
    statuses = {path.removeprefix("data/fake/malformed/"): line["status"] for path, line in listed.items()}
    assert len(expected) >= 40
    assert statuses == expected
    assert all(line["reason"] for line in listed.values())
    assert {row["status"] for row in rows.values() if "malformed" not in row["path"]} == {"ok"}
    assert all(row["split"] for row in rows.values() if row["status"] == "ok")


def test_manifest_csv_names_people_and_a_listed_file_may_be_missing(
    project: Project, params: Params, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [f"real/p{n}.mp4,real,person {n}," for n in range(6)]
    lines += [f"fake/p{n}.mp4,fake,person {n};person {n ^ 1},swap" for n in range(5)]
    lines += ["fake/lost.mp4,fake,person 5,swap"]
    (project.data / "manifest.csv").write_text("\n".join(["path,label,identity,method", *lines]))
    rows = ingest(project, params)
    assert rows["fake/p2"]["identities"] == ["person 2", "person 3"]
    assert rows["fake/p2"]["split"] == rows["real/p3"]["split"]
    assert (rows["fake/lost"]["status"], rows["fake/lost"]["reason"]) == ("undecodable", "file not found")
    told = capsys.readouterr().err
    assert "manifest.csv: 1 of 12 listed videos are not there: fake/lost.mp4" in told
    assert "manifest.csv: 1 videos are not listed and left out: fake/p5.mp4" in told
    assert "No person, no source recording, no content, no near duplicate stands in two splits." in told


def test_no_data(tmp_path: Path, params: Params) -> None:
    with pytest.raises(DataError, match="no such folder; put videos under data/real"):
        run(Project(tmp_path), params)
