"""A dataset whose own splits leak, once for every kind: ingest finds it, validate names it and stops."""

import csv
import shutil
from pathlib import Path
from typing import Any

import av
import pandas as pd
import pytest

from components.errors import ValidationError
from components.params import LeakKind, Params, load_params
from components.project import Project
from components.stages.ingest import run as ingest
from components.stages.validate import run as validate
from components.tables import MANIFEST, read_table

COLUMNS = ("path", "label", "identity", "source", "method", "split")

Line = dict[str, str]


@pytest.fixture(scope="module")
def params() -> Params:
    params = load_params(Path(__file__).parents[3] / "params.yaml")
    few = params.validate_.model_copy(update={"min_videos_per_class": 1})
    return params.model_copy(update={"validate_": few})


@pytest.fixture(scope="module")
def clean(sample_data: Path, params: Params, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Sample videos whose manifest prescribes the splits that ingest assigned them to."""
    project = Project(tmp_path_factory.mktemp("clean"))
    shutil.copytree(sample_data, project.data)
    ingest(project, params, workers=1)
    splits = {row["path"]: row["split"] for row in read_table(project.manifest, MANIFEST)}
    write_manifest(project, [{**line, "split": splits[f"data/{line['path']}"]} for line in manifest(project)])
    return project


@pytest.fixture
def project(clean: Project, tmp_path: Path) -> Project:
    shutil.copytree(clean.root, tmp_path / "project")
    return Project(tmp_path / "project")


def manifest(project: Project) -> list[Line]:
    with (project.data / "manifest.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_manifest(project: Project, lines: list[Line]) -> None:
    with (project.data / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(lines)


def of(lines: list[Line], split: str, label: str = "real") -> Line:
    return next(line for line in lines if line["split"] == split and line["label"] == label)


def encode_anew(source: Path, target: Path) -> None:
    """Half the size, another codec and another frame rate: not a byte is the same."""
    with av.open(source) as read, av.open(target, "w") as written:
        video = read.streams.video[0]
        stream: Any = written.add_stream("mpeg4", rate=20, width=video.width // 2, height=video.height // 2)
        stream.pix_fmt, stream.bit_rate = "yuv420p", 300_000
        pictures = [frame.to_image(width=stream.width, height=stream.height) for frame in read.decode(video)]
        for picture in (pictures[index * 25 // 20] for index in range(len(pictures) * 20 // 25)):
            written.mux(stream.encode(av.VideoFrame.from_image(picture)))
        written.mux(stream.encode())


def plant(kind: LeakKind, project: Project) -> tuple[str, str]:
    """Put one leak between test and training; the ids of the two videos."""
    lines = manifest(project)
    train, test = of(lines, "train"), of(lines, "test")
    new = {**train, "path": "real/planted.mp4", "identity": "somebody new", "source": "", "split": "train"}
    planted, original = project.data / new["path"], project.data / test["path"]
    if kind == "identity":
        shutil.copy(project.data / train["path"], planted)
        planted.write_bytes(planted.read_bytes() + b"\0\0\0\x08free")
        new |= {"identity": f"{train['identity']};{test['identity']}", "source": train["source"]}
    elif kind == "source":
        test["source"] = new["source"] = "one evening"
        shutil.copy(project.data / train["path"], planted)
        planted.write_bytes(planted.read_bytes() + b"\0\0\0\x08free")
        new |= {"identity": train["identity"]}
    elif kind == "content":
        shutil.copy(original, planted)
    else:
        encode_anew(original, planted)
    write_manifest(project, [*lines, new])
    return test["path"].removesuffix(".mp4"), "real/planted"


def test_a_clean_set_passes(project: Project, params: Params) -> None:
    ingest(project, params, workers=1)
    validate(project, params)
    assert pd.read_csv(project.reports / "validation" / "leaks.csv").empty


# Equal content looks equal, too.
KINDS: dict[LeakKind, set[str]] = {
    "identity": {"identity"},
    "source": {"source"},
    "content": {"content", "near-duplicate"},
    "near-duplicate": {"near-duplicate"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_planted_leak_is_found_and_named(kind: LeakKind, project: Project, params: Params) -> None:
    tested, planted = plant(kind, project)
    ingest(project, params, workers=1)
    with pytest.raises(ValidationError) as caught:
        validate(project, params)
    assert planted in str(caught.value)
    leaks = pd.read_csv(project.reports / "validation" / "leaks.csv")
    assert set(leaks["kind"]) == KINDS[kind]
    assert {tested, planted} <= set(leaks["video_id"])

    allowed = params.validate_.model_copy(update={"allow_leaks": tuple(KINDS[kind])})
    validate(project, params.model_copy(update={"validate_": allowed}))

    dropping = params.ingest.model_copy(update={"leak": "drop"})
    ingest(project, params.model_copy(update={"ingest": dropping}), workers=1)
    rows = {row["video_id"]: row for row in read_table(project.manifest, MANIFEST)}
    assert (rows[planted]["split"], rows[planted]["excluded"]) == (None, "leak")
    assert rows[tested]["split"] == "test"
    validate(project, params)


def test_nothing_looks_for_near_duplicates_where_that_is_off(
    project: Project, params: Params, capsys: pytest.CaptureFixture[str]
) -> None:
    plant("near-duplicate", project)
    off = params.model_copy(update={"ingest": params.ingest.model_copy(update={"near_duplicates": "off"})})
    ingest(project, off, workers=1)
    rows = list(read_table(project.manifest, MANIFEST))
    assert {row["near_duplicate"] for row in rows} == {None}
    assert all(row["fingerprint"] for row in rows)
    told = capsys.readouterr().err
    assert "Nothing looked for near duplicates" in told
    assert "no near duplicate stands" not in told
