import json
from pathlib import Path

import pytest

from components.errors import StageError
from components.ingest.statistics.results import Statistics
from components.project import Project
from serving.dashboard import dataset_reports as reports


def test_a_project_without_reports_has_none(tmp_path: Path) -> None:
    found = reports.read_dataset_reports(Project(tmp_path))
    assert found == reports.DatasetReports(None, None, (), (), None)


def test_reports_are_read(described: Project, statistics: Statistics) -> None:
    found = reports.read_dataset_reports(described)
    assert found.statistics == statistics
    assert found.quarantined == (
        {"Video": "data/v.mp4", "Dataset": "faces", "Status": "too short", "Reason": "2 frames"},
    )
    assert [path.stem for path in found.figures] == ["balance", "formats", "methods"]
    assert found.contact_sheet == described.reports / "dataset" / "contact_sheet.png"


@pytest.mark.parametrize("content", ["{", "[]", ""])
def test_a_broken_report_is_named(content: str, described: Project) -> None:
    described.splits.write_text(content, encoding="utf-8")
    with pytest.raises(StageError, match=r"splits\.json: .*delete it and run dvc repro"):
        reports.read_dataset_reports(described)


def test_a_long_quarantine_is_cut(described: Project) -> None:
    line = "data/v.mp4,faces,undecodable,no pictures\n"
    described.quarantine.write_text("path,dataset,status,reason\n" + line * 1500, encoding="utf-8")
    assert len(reports.read_dataset_reports(described).quarantined) == reports.MAX_QUARANTINED


def test_key_figures(statistics: Statistics) -> None:
    assert reports.key_figures(statistics.total) == {
        "Videos": ("17", "15 take part"),
        "Fake": ("76.5%", "13 fake, 4 real"),
        "People": ("1", "videos that name nobody: 1"),
        "Running time": ("64 s", "4.25 MB"),
        "Broken": ("1", "1 too short"),
        "Left out": ("1", "1 between splits"),
    }


def test_split_rows(statistics: Statistics) -> None:
    first, *_ = reports.split_rows(statistics)
    assert first == {
        "Split": "Training", "Videos": "5", "Real": "1", "Fake": "4", "Fake share": "80.0%",
        "People named": "1", "Name nobody": "0",
    }  # fmt: skip


def test_dataset_rows(statistics: Statistics) -> None:
    (row,) = reports.dataset_rows(statistics)
    assert (row["Dataset"], row["Videos"], row["Broken"], row["Left out"]) == ("faces", "17", "1", "1")


def test_format_rows(statistics: Statistics) -> None:
    rows = {row["Property"]: row for row in reports.format_display_rows(statistics.formats)}
    assert rows["Bit rate, kbit/s"]["Median"] == "500"
    assert rows["Codec"]["Median"] == "–"
    assert rows["Codec"]["Tells real from fake"].startswith("50% ± ")


@pytest.mark.parametrize(
    ("splits", "rows", "proven"),
    [
        ({}, 0, False),
        ({"leaks": {"identity": 0, "content": 0}}, 0, True),
        ({"leaks": {"identity": 2, "content": 0}}, 1, False),
    ],
)
def test_leaks(splits: dict, rows: int, proven: bool, statistics: Statistics) -> None:
    assert len(reports.leak_rows(splits)) == rows
    assert (reports.proof(splits, statistics) is not None) == proven


def test_nothing_is_proven_of_people_whom_nobody_named(described: Project, statistics: Statistics) -> None:
    splits = json.loads(described.splits.read_text(encoding="utf-8"))
    unnamed = statistics.splits["train"].model_copy(update={"unnamed": 3})
    doubtful = statistics.model_copy(update={"splits": {**statistics.splits, "train": unnamed}})
    assert "name nobody" not in str(reports.proof(splits, statistics))
    assert "3 of 15 videos name nobody" in str(reports.proof(splits, doubtful))
    assert "person," not in str(reports.proof(splits, doubtful))
    assert reports.names_everybody(statistics)
    assert not reports.names_everybody(doubtful)


def test_what_validate_found_wanting_is_told(described: Project) -> None:
    file = described.reports / "validation" / "validation.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    expectations = [
        {"name": "first", "severity": "critical", "success": False},
        {"name": "second", "severity": "warning", "success": False},
        {"name": "third", "severity": "critical", "success": True},
    ]
    file.write_text(json.dumps({"expectations": expectations}), encoding="utf-8")
    assert reports.read_dataset_reports(described).failures == ("first",)
    file.write_text("{", encoding="utf-8")
    with pytest.raises(StageError, match="cannot be read; run dvc repro validate again"):
        reports.read_dataset_reports(described)


@pytest.mark.parametrize(
    ("seconds", "told"), [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "120 min"), (1e6, "278 h")]
)
def test_duration(seconds: float, told: str) -> None:
    assert reports.duration(seconds) == told


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (0, "0 kB"),
        (1500, "1.5 kB"),
        (999_499, "999 kB"),
        (2_500_000, "2.5 MB"),
        (146e9, "146 GB"),
        (4e12, "4 TB"),
    ],
)
def test_size(content: int, told: str) -> None:
    assert reports.size(content) == told


@pytest.mark.parametrize(
    ("value", "told"), [(None, "–"), (0.0, "0.0%"), (0.0001, "< 0.1%"), (0.92, "92.0%"), (0.9999, "> 99.9%")]
)
def test_share(value: float | None, told: str) -> None:
    assert reports.percent(value) == told
