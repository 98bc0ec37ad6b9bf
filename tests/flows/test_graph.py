import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from components.errors import StageError
from flows.graph import Stage, downstream, read_graph, run_stage, stale_stages, with_downstream

ROOT = Path(__file__).parent.parent.parent
CHAIN = [Stage("a", ()), Stage("b", ("a",)), Stage("c", ("b",)), Stage("x", ())]


def test_the_projects_own_graph_is_read_in_order() -> None:
    stages = read_graph(ROOT)
    names = [stage.name for stage in stages]
    assert {"train@simple_cnn", "train@resnet18_average", "train@efficientnet_bilstm"} < set(names)
    for stage in stages:
        assert all(names.index(need) < names.index(stage.name) for need in stage.upstream)
    order = [names.index(name) for name in ("ingest", "validate", "faces", "evaluate", "gate", "export")]
    assert order == sorted(order)


@pytest.mark.parametrize(
    ("changed", "stale"),
    [(set(), set()), ({"a"}, {"a", "b", "c"}), ({"b"}, {"b", "c"}), ({"c"}, {"c"}), ({"x"}, {"x"})],
)
def test_what_changed_takes_its_downstream_along(changed: set[str], stale: set[str]) -> None:
    assert with_downstream(changed, CHAIN) == stale


def test_downstream_leaves_the_stage_itself_out() -> None:
    assert downstream("a", CHAIN) == {"b", "c"}


def _write_project(root: Path, command: str) -> None:
    (root / ".dvc").mkdir()
    (root / ".dvc" / "config").write_text("[core]\nno_scm = true\nanalytics = false\n", encoding="utf-8")
    graph = {"stages": {"one": {"cmd": command, "deps": ["data"], "outs": ["out"]}}}
    (root / "dvc.yaml").write_text(yaml.safe_dump(graph), encoding="utf-8")
    (root / "data").mkdir()
    (root / "data" / "file").write_text("content", encoding="utf-8")


def test_a_stage_is_stale_until_it_has_run(tmp_path: Path) -> None:
    _write_project(tmp_path, "echo said && cp data/file out")
    stages = read_graph(tmp_path)
    assert stale_stages(tmp_path, stages) == {"one"}
    lines: list[str] = []
    run_stage("one", tmp_path, lines.append)
    assert "said" in lines
    assert not any("git add" in line or "autostage" in line for line in lines)
    assert stale_stages(tmp_path, stages) == set()


def test_a_failed_stage_carries_its_own_message(tmp_path: Path) -> None:
    _write_project(tmp_path, "echo 'error: data/file is odd; mend it' && exit 2")
    with pytest.raises(StageError, match=r"^stage one: data/file is odd; mend it$"):
        run_stage("one", tmp_path, lambda line: None)


def test_a_broken_graph_is_one_line(tmp_path: Path) -> None:
    _write_project(tmp_path, "true")
    (tmp_path / "dvc.yaml").write_text("stages: [", encoding="utf-8")
    with pytest.raises(StageError) as caught:
        read_graph(tmp_path)
    assert "\n" not in str(caught.value)


CONFLICT = "schema: '2.0'\n<<<<<<< HEAD\nstages: {}\n=======\nstages:\n>>>>>>> theirs\n"


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        (
            "dvc.lock",
            "take one side (git checkout --ours dvc.lock, or --theirs), and run the same command again",
        ),
        (
            "data.dvc",
            "take one side (git checkout --ours data.dvc, or --theirs), `dvc checkout data.dvc`, and run",
        ),
        ("dvc.yaml", "keep what is right of them, and remove the marks"),
    ],
)
def test_the_marks_of_a_merge_are_told(tmp_path: Path, name: str, remedy: str) -> None:
    _write_project(tmp_path, "true")
    (tmp_path / name).write_text(CONFLICT, encoding="utf-8")
    told = f"{tmp_path / name}:2: a merge has left both sides here (<<<<<<< HEAD); {remedy}"
    with pytest.raises(StageError, match=f"^{re.escape(told)}"):
        stale_stages(tmp_path, read_graph(tmp_path))


ROOT = Path(__file__).parents[2]
GROUND = {"addresses", "cores", "errors", "merges", "params", "printable", "privacy", "project", "providers"}
"""Modules that change no result; parameters are followed by their values."""
OTHERS = GROUND | {"faces", "tracking"}
"""How videos are read shows in what stage `faces` wrote, and where a run is tracked shows in no result."""


def modules_imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_stages_depend_on_the_code_that_they_import() -> None:
    imported = {path: set(modules_imported(path)) for path in (ROOT / "components").rglob("*.py")}
    for name, stage in yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"].items():
        deps = {ROOT / dep for dep in stage.get("do", stage)["deps"] if dep.startswith("components/")}
        code = [path for path in imported if not deps.isdisjoint((path, *path.parents))]
        if name != "describe":  # what it draws lies in the folder of another stage
            code = [path for path in code if path.parent.name != "statistics"]
        needed = {module for path in code for module in imported[path] if module.startswith("components.")}
        places = {ROOT / module.replace(".", "/") for module in needed if module.split(".")[1] not in OTHERS}
        lacking = {
            path.relative_to(ROOT).as_posix()
            for path in places
            if deps.isdisjoint((path, path.with_suffix(".py"), *path.parents))
        }
        assert not lacking, name
