import shutil
from pathlib import Path

import pytest

from components.documents import read_document
from components.errors import StageError
from components.ingest.statistics.contact_sheet import choose_strips
from components.ingest.statistics.results import Statistics
from components.ingest.statistics.statistics import compute_statistics
from components.params import Params, load_params
from components.project import Project
from components.stages.describe import giveaways, read_stills, run
from components.tables import MANIFEST, write_table

ROOT = Path(__file__).parents[4]


@pytest.fixture(scope="session")
def params() -> Params:
    return load_params(ROOT / "params.yaml")


@pytest.fixture
def project(tmp_path: Path, sample_data: Path, make_row) -> Project:
    """Two videos, one of which has broken since it was examined."""
    project = Project(tmp_path)
    rows = [
        make_row(path="data/a.mp4", video_id="a"),
        make_row(path="data/b.mp4", video_id="b", label="fake"),
    ]
    project.data.mkdir()
    shutil.copy(sorted((sample_data / "real").glob("*.mp4"))[0], project.data / "a.mp4")
    (project.data / "b.mp4").write_text("no video any more", encoding="utf-8")
    write_table(rows, MANIFEST, project.manifest)
    return project


def test_writes_all_reports_though_a_video_has_broken(project: Project, params: Params) -> None:
    run(project, params, workers=1)
    folder = project.reports / "dataset"
    assert read_document(Statistics, folder / "statistics.json").total.videos == 2
    written = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    formats = {f"formats/{name}.csv" for name in ("duration", "resolution", "fps", "bitrate", "codec")}
    figures = {f"figures/{name}.png" for name in ("balance", "methods", "formats")}
    assert (
        written == {"statistics.json", "labels.csv", "methods.csv", "contact_sheet.png"} | formats | figures
    )


def test_the_same_manifest_gives_the_same_bytes(project: Project, params: Params) -> None:
    contents = []
    for _ in range(2):
        run(project, params, workers=1)
        files = sorted((project.reports / "dataset").rglob("*.*"))
        contents.append([path.read_bytes() for path in files])
    assert contents[0] == contents[1]


def test_pictures_and_reasons(project: Project, params: Params, make_row) -> None:
    rows = [make_row(path=f"data/{name}.mp4", video_id=name) for name in ("a", "b", "gone")]
    pictures = read_stills(project.root, choose_strips(rows), params.limits, workers=1)
    assert not isinstance(pictures["a"], str)
    assert max(pictures["a"].shape[:2]) == 160
    assert isinstance(pictures["b"], str)
    assert isinstance(pictures["gone"], str)


def test_without_a_manifest_it_says_what_to_run(tmp_path: Path, params: Params) -> None:
    with pytest.raises(StageError, match="dvc repro"):
        run(Project(tmp_path), params)


def test_a_format_that_gives_the_label_away_is_a_warning(make_row) -> None:
    rows = [
        make_row(label=label, split=split, codec={"real": "h264", "fake": "vp9"}[label])
        for label in ("real", "fake")
        for split in ("train", "test")
        for _ in range(30)
    ]
    (line,) = giveaways(compute_statistics(rows))
    assert line.startswith("warning: the codec of a file alone tells real from fake for 100%")
    assert giveaways(compute_statistics([row | {"codec": "h264"} for row in rows])) == []
