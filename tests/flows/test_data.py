"""`unmask data` and the DVC remote, with DVC itself."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from components.errors import DataError
from components.project import Project
from flows.data import add, needs_pull, pull

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """An empty project with the repository's own DVC settings."""
    root = tmp_path / "project"
    (root / ".dvc").mkdir(parents=True)
    settings = (ROOT / ".dvc" / "config").read_text(encoding="utf-8")
    (root / ".dvc" / "config").write_text(
        settings.replace("[core]", "[core]\n    no_scm = true"), encoding="utf-8"
    )
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(ROOT / name, root)
    monkeypatch.setenv("DVC_GLOBAL_CONFIG_DIR", str(tmp_path / "global"))
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    return Project(root)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    for path in ("real/a.mp4", "fake/b.mp4"):
        file = tmp_path / "download" / path
        file.parent.mkdir(parents=True)
        file.write_text(path, encoding="utf-8")
    return tmp_path / "download"


def add_remote(project: Project, folder: Path) -> None:
    settings = project.root / ".dvc" / "config"
    with settings.open("a", encoding="utf-8") as file:
        file.write(f"    remote = storage\n['remote \"storage\"']\n    url = {folder}\n")


def test_the_projects_own_data_dvc_names_no_videos_that_nobody_has() -> None:
    """What `make demo` renders differs in last digits from one processor to another."""
    assert "md5" not in FRESH


def test_added_pushed_lost_and_pulled(
    project: Project, source: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    add(project, source, layout=None, name="mine", copy=False, dry_run=False)
    told = capfd.readouterr().err
    assert 'git add data.dvc && git commit -m "Add mine"' in told
    assert (project.root / "data.dvc").is_file()
    assert not needs_pull(project.root)

    assert "dvc remote add --default storage DIR" in told
    add_remote(project, tmp_path / "remote")
    subprocess.run([sys.executable, "-m", "dvc", "push", "--quiet"], cwd=project.root, check=True)
    assert any((tmp_path / "remote").iterdir())
    shutil.rmtree(project.data)
    shutil.rmtree(project.root / ".dvc" / "cache")
    shutil.rmtree(source)
    assert needs_pull(project.root)
    lines: list[str] = []
    pull(project.root, lines.append)
    assert (project.data / "mine" / "fake" / "b.mp4").read_text(encoding="utf-8") == "fake/b.mp4"
    assert not needs_pull(project.root)


def test_an_interrupted_pull_is_taken_up_again(
    project: Project, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_remote(project, tmp_path / "remote")
    add(project, source, layout=None, name="mine", copy=True, dry_run=False)

    def interrupted(*_: object) -> None:
        (project.data / "mine" / "fake" / "b.mp4").unlink()
        raise KeyboardInterrupt

    monkeypatch.setattr("flows.data.run_dvc", interrupted)
    with pytest.raises(KeyboardInterrupt):
        pull(project.root, lambda line: None)
    monkeypatch.undo()
    assert needs_pull(project.root)
    pull(project.root, lambda line: None)
    assert (project.data / "mine" / "fake" / "b.mp4").is_file()
    assert not needs_pull(project.root)


def test_a_remote_that_lacks_the_videos(project: Project, source: Path, tmp_path: Path) -> None:
    add_remote(project, tmp_path / "remote")
    add(project, source, layout=None, name=None, copy=True, dry_run=False)
    shutil.rmtree(project.data)
    shutil.rmtree(project.root / ".dvc" / "cache")
    with pytest.raises(DataError) as caught:
        pull(project.root, lambda line: None)
    assert "the DVC remote 'storage' lacks what data.dvc names" in str(caught.value)
    assert not (project.root / ".unmask" / "pulling").exists()
    assert "\n" not in str(caught.value)


NAMED = "outs:\n- md5: 465a62c55506cd2fa10372c1f9ba4b5e.dir\n  hash: md5\n  path: data\n"
FRESH = (ROOT / "data.dvc").read_text(encoding="utf-8")


@pytest.mark.parametrize(("tracked", "remote"), [(None, True), (NAMED, False), (FRESH, True)])
def test_no_videos_and_nowhere_to_bring_them_from(
    project: Project, tmp_path: Path, tracked: str | None, remote: bool
) -> None:
    if tracked:
        (project.root / "data.dvc").write_text(tracked, encoding="utf-8")
    if remote:
        add_remote(project, tmp_path / "remote")
    with pytest.raises(DataError, match="unmask data add DIR"):
        needs_pull(project.root)


def test_a_dry_run_writes_nothing(project: Project, source: Path, capfd: pytest.CaptureFixture[str]) -> None:
    add(project, source, layout=None, name=None, copy=False, dry_run=True)
    assert not project.data.exists()
    assert not (project.root / "data.dvc").exists()
    told = capfd.readouterr().err
    assert "2 files to bring to" in told
    assert "dry run: nothing was written" in told


def test_the_command_line(project: Project, source: Path) -> None:
    def unmask(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "flows.cli", "data", *arguments]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
        return subprocess.run(
            command, cwd=project.root, env=environment, text=True, capture_output=True, check=False
        )

    added = unmask("add", str(source), "--dataset", "folders", "--name", "mine")
    assert added.returncode == 0, added.stderr
    listed = unmask("list")
    assert "celeb-df" in listed.stdout
    assert "mine" in listed.stdout
    lines = ["path,label", "real/a.mp4,real", *(f"fake/{name}.mp4,fake" for name in "bcd")]
    (source / "manifest.csv").write_text("\n".join(lines), encoding="utf-8")
    lost = unmask("add", str(source))
    assert (lost.returncode, (project.data / "manifest").exists()) == (2, False)
    assert lost.stderr.endswith(
        "2 of 4 listed videos cannot be found or read: fake/c.mp4, fake/d.mp4; "
        "correct their paths, or go on without them (--allow-missing)\n"
    )
    allowed = unmask("add", str(source), "--allow-missing", "--dry-run")
    assert allowed.returncode == 0, allowed.stderr
    assert "manifest.csv: 2 of 4 listed videos are not there: fake/c.mp4, fake/d.mp4" in allowed.stderr
    wrong = unmask("add", str(source), "--dataset", "celeb-dff")
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("error: --dataset celeb-dff: no such layout; choose one of ")
