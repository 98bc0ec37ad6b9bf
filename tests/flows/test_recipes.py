import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.errors import ParamsError
from components.params import load_params
from components.params.resolved import load_resolved
from components.project import Project
from flows.graph import Stage
from flows.plan import Change, planned
from flows.recipes import adopt, preview_recipe, show_recipe

ROOT = Path(__file__).parents[2]
GRAPH = """
vars: [params.resolved.yaml]
stages:
  faces:
    cmd: "true"
    params: [params.resolved.yaml: [resolved.faces]]
  train:
    foreach: ${resolved.candidates}
    do:
      cmd: train ${key}
      params: [params.resolved.yaml: ["resolved.candidates.${key}"]]
  gate:
    cmd: "true"
    params: [params.resolved.yaml: [resolved.gate]]
"""
RECIPE = """# One that is small
faces:
  size: 48
candidates:
  small:
    network: {name: simple_cnn}
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with two recipes, whose files are committed."""
    shutil.copy(ROOT / "params.yaml", tmp_path)
    (tmp_path / "dvc.yaml").write_text(GRAPH, encoding="utf-8")
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc" / "config").write_text("[core]\nanalytics = false\nno_scm = true\n", encoding="utf-8")
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "small.yaml").write_text(RECIPE, encoding="utf-8")
    (tmp_path / "recipes" / "wide.yaml").write_text(RECIPE.replace("48", "96"), encoding="utf-8")
    return Project(tmp_path)


def size(project: Project) -> int:
    return load_params(project.params).faces.size


def test_a_recipe_is_one_line_and_so_is_the_way_back(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    before = project.params.read_text(encoding="utf-8")
    adopt(project, "small")
    assert project.params.read_text(encoding="utf-8") == before.replace("recipe: null ", "recipe: small")
    assert "to go back: unmask run --recipe none" in capsys.readouterr().out
    assert (size(project), list(load_params(project.params).candidates)) == (48, ["small"])
    adopt(project, "small")
    assert capsys.readouterr().out == "params.yaml says recipe: small already\n"
    adopt(project, "wide")
    assert "to go back: unmask run --recipe small" in capsys.readouterr().out
    assert size(project) == 96
    adopt(project, "none")
    assert project.params.read_text(encoding="utf-8") == before


@pytest.mark.parametrize("action", [adopt, preview_recipe])
@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("  size: 64 ", "  size: -1 ", r"params.yaml: faces.size = -1"),
        ("recipe: null", "recipe: gone", r"no recipe 'gone'"),
    ],
)
def test_a_mistake_in_the_file_is_not_told_of_the_recipe(
    project: Project, action: Callable[[Project, str], None], old: str, new: str, told: str
) -> None:
    text = project.params.read_text(encoding="utf-8").replace(old, new, 1)
    project.params.write_text(text, encoding="utf-8")
    with pytest.raises(ParamsError, match=told):
        action(project, "small")
    assert project.params.read_text(encoding="utf-8") == text


def test_the_list_says_which_is_in_use(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    (project.recipes / "broken.yaml").write_text("a: [", encoding="utf-8")
    adopt(project, "wide")
    show_recipe(project)
    lines = [line for line in capsys.readouterr().out.splitlines() if "in use" in line]
    assert len(lines) == 1
    assert "wide" in lines[0]


def test_a_dry_run_writes_nothing_and_names_the_stages(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    before = project.params.read_bytes()
    preview_recipe(project, "small")
    told = capsys.readouterr().out
    assert project.params.read_bytes() == before
    assert load_resolved(project.resolved) == load_params(project.params)
    for line in (
        "  faces.size: 64 → 48", "- candidates.simple_cnn", "+ candidates.small", "run   train@small",
        "drop  train@simple_cnn",
    ):  # fmt: skip
        assert f"{line}\n" in told


A, B = {"network": "a"}, {"network": "b"}
STAGES = [
    Stage("resolve", ()),
    Stage("ingest", ("resolve",)),
    Stage("faces", ("ingest",)),
    Stage("train@a", ("faces",)),
    Stage("train@b", ("faces",)),
    Stage("export", ("train@a", "train@b")),
    Stage("notes", ()),
]
WATCHED = {
    "ingest": ["resolved.ingest"],
    "faces": ["resolved.faces"],
    "train@a": ["resolved.candidates.a"],
    "train@b": ["resolved.candidates.b"],
}
BEFORE: dict[str, Any] = {"faces": {"size": 64}, "candidates": {"a": A, "b": B}}


def document(settings: dict[str, Any]) -> dict[str, Any]:
    return {"names": list(settings["candidates"]), "resolved": settings}


@pytest.mark.parametrize(
    ("after", "stale", "expected"),
    [
        ({}, set(), "kkkkkkk"),
        ({}, {"resolve"}, "rkkkkkk"),
        ({}, {"ingest"}, "krrrrrk"),
        ({"faces": {"size": 32}}, set(), "rkrrrrk"),
        ({"candidates": {"a": A, "b": A}}, set(), "rkkkrrk"),
        ({"candidates": {"b": B}}, set(), "rkkdkrk"),
        ({"candidates": {"a": A, "b": B, "c": A}}, set(), "rkkRkkrk"),
    ],
)
def test_what_a_change_of_settings_means_for_the_stages(
    after: dict[str, Any], stale: set[str], expected: str
) -> None:
    found = list(planned(STAGES, WATCHED, Change(document(BEFORE), document(BEFORE | after)), stale))
    short = "".join("R" if name == "train@c" else verb[0] for verb, name in found)
    assert short == expected
