import subprocess
from pathlib import Path

import pytest
import yaml

from components.errors import StageError
from components.export.provenance import code_version, lock_digest, provenance

ROWS = [
    {"sha256": "a1", "label": "real", "split": "train"},
    {"sha256": "b2", "label": "fake", "split": "test"},
    {"sha256": None, "label": "fake", "split": None},
]


def lock(root: Path, stages: dict[str, str]) -> None:
    (root / "dvc.lock").write_text(yaml.safe_dump({"schema": "2.0", "stages": stages}, sort_keys=False))


def git(root: Path, *arguments: str) -> None:
    subprocess.run(
        ["git", "-C", root, "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments],
        check=True,
        capture_output=True,
    )


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init")
    (tmp_path / "code.py").write_text("1")
    (tmp_path / "dvc.lock").write_text("stages: {}")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "first")
    return tmp_path


def test_order_of_rows_does_not_matter(tmp_path: Path) -> None:
    assert provenance(tmp_path, ROWS) == provenance(tmp_path, ROWS[::-1])


@pytest.mark.parametrize(
    ("changed", "moved"),
    [
        ({"label": "fake"}, {"data"}),
        ({"split": "val"}, {"split"}),
        ({"sha256": "a2"}, {"data", "split"}),
        ({"bytes": 5}, set()),
    ],
)
def test_each_digest_follows_what_it_is_of(tmp_path: Path, changed: dict, moved: set[str]) -> None:
    before = provenance(tmp_path, ROWS).model_dump()
    after = provenance(tmp_path, [ROWS[0] | changed, *ROWS[1:]]).model_dump()
    assert {name for name in before if before[name] != after[name]} == moved


def test_lock_digest_is_of_the_stages_before_export(tmp_path: Path) -> None:
    assert lock_digest(tmp_path) is None
    lock(tmp_path, {"ingest": "x", "faces": "y"})
    before = lock_digest(tmp_path)
    lock(tmp_path, {"export": "z", "faces": "y", "ingest": "x"})
    assert lock_digest(tmp_path) == before
    lock(tmp_path, {"ingest": "x", "faces": "other"})
    assert lock_digest(tmp_path) != before


def test_a_damaged_lock_is_named(tmp_path: Path) -> None:
    (tmp_path / "dvc.lock").write_text("<<<<<<< HEAD\nstages: {")
    with pytest.raises(StageError, match=r"dvc\.lock: not valid YAML"):
        lock_digest(tmp_path)


def test_code_is_the_commit(repository: Path) -> None:
    version = code_version(repository)
    assert version is not None
    assert len(version) == 40


@pytest.mark.parametrize(
    ("path", "dirty"),
    [("code.py", True), ("new.py", True), ("dvc.lock", False), ("reports/evaluation.json", False)],
)
def test_only_changes_of_code_make_it_dirty(repository: Path, path: str, dirty: bool) -> None:
    target = repository / path
    target.parent.mkdir(exist_ok=True)
    target.write_text("changed")
    assert str(code_version(repository)).endswith("+dirty") is dirty


def test_outside_of_a_repository_there_is_no_version(
    tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    (repository / ".git").rename(repository / "gone")
    assert code_version(repository) is None


def test_without_git_there_is_no_version(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert code_version(repository) is None
