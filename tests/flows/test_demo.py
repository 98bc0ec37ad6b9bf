"""`unmask demo` has the project before it writes there."""

import fcntl
from pathlib import Path

import pytest

from components.errors import DataError
from components.project import Project
from flows import demo


def test_sample_data_are_made_by_whoever_holds_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make_data(project: Project) -> None:
        lock = project.root.resolve() / ".unmask" / "project.lock"
        with lock.open("w") as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        raise DataError("enough")

    monkeypatch.setattr(demo, "make_data", make_data)
    with pytest.raises(DataError, match="enough"):
        demo.run_demo(Project(tmp_path))
