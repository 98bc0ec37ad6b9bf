"""`unmask augment-preview`, as a user types it."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.project import Project
from flows.cli import main

ROOT = Path(__file__).parents[2]
Unmask = Callable[..., None]


@pytest.fixture
def unmask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Unmask:
    """The command, in a project without clips."""
    shutil.copy(ROOT / "params.yaml", tmp_path)
    monkeypatch.setattr("flows.commands.training.enter", lambda: Project(tmp_path))

    def run(*arguments: object) -> None:
        monkeypatch.setattr(sys, "argv", ["unmask", "augment-preview", *map(str, arguments)])
        main()

    return run


def test_without_clips_the_remedy_is_told_in_one_line(
    unmask: Unmask, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        unmask()
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert told == (
        f"error: {tmp_path}/artifacts/manifest.parquet: not there yet; "
        "run the stage that makes it (dvc repro)\n"
    )
    assert not (tmp_path / "artifacts").exists()


def test_what_is_asked_for_is_drawn(
    unmask: Unmask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[tuple[Any, ...]] = []
    monkeypatch.setattr("components.preview.augmentation.preview", lambda *given: asked.append(given[2:]))
    for arguments in ((), ("real/a", "fake/b", "--candidate", "c", "--out", "look.png", "--seed", 3)):
        with pytest.raises(SystemExit) as ended:
            unmask(*arguments)
        assert ended.value.code == 0
    default = tmp_path / "artifacts" / "augmentation.png"
    assert asked == [(default, (), None, 4, 0), (Path("look.png"), ["real/a", "fake/b"], "c", 4, 3)]
    assert capsys.readouterr().out == f"{default}\nlook.png\n"
