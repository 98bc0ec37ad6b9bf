"""The list of broken videos."""

import csv

import pytest

from components.ingest.quarantine import quarantine


def row(path: str, status: str, reason: str | None) -> dict[str, str | None]:
    return {"path": path, "dataset": "data", "status": status, "reason": reason, "label": "real"}


@pytest.mark.parametrize("rows", [[], [row("data/a.mp4", "ok", None)]])
def test_the_header_is_always_there(rows: list[dict[str, str | None]]) -> None:
    assert quarantine(rows) == "path,dataset,status,reason\n"


def test_broken_videos_stand_by_path() -> None:
    rows = [
        row("data/b.mp4", "too_short", "3 frames"),
        row("data/c.mp4", "ok", None),
        row("data/a, b.mp4", "undecodable", 'a "box" is missing'),
    ]
    text = quarantine(rows)
    assert text == quarantine(rows[::-1])
    assert list(csv.DictReader(text.splitlines())) == [
        {"path": "data/a, b.mp4", "dataset": "data", "status": "undecodable", "reason": 'a "box" is missing'},
        {"path": "data/b.mp4", "dataset": "data", "status": "too_short", "reason": "3 frames"},
    ]
