"""What a run would do, without doing it: `unmask run --dry-run`."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import typer

from components.params import Params
from components.params.reading import read_yaml
from components.params.resolved import RESOLVED, resolved
from components.project import Project
from flows.graph import RESOLVE, Stage, read_graph, repository, stale_stages, with_downstream

TRAIN = "train@"
"""What the names of the stages begin with that train a candidate."""


class Change(NamedTuple):
    """A change among all settings, as `params.resolved.yaml` holds them."""

    before: Mapping[str, Any]
    after: Mapping[str, Any]


def print_plan(project: Project, params: Params) -> None:
    """Prints what would become of each stage, if these were the settings.

    Raises:
        StageError: DVC cannot read the project.
    """
    graph, watched = read_graph(project.root), watched_settings(project.root)
    stale = stale_stages(project.root, graph)
    change = Change(read_yaml(project.resolved), resolved(params))
    for verb, stage in planned(graph, watched, change, stale):
        typer.echo(f"{verb:4}  {stage}")


def touched(watched: Mapping[str, Sequence[str]], change: Change) -> set[str]:
    """Returns the stages that read a setting that differs."""
    return {
        stage
        for stage, keys in watched.items()
        if any(_value(change.before, key) != _value(change.after, key) for key in keys)
    }


def planned(
    graph: Sequence[Stage], watched: Mapping[str, Sequence[str]], change: Change, stale: set[str]
) -> Iterator[tuple[str, str]]:
    """Yields what would become of the stages: run, keep or drop, and its name, in their order.

    Args:
        graph: the stages as they are, in order.
        watched: the settings, by their keys in `params.resolved.yaml`, of the stages that read them.
        change: of the settings.
        stale: stages that would run without it.
    """
    old, new = (list(document["names"]) for document in change)
    trained = {stage.name for stage in graph if stage.name.startswith(TRAIN)}
    others = with_downstream(trained, graph) - trained if set(old) != set(new) else set()
    stale = with_downstream((touched(watched, change) | stale | others) - {RESOLVE}, graph) | (
        stale & {RESOLVE}
    )
    added = [("run", f"{TRAIN}{name}") for name in new if name not in old]
    for stage in graph:
        if stage.name in trained:
            yield from added
            added = []
        gone = stage.name in trained and stage.name.removeprefix(TRAIN) not in new
        changed = stage.name in stale or (stage.name == RESOLVE and change.before != change.after)
        yield "drop" if gone else "run" if changed else "keep", stage.name


def changed_settings(before: Params, after: Params) -> Iterator[str]:
    """Yields a line for each setting that differs, and for each candidate that comes or goes."""
    old, new = (resolved(params)[RESOLVED] for params in (before, after))
    was, now = old["candidates"], new["candidates"]
    yield from (f"- candidates.{name}" for name in was if name not in now)
    yield from (f"+ candidates.{name}" for name in now if name not in was)
    both = [name for name in was if name in now]
    was = _leaves(old | {"candidates": {name: was[name] for name in both}})
    now = _leaves(new | {"candidates": {name: now[name] for name in both}})
    for key in dict.fromkeys((*was, *now)):
        if was.get(key) != now.get(key):
            yield f"  {key}: {was.get(key, 'none')} → {now.get(key, 'none')}"


def watched_settings(root: Path) -> dict[str, list[str]]:
    """Returns the settings that each stage reads, by their keys in `params.resolved.yaml`."""
    from dvc.dependency import ParamsDependency

    with repository(root) as repo:
        return {
            stage.addressing: [
                key for need in stage.deps if isinstance(need, ParamsDependency) for key in need.params
            ]
            for stage in repo.index.stages
        }


def _value(document: Mapping[str, Any], key: str) -> Any:
    value: Any = document
    for part in key.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _leaves(section: Mapping[str, Any], at: str = "") -> dict[str, Any]:
    """Returns all settings as `section.key`."""
    leaves: dict[str, Any] = {}
    for key, value in section.items():
        inner = isinstance(value, Mapping) and value
        leaves |= _leaves(value, f"{at}{key}.") if inner else {f"{at}{key}": value}
    return leaves
