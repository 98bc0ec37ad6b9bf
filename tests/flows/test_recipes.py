import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from components.errors import ParamsError
from components.params import load_params
from components.project import Project
from flows.graph import Stage
from flows.recipes import Change, adopt, lost, planned, preview

ROOT = Path(__file__).parents[2]
GRAPH = """
stages:
  faces:
    cmd: "true"
    params: [faces]
  train:
    foreach: ${candidates}
    do:
      cmd: train ${key}
      params: [training, "candidates.${key}"]
  gate:
    cmd: "true"
    params: [gate]
"""
RECIPE = """# One that is small
faces:
  size: 48
candidates:
  small:
    network: {name: simple_cnn}
"""


def git(root: Path, *arguments: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *arguments], cwd=root, check=True, capture_output=True)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with two recipes, whose files are committed."""
    shutil.copy(ROOT / "params.yaml", tmp_path)
    (tmp_path / "dvc.yaml").write_text(GRAPH, encoding="utf-8")
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc" / "config").write_text("[core]\nanalytics = false\n", encoding="utf-8")
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "small.yaml").write_text(RECIPE, encoding="utf-8")
    (tmp_path / "recipes" / "wide.yaml").write_text(RECIPE.replace("48", "96"), encoding="utf-8")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "params.yaml", "recipes")
    git(tmp_path, "commit", "-q", "-m", "A project")
    return Project(tmp_path)


def size(project: Project) -> int:
    return load_params(project.params).faces.size


def change_size(project: Project, size: int) -> None:
    text = project.params.read_text(encoding="utf-8").replace("  size: 64 ", f"  size: {size} ", 1)
    project.params.write_text(text, encoding="utf-8")


def test_a_recipe_is_written_once_and_the_way_back_is_told(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    adopt(project, "small")
    told = capsys.readouterr().out
    assert "-  size: 64             # side of a face crop, px\n+  size: 48  " in told
    assert "to go back: git checkout params.yaml" in told
    assert list(load_params(project.params).candidates) == ["small"]
    adopt(project, "small")
    assert capsys.readouterr().out == "params.yaml is as recipe small has it\n"
    adopt(project, "wide")  # what the other one left is no loss
    assert size(project) == 96


def test_what_git_does_not_have_is_not_replaced_unless_forced(project: Project) -> None:
    change_size(project, 72)
    with pytest.raises(ParamsError, match=r"params.yaml: faces.size: changed since .* or use --force"):
        adopt(project, "small")
    assert size(project) == 72
    adopt(project, "small", force=True)
    assert size(project) == 48


def test_uncommitted_settings_that_no_recipe_speaks_of_stay(project: Project) -> None:
    text = project.params.read_text(encoding="utf-8")
    project.params.write_text(text.replace("auc: 0.80", "auc: 0.70"), encoding="utf-8")
    adopt(project, "small")
    assert load_params(project.params).gate.auc == 0.7


def test_what_an_earlier_recipe_left_beside_other_changes_is_no_loss(project: Project) -> None:
    adopt(project, "small")
    text = project.params.read_text(encoding="utf-8")
    project.params.write_text(text.replace("auc: 0.80", "auc: 0.70"), encoding="utf-8")
    (project.recipes / "broken.yaml").write_text("a: [", encoding="utf-8")
    adopt(project, "wide")
    assert (size(project), load_params(project.params).gate.auc) == (96, 0.7)


@pytest.mark.parametrize("committed", ["old: 1\n", "- 1\n", "a: [\n"])
def test_a_commit_that_cannot_be_compared_with_has_nothing(project: Project, committed: str) -> None:
    text = project.params.read_text(encoding="utf-8")
    project.params.write_text(committed, encoding="utf-8")
    git(project.root, "commit", "-q", "-a", "-m", "Another time")
    project.params.write_text(text, encoding="utf-8")
    with pytest.raises(ParamsError, match=r"params.yaml: faces.size.* or use --force"):
        adopt(project, "small")


def test_without_git_there_is_no_way_back(project: Project) -> None:
    shutil.rmtree(project.root / ".git")
    with pytest.raises(ParamsError, match="no way back; commit it, or use --force"):
        adopt(project, "small")


def test_a_mistake_in_the_file_is_not_told_of_the_recipe(project: Project) -> None:
    change_size(project, -1)
    with pytest.raises(ParamsError, match=r"params.yaml: faces.size = -1"):
        adopt(project, "small")


def test_a_dry_run_writes_nothing_and_names_the_stages(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    before = project.params.read_bytes()
    preview(project, "small")
    told = capsys.readouterr().out
    assert project.params.read_bytes() == before
    assert "+  small:" in told
    assert "run   train@small\n" in told
    assert "drop  train@simple_cnn\n" in told


A, B = {"network": "a"}, {"network": "b"}
STAGES = [
    Stage("ingest", ()),
    Stage("faces", ("ingest",)),
    Stage("train@a", ("faces",)),
    Stage("train@b", ("faces",)),
    Stage("export", ("train@a", "train@b")),
    Stage("notes", ()),
]
WATCHED = {"ingest": ["ingest"], "faces": ["faces"], "train@a": ["candidates.a"], "train@b": ["candidates.b"]}
BEFORE: dict[str, Any] = {"faces": {"size": 64}, "candidates": {"a": A, "b": B}}


@pytest.mark.parametrize(
    ("after", "stale", "expected"),
    [
        ({}, set(), "kkkkkk"),
        ({}, {"ingest"}, "rrrrrk"),
        ({"faces": {"size": 32}}, set(), "krrrrk"),
        ({"candidates": {"a": A, "b": A}}, set(), "kkkrrk"),
        ({"candidates": {"b": B}}, set(), "kkdkrk"),
        ({"candidates": {"a": A, "b": B, "c": A}}, set(), "kkRkkrk"),
    ],
)
def test_what_a_change_of_settings_means_for_the_stages(
    after: dict[str, Any], stale: set[str], expected: str
) -> None:
    found = list(planned(STAGES, WATCHED, Change(BEFORE, BEFORE | after), stale))
    short = "".join("R" if name == "train@c" else verb[0] for verb, name in found)
    assert short == expected


@pytest.mark.parametrize(
    ("committed", "before", "after", "expected"),
    [
        ({"a": {"b": 1}}, {"a": {"b": 1}}, {"a": {"b": 2}}, []),
        ({"a": {"b": 1}}, {"a": {"b": 3}}, {"a": {"b": 2}}, ["a.b"]),
        ({"a": {"b": 1}}, {"a": {"b": 3}}, {"a": {"b": 3}}, []),
        ({"a": {"b": 1}}, {"a": {"b": 1, "c": {"d": 2}}}, {"a": {"b": 2}}, ["a.c.d"]),
        ({"a": {}}, {"a": {}}, {"a": {"b": 2}}, []),
    ],
)
def test_only_what_is_uncommitted_and_replaced_is_lost(
    committed: dict[str, Any], before: dict[str, Any], after: dict[str, Any], expected: list[str]
) -> None:
    assert lost(committed, before, after) == expected
