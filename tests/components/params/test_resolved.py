from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.__main__ import STAGES, main, unchanged_settings
from components.errors import ParamsError
from components.params import Params, load_params
from components.params.document import apply_recipe
from components.params.recipes import read_recipe, recipe_names
from components.params.resolved import RESOLVED, load_resolved, resolved, write_resolved
from components.project import Project

ROOT = Path(__file__).parents[3]
SHIPPED = (ROOT / "params.yaml").read_text(encoding="utf-8")
RECIPES = ROOT / "recipes"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The current folder, with the settings that are shipped."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(SHIPPED, encoding="utf-8")
    (tmp_path / "recipes").symlink_to(RECIPES)
    return Project()


def edit(project: Project, old: str, new: str) -> None:
    text = project.params.read_text(encoding="utf-8")
    assert old in text
    project.params.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_shipped_file_is_up_to_date() -> None:
    """If it is not: python -m components resolve."""
    assert load_resolved(ROOT / "params.resolved.yaml") == load_params(ROOT / "params.yaml")


@pytest.mark.parametrize("name", [None, *recipe_names(RECIPES)])
def test_what_is_written_is_what_is_read(project: Project, name: str | None) -> None:
    """Once more resolved, it is the same: what candidates share does not come over them a second time."""
    edit(project, "mix: {} ", "mix: {a: 2.0} ")
    edit(
        project,
        "space: {} ",
        "space: {x: {epochs: [3, 9], optimizer.lr: [1.0e-5, 0.1, log], a: {choices: [1, no]}}} ",
    )
    if name:
        edit(project, "recipe: null", f"recipe: {name}")
    assert write_resolved(project)
    params = load_params(project.params)
    assert params.recipe == name
    assert load_resolved(project.resolved) == params


def test_every_setting_is_there_with_its_value() -> None:
    """Those of each candidate, too, which it shares or leaves to the code."""
    settings = resolved(load_params(ROOT / "params.yaml"))[RESOLVED]
    candidate = settings["candidates"]["efficientnet_transformer"]
    assert candidate["network"]["dropout"] == 0.1
    assert (candidate["epochs"], candidate["batch_size"], candidate["hard_examples"]) == (12, 8, 0.0)
    assert settings["faces"]["detector"]["factor"] == 0.709


def test_a_comment_changes_nothing_and_is_not_written(project: Project) -> None:
    write_resolved(project)
    before = project.resolved.stat().st_mtime_ns
    edit(project, "# Every number", "# Each number")
    assert write_resolved(project)
    assert project.resolved.stat().st_mtime_ns == before


def test_other_candidates_are_told_once_as_dvc_has_made_its_stages_by_then(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["resolve"]) == 0
    edit(project, "recipe: null", "recipe: xception")
    assert main(["resolve"]) == 2
    error = capsys.readouterr().err
    assert error.startswith(
        "error: params.resolved.yaml: the candidates are others now (xception), and DVC has"
    )
    assert error.endswith("run the same command again\n")
    assert error.count("\n") == 1
    assert main(["resolve"]) == 0


def test_a_stage_runs_with_the_settings_that_were_resolved(project: Project) -> None:
    write_resolved(project)
    edit(project, "\n  epochs: 25", "\n  epochs: 26")
    with unchanged_settings(project, "train") as params:
        assert params.training.epochs == 25


def test_settings_that_change_while_a_stage_runs_end_it(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def gate(project: Project, _: Params) -> None:
        edit(project, "\n  epochs: 25", "\n  epochs: 26")
        write_resolved(project)

    write_resolved(project)
    monkeypatch.setitem(STAGES, "gate", gate)
    assert main(["gate"]) == 2
    told = "params.resolved.yaml: changed while stage gate ran; run the same command again"
    assert capsys.readouterr().err == f"error: {told}\n"
    monkeypatch.setitem(STAGES, "gate", lambda *_: None)
    assert main(["gate"]) == 0


def broken(change: Callable[[dict[str, Any]], Any]) -> str:
    content = resolved(load_params(ROOT / "params.yaml"))
    change(content)
    return yaml.safe_dump(content)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "not found; write it with python -m components resolve"),
        ("", "not written by this version; delete it"),
        ("a: [", "not valid YAML"),
        (broken(lambda content: content["resolved"].update(new=1)), "unknown key 'new'"),
        (broken(lambda content: content.pop("resolved")), "not written by this version"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_in_one_line(
    project: Project, text: str | None, told: str
) -> None:
    if text is not None:
        project.resolved.write_text(text, encoding="utf-8")
    with pytest.raises(ParamsError, match=rf"^params.resolved.yaml: {told}[^\n]*$"):
        load_resolved(project.resolved)
    write_resolved(project)
    assert load_resolved(project.resolved) == load_params(project.params)


def test_recipes_are_resolved_as_they_are_applied(project: Project) -> None:
    edit(project, "recipe: null", "recipe: mesonet")
    content = yaml.safe_load(SHIPPED)
    expected = apply_recipe(content, read_recipe("mesonet", RECIPES), project.params)
    write_resolved(project)
    assert load_resolved(project.resolved) == expected
