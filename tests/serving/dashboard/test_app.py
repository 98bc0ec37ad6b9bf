"""The page as Streamlit runs it, without and with a browser."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit
from streamlit.testing.v1 import AppTest

from components.bundle import Bundle
from components.project import Project
from serving.dashboard import APP


@pytest.fixture
def with_bundle(monkeypatch: pytest.MonkeyPatch, real_bundle: Bundle) -> Iterator[None]:
    monkeypatch.setenv("UNMASK_BUNDLE", str(real_bundle.folder))
    yield
    streamlit.cache_resource.clear()  # ends the scorer's workers


@pytest.fixture
def temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary files that must be empty in the end."""
    folder = tmp_path / "temp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.chdir(folder)
    page = AppTest.from_file(APP, default_timeout=120).run()
    assert not page.exception
    return page


def html(page: AppTest) -> str:
    elements: Any = page.get("html")
    return "\n".join(element.proto.body for element in elements)


@pytest.mark.usefixtures("with_bundle")
def test_uploads_are_scored_and_deleted(
    tmp_path: Path, temp: Path, sample_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = run(tmp_path, monkeypatch)
    video = sorted((sample_data / "real").glob("*.mp4"))[0]
    uploads = [("face.mp4", video.read_bytes(), "video/mp4"), ("<i>.mp4", b"no video", "video/mp4")]
    page.file_uploader[0].set_value(uploads).run()
    assert not page.exception
    shown = html(page)
    assert '<div class="about">face.mp4</div>' in shown
    assert '<div class="card undetermined"><div class="about">&lt;i&gt;.mp4</div>' in shown
    assert shown.count("The probability that the face is a forgery") == 1
    assert not any(temp.iterdir())


@pytest.mark.usefixtures("with_bundle")
def test_a_video_is_scored_once_however_often_the_page_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = run(tmp_path, monkeypatch)
    page.file_uploader[0].set_value([("a.mp4", b"no video", "video/mp4")]).run()
    (first,) = page.session_state["scores"].values()
    page.run()
    (second,) = page.session_state["scores"].values()
    assert second is first


@pytest.mark.usefixtures("with_bundle")
def test_the_model_is_shown_with_its_figures(
    tmp_path: Path, real_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = run(tmp_path, monkeypatch)
    assert f"**brightness**, version `{real_bundle.digest[:12]}`" in [text.value for text in page.markdown]
    assert page.table[0].value.to_numpy().tolist() == [["AUC", "0.900 (0.850 – 0.950)"]]


@pytest.mark.usefixtures("with_bundle")
def test_without_reports_the_page_says_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = run(tmp_path, monkeypatch)
    assert sum("`unmask run`" in hint.value for hint in page.info) == 2
    assert any("`dvc repro describe`" in hint.value for hint in page.info)
    assert "Gate" not in html(page)


def test_without_a_champion_the_reports_are_still_there(
    reported: Project, empty_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("UNMASK_BUNDLE", "MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"):
        monkeypatch.delenv(name, raising=False)
    shutil.copy(empty_store, reported.root / "mlflow.db")
    page = run(reported.root, monkeypatch)
    (error,) = page.error
    assert "champion" in error.value
    assert "\n" not in error.value
    assert not page.file_uploader
    assert "Gate failed" in html(page)
    assert page.table[1].value["Candidate"].tolist() == ["a (winner)", "b"]


@pytest.mark.usefixtures("with_bundle")
def test_a_broken_report_is_one_line(reported: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    reported.evaluation.write_text("{}", encoding="utf-8")
    page = run(reported.root, monkeypatch)
    (error,) = page.error
    assert "evaluation.json" in error.value
    assert page.file_uploader


@pytest.mark.usefixtures("with_bundle")
def test_the_data_are_shown(described: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    page = run(described.root, monkeypatch)
    assert {metric.label: metric.value for metric in page.metric}["Fake"] == "76.5%"
    assert page.success[0].value.startswith("No person, source recording")
    assert page.dataframe[1].value["Reason"].tolist() == ["2 frames"]
    assert len(page.get("image")) == 4
    assert page.dataframe[0].value["Dataset"].tolist() == ["faces"]
    assert page.text[1].value == "faces: part 3 of <b> 9 is **missing**"
    # Names are whatever somebody called a file or folder; a table would render them as Markdown.
    assert not [table for table in page.table if {"Note", "Dataset"} & set(table.value)]


@pytest.mark.usefixtures("with_bundle")
def test_data_that_leak_are_a_warning(described: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    described.splits.write_text('{"leaks": {"content": 2}}', encoding="utf-8")
    page = run(described.root, monkeypatch)
    assert "tie two splits" in page.warning[0].value
    assert not page.success


@pytest.mark.usefixtures("with_bundle")
def test_a_broken_report_of_the_data_leaves_the_rest(
    reported: Project, described: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    (described.reports / "dataset" / "statistics.json").write_text("{}", encoding="utf-8")
    page = run(reported.root, monkeypatch)
    (error,) = page.error
    assert "statistics.json" in error.value
    assert "Gate failed" in html(page)


def test_importing_the_page_imports_neither_torch_nor_mlflow_nor_prefect() -> None:
    code = "import sys, serving.dashboard.app; print({'torch', 'mlflow', 'prefect'} & set(sys.modules))"
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=APP.parents[2], text=True, capture_output=True, check=True
    )
    assert told.stdout == "set()\n"


@pytest.mark.browser
@pytest.mark.slow
def test_a_browser_shows_the_verdict_of_an_upload(
    browser: Any, page: str, sample_data: Path, tmp_path: Path
) -> None:
    browser.open(page)
    browser.wait_for("Upload one or more videos")
    text_file = tmp_path / "text.mp4"
    text_file.write_text("no video", encoding="utf-8")
    browser.choose_files("input[type=file]", sorted((sample_data / "real").glob("*.mp4"))[0], text_file)
    shown = browser.wait_for("Undetermined")
    assert "This file could not be read as a video, or as a picture." in shown
    assert "The probability that the face is a forgery" in shown
    browser.click('[role="tab"]:nth-of-type(2)')
    assert "on test videos Coverage not defined (required ≥ 0.950)" in browser.wait_for("Gate failed")
    browser.click('[role="tab"]:nth-of-type(3)')
    browser.wait_for("The data are not described yet")
    assert (
        browser.evaluate(
            "performance.getEntriesByType('resource').map(e => new URL(e.name).host)"
            ".filter(host => host !== location.host)"
        )
        == []
    )
