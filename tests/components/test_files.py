import ast
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from components.files import replacing, replacing_folder, write_text

ROOT = Path(__file__).parents[2]

MOVERS = {
    "components/files.py",
    "components/tracking/registry.py",  # a folder, under a lock that other processes share
    "flows/crashed.py",  # a file that is locked before it is moved
}
"""Modules that may move what they wrote into its place."""


def moves(file: Path) -> bool:
    """Whether a module calls `path.replace(other)` or `path.rename(other)`."""
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("replace", "rename")
        and len(node.args) == 1
        and not node.keywords
        and not isinstance(node.args[0], ast.Constant)
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    )


def test_files_are_moved_into_their_place_in_one_module() -> None:
    rooms = ("components", "flows", "serving", "sample")
    files = [file for room in rooms for file in (ROOT / room).rglob("*.py")]
    assert {file.relative_to(ROOT).as_posix() for file in files if moves(file)} == MOVERS


@pytest.mark.parametrize("aside", ["", ".fixed"])
def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path, aside: str) -> None:
    path = tmp_path / "made" / "a.txt"
    with replacing(path, aside) as partial:
        assert (partial.parent, partial.name) == (path.parent, aside or f".a.txt.{os.getpid()}")
        partial.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]


def fails_at_work(partial: Path) -> None:
    partial.write_text("half")
    raise OSError(28, "No space left on device")


def writes_nothing(partial: Path) -> None:
    pass  # there is nothing to move then


def removes_the_folder(partial: Path) -> None:
    partial.parent.joinpath("a.txt").unlink()
    partial.parent.rmdir()
    partial.write_text("half")


@pytest.mark.parametrize(
    ("work", "error", "left"),
    [
        (fails_at_work, "No space left on device", "old"),
        (writes_nothing, "No such file or directory", "old"),
        (removes_the_folder, "No such file or directory", None),
    ],
)
def test_a_failure_leaves_the_old_file_alone_and_is_what_is_told(
    tmp_path: Path, work: Callable[[Path], None], error: str, left: str | None
) -> None:
    path = tmp_path / "folder" / "a.txt"
    write_text("old", path)
    with pytest.raises(OSError, match=error), replacing(path) as partial:
        work(partial)
    assert (path.read_text() if path.exists() else None) == left
    assert list(path.parent.glob("*")) == ([path] if left else [])


def test_text_is_written_the_same_on_every_system(tmp_path: Path) -> None:
    write_text("ä\nb\r\n", tmp_path / "a.txt")
    assert (tmp_path / "a.txt").read_bytes() == b"\xc3\xa4\nb\r\n"


def fill(folder: Path, content: str) -> None:
    folder.mkdir()
    (folder / content).touch()


def test_a_folder_is_replaced_whole_and_kept_where_the_work_fails(tmp_path: Path) -> None:
    path = tmp_path / "bundle"
    with replacing_folder(path) as partial:
        fill(partial, "first")
    with pytest.raises(ValueError, match="broken"), replacing_folder(path) as partial:  # noqa: PT012
        fill(partial, "broken")
        raise ValueError("broken")
    assert [file.name for file in path.iterdir()] == ["first"]
    with replacing_folder(path) as partial:
        fill(partial, "second")
    assert [file.name for file in path.iterdir()] == ["second"]
    assert list(tmp_path.iterdir()) == [path]
