"""`unmask recipes` and `unmask run --recipe`: the settings of the field's detectors, into params.yaml."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from difflib import unified_diff
from typing import Any, NamedTuple

import typer
import yaml
from rich.table import Table
from rich.text import Text
from ruamel.yaml.error import YAMLError

from components.errors import ParamsError
from components.params import load_params
from components.params.edit import replace_text
from components.params.recipes import apply_recipe, read_recipe, recipe_names
from components.printable import printable
from components.project import Project
from flows.graph import Stage, read_graph, repository, stale_stages, with_downstream
from flows.paths import print_table

TRAIN = "train@"
"""What the names of the stages begin with that train a candidate."""

SHOWN = 3
"""Settings that a message names."""


def show(project: Project) -> None:
    """Print the project's recipes."""
    table = Table("recipe", "what it is", title="Recipes", title_justify="left")
    for name in recipe_names(project.recipes):
        try:
            told = read_recipe(name, project.recipes).title
        except ParamsError as error:
            told = f"cannot be used: {error}"
        table.add_row(Text(printable(name)), Text(told))
    print_table(table)
    typer.echo("unmask run --recipe NAME writes one into params.yaml and runs; docs/recipes.md says more")


def adopt(project: Project, name: str, force: bool = False) -> None:
    """Write a recipe into params.yaml, and say what that changed and how to go back.

    Args:
        project: whose params.yaml.
        name: of the recipe.
        force: replace settings that git does not have, too.

    Raises:
        ParamsError: there is no such recipe, it is not valid, or settings would be lost.
    """
    before, after = _texts(project, name)
    if before == after:
        typer.echo(f"params.yaml is as recipe {name} has it")
        return
    if not force:
        _refuse_losses(project, before, after)
    replace_text(project.params, after)
    _print_diff(before, after)
    typer.echo(f"\nparams.yaml is now as recipe {name} has it; to go back: git checkout params.yaml\n")


def preview(project: Project, name: str) -> None:
    """Print what a recipe would change in params.yaml, and which stages would then run.

    Raises:
        ParamsError: there is no such recipe, or it is not valid.
        StageError: DVC cannot read the project.
    """
    before, after = _texts(project, name)
    _print_diff(before, after)
    try:
        _refuse_losses(project, before, after)
    except ParamsError as error:
        typer.echo(f"\nit would be refused: {error}")
    typer.echo("\ndry run: nothing was written; with the recipe, and the data as they are:")
    graph = read_graph(project.root)
    watched = _watched(project)
    change = Change(yaml.safe_load(before), yaml.safe_load(after))
    for verb, stage in planned(graph, watched, change, stale_stages(project.root, graph)):
        typer.echo(f"{verb:4}  {stage}")


class Change(NamedTuple):
    """Of params.yaml, read."""

    before: Mapping[str, Any]
    after: Mapping[str, Any]


def planned(
    graph: Sequence[Stage], watched: Mapping[str, Sequence[str]], change: Change, stale: set[str]
) -> Iterator[tuple[str, str]]:
    """What would become of the stages: run, keep or drop, and its name, in their order.

    Args:
        graph: the stages as they are, in order.
        watched: the settings, as `section.key`, by the stages that read them.
        change: of the settings.
        stale: stages that would run without it.
    """
    old, new = (set(_value(document, "candidates") or {}) for document in change)
    touched = {
        stage
        for stage, keys in watched.items()
        if any(_value(change.before, key) != _value(change.after, key) for key in keys)
    }
    trained = {stage.name for stage in graph if stage.name.startswith(TRAIN)}
    others = with_downstream(trained, graph) - trained if old != new else set()
    stale = with_downstream(touched | stale | others, graph)
    added = [("run", f"{TRAIN}{name}") for name in sorted(new - old)]
    for stage in graph:
        if stage.name in trained:
            yield from added
            added = []
        gone = stage.name in trained and stage.name.removeprefix(TRAIN) not in new
        yield "drop" if gone else "run" if stage.name in stale else "keep", stage.name


def lost(committed: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Settings that differ from what git has and would be replaced, as `section.key`."""
    kept, now, then = map(_leaves, (committed, before, after))
    return [key for key, value in now.items() if kept.get(key, ...) != value and then.get(key, ...) != value]


def _texts(project: Project, name: str) -> tuple[str, str]:
    """Of params.yaml as it is, and with the recipe."""
    load_params(project.params)  # so that a mistake that is already there is not told of the recipe
    before = project.params.read_text(encoding="utf-8")
    return before, apply_recipe(before, read_recipe(name, project.recipes))


def _refuse_losses(project: Project, before: str, after: str) -> None:
    committed = _committed(project)
    if committed is None:
        raise ParamsError(
            f"{project.params}: git does not have it, so there is no way back; commit it, or use --force"
        )
    names = lost(*map(_settings, (committed, before, after)))
    if not names or _left_by_a_recipe(project, committed, before, after):
        return
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    raise ParamsError(
        f"{project.params}: {', '.join(names[:SHOWN])}{more}: changed since the last commit, and the "
        "recipe would replace that; commit it, or use --force"
    )


def _left_by_a_recipe(project: Project, committed: str, before: str, after: str) -> bool:
    """Whether all that would be replaced is in git's last commit or in another recipe: that is not lost."""
    for name in recipe_names(project.recipes) if _settings(committed) else ():
        try:
            tried = apply_recipe(committed, read_recipe(name, project.recipes))
        except (ParamsError, YAMLError):  # it has left nothing
            continue
        if not lost(*map(_settings, (tried, before, after))):
            return True
    return False


def _settings(text: str) -> Mapping[str, Any]:
    """What a file says; nothing where it cannot be read, as one that was committed long ago."""
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError:
        return {}
    return content if isinstance(content, Mapping) else {}


def _committed(project: Project) -> str | None:
    """params.yaml in git's last commit; None where there is none."""
    command = ["git", "-C", str(project.root), "show", f"HEAD:./{project.params.name}"]
    try:
        shown = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    except FileNotFoundError:
        return None
    return shown.stdout if shown.returncode == 0 else None


def _watched(project: Project) -> dict[str, list[str]]:
    """The settings of params.yaml that each stage reads."""
    from dvc.dependency import ParamsDependency

    with repository(project.root) as repo:
        return {
            stage.addressing: [
                key for need in stage.deps if isinstance(need, ParamsDependency) for key in need.params
            ]
            for stage in repo.index.stages
        }


def _print_diff(before: str, after: str) -> None:
    lines = unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    for line in list(lines)[2:]:
        typer.echo("" if line.startswith("@@") else line)


def _value(document: Mapping[str, Any], key: str) -> Any:
    found: Any = document
    for part in key.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _leaves(section: Mapping[str, Any], at: str = "") -> dict[str, Any]:
    """All settings as `section.key`."""
    found: dict[str, Any] = {}
    for key, value in section.items():
        inner = isinstance(value, Mapping) and value
        found |= _leaves(value, f"{at}{key}.") if inner else {f"{at}{key}": value}
    return found
