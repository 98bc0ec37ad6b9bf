"""The stage: reports first, then the verdict."""

import json
from pathlib import Path
from typing import Any

import pytest

from components.errors import StageError, ValidationError
from components.params import Params, load_params
from components.project import Project
from components.stages.validate import run
from components.tables import MANIFEST, write_table


@pytest.fixture(scope="module")
def params() -> Params:
    return load_params(Path(__file__).parents[3] / "params.yaml")


def row(split: str, label: str, number: int) -> dict[str, Any]:
    name = f"{label}/{split}{number}"
    return {
        "video_id": name,
        "path": f"data/{name}.mp4",
        "dataset": "data",
        "label": label,
        "method": "none" if label == "real" else ("swap", "blend")[number],
        "identities": [f"{split}{number}"],
        "sources": [name],
        "group": f"{split}{number}",
        "split": split,
        "frames": 24,
        "fps": 25.0,
        "width": 320,
        "height": 240,
        "bytes": 1000,
        "duration": 0.96,
        "codec": "h264",
        "sha256": name,
        "fingerprint": "0f",
        "status": "ok",
        "reason": None,
    }


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@pytest.fixture
def rows() -> list[dict[str, Any]]:
    return [
        row(split, label, n)
        for split in ("train", "val", "test")
        for label in ("real", "fake")
        for n in (0, 1)
    ]


def validate(project: Project, params: Params, rows: list[dict[str, Any]]) -> dict[str, Any]:
    write_table(rows, MANIFEST, project.manifest)
    run(project, params)
    report: dict[str, Any] = json.loads(report_file(project).read_text())
    return report


def report_file(project: Project) -> Path:
    return project.reports / "validation" / "validation.json"


def page_file(project: Project) -> Path:
    return project.reports / "validation" / "data_docs" / "index.html"


def test_a_sound_manifest_gives_both_reports_and_one_line(
    project: Project, params: Params, rows: list[dict[str, Any]], capfd: pytest.CaptureFixture[str]
) -> None:
    report = validate(project, params, rows)
    assert (report["success"], report["videos"]) == (True, 12)
    assert report["expectations"][0] == {
        "name": "all columns of the manifest are there",
        "remedy": "run dvc repro ingest again",
        "expectation": "expect_table_columns_to_match_set",
        "column": None,
        "severity": "critical",
        "success": True,
        "observed": "all columns",
        "videos": [],
        "leaks": [],
    }
    assert "The manifest is fit for training" in page_file(project).read_text()
    assert capfd.readouterr() == ("", f"49 of 49 expectations hold; see {page_file(project)}\n")


def test_another_run_replaces_everything_with_the_same_bytes(
    project: Project, params: Params, rows: list[dict[str, Any]]
) -> None:
    validate(project, params, rows)
    before = {file: file.read_bytes() for file in (report_file(project), page_file(project))}
    (project.reports / "validation" / "stale.html").touch()
    validate(project, params, rows)
    assert {file: file.read_bytes() for file in before} == before
    assert not (project.reports / "validation" / "stale.html").exists()


def test_a_warning_is_printed_and_recorded(
    project: Project, params: Params, rows: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    rows[0]["fps"], rows[0]["duration"] = 1.0, 24.0
    report = validate(project, params, rows)
    assert report["success"]
    warning = "not so: fps is between 5 and 120 (found 1 of 12 videos: real/train0); look at these videos"
    assert capsys.readouterr().err.splitlines()[0] == f"warning: {warning}"


def test_a_critical_failure_names_the_videos_after_the_reports_are_written(
    project: Project, params: Params, rows: list[dict[str, Any]]
) -> None:
    rows[0]["sha256"] = rows[2]["sha256"]
    few = params.validate_.model_copy(update={"min_videos_per_class": 1})
    with pytest.raises(ValidationError) as caught:
        validate(project, params.model_copy(update={"validate_": few}), rows)
    assert str(caught.value) == (
        f"{project.manifest}: 1 of 49 expectations do not hold, these below (see {page_file(project)})\n"
        "  not so: the same content has one label "
        "(found 2 of 12 videos: fake/train0, real/train0); one of these labels is wrong; remove that video"
    )
    assert not json.loads(report_file(project).read_text())["success"]
    assert "The manifest is not fit for training" in page_file(project).read_text()


def test_leaks_are_listed_and_the_list_is_empty_without_any(
    project: Project, params: Params, rows: list[dict[str, Any]]
) -> None:
    leaks = project.reports / "validation" / "leaks.csv"
    validate(project, params, rows)
    assert leaks.read_text() == "kind,key,split,video_id,path\n"
    rows[0]["near_duplicate"] = rows[4]["near_duplicate"] = "real/train0"
    with pytest.raises(ValidationError, match=r"near-duplicate real/train0 in train \(real/train0\) and val"):
        validate(project, params, rows)
    assert leaks.read_text().splitlines()[1:] == [
        "near-duplicate,real/train0,train,real/train0,data/real/train0.mp4",
        "near-duplicate,real/train0,val,real/val0,data/real/val0.mp4",
    ]


def test_each_broken_expectation_has_a_line_of_its_own(
    project: Project, params: Params, rows: list[dict[str, Any]]
) -> None:
    for changed in rows:
        changed["split"] = "train"
        changed["frames"] = 0
    with pytest.raises(ValidationError) as caught:
        validate(project, params, rows)
    first, *lines = str(caught.value).splitlines()
    assert f"{project.manifest}: 5 of 49 expectations" in first
    assert [line.split(" (found ")[0] for line in lines] == [
        "  not so: frames is more than zero",
        *(f"  not so: {s} holds at least 2 {x} videos" for s in ("val", "test") for x in ("real", "fake")),
    ]
    assert "12 of 12 videos: fake/test0, fake/test1, fake/train0, fake/train1, fake/val0, …)" in lines[0]


def test_without_a_manifest(project: Project, params: Params) -> None:
    with pytest.raises(StageError, match=r"manifest\.parquet: not there yet"):
        run(project, params)
