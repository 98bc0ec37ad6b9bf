"""The whole stage on real files, the broken kinds among them."""

import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from components.errors import DataError, LeakageError
from components.ingest.content import hash_file
from components.ingest.stage import run
from components.params import Params, load_params
from components.project import Project
from components.tables import MANIFEST, read_table

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
    return Project(tmp_path)


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
    assert "12 of 12 videos name nobody" in capsys.readouterr().err


def test_the_same_data_gives_the_same_bytes(project: Project, params: Params) -> None:
    ingest(project, params)
    first = hash_file(project.manifest)
    ingest(project, params)
    assert hash_file(project.manifest) == first


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
    assert (
        "8 of them cannot be used: data/fake/empty.mp4 (undecodable: the file is empty)"
        in capsys.readouterr().err
    )


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
    assert "manifest.csv: 1 videos are not listed and left out: fake/p5.mp4" in told
    assert "No person stands in two splits." in told


def test_prescribed_splits_that_share_a_person_stop_the_run(project: Project, params: Params) -> None:
    lines = ["real/p0.mp4,real,x,train", "fake/p0.mp4,fake,x;y,", "real/p1.mp4,real,y,test"]
    (project.data / "manifest.csv").write_text("\n".join(["path,label,identity,split", *lines]))
    with pytest.raises(LeakageError, match="identities x, y belong together"):
        ingest(project, params)
    assert not project.manifest.exists()


def test_no_data(tmp_path: Path, params: Params) -> None:
    with pytest.raises(DataError, match="no such folder; make some with `unmask sample-data data`"):
        run(Project(tmp_path), params)
