"""How many cores there are, on systems that say which ones a process may use and on others."""

import os
from pathlib import Path

import pytest

from components.cores import cores

ROOT = Path(__file__).parents[2]


def test_cores_that_the_process_may_not_use_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 3, 5}, raising=False)
    assert cores() == 3


@pytest.mark.parametrize(("counted", "expected"), [(8, 8), (None, 1)])
def test_where_the_system_does_not_say_all_count(
    counted: int | None, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: counted)
    assert cores() == expected


def test_nothing_else_asks_the_system() -> None:
    files = [path for room in ("components", "flows", "serving") for path in (ROOT / room).rglob("*.py")]
    asking = [path.name for path in files if "sched_getaffinity" in path.read_text(encoding="utf-8")]
    assert asking == ["cores.py"]
