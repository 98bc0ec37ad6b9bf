import re
from pathlib import Path
from threading import Event

import pytest
import yaml

from components.errors import StageError
from flows import graph
from flows.graph import Stage, downstream, read_graph, relayed, run_stage, stale_stages, with_downstream

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


@pytest.mark.parametrize("number", ["SIGINT", "SIGKILL"])
@pytest.mark.parametrize("wanted", [False, True])
def test_only_an_end_that_was_asked_for_is_an_interruption(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: str, wanted: bool
) -> None:
    """Some other process may end a stage, or the kernel one that takes all memory."""
    script = "import os, signal; signal.signal(2, signal.SIG_DFL); os.kill(os.getpid(), signal."
    (tmp_path / "dying.py").write_text(f"{script}{number})", encoding="utf-8")
    ending = Event()
    monkeypatch.setattr(graph, "ending", ending)
    if wanted:
        ending.set()
    expected, told = (KeyboardInterrupt, "") if wanted else (StageError, f"candidates: was ended ({number})")
    with pytest.raises(expected, match=f"^{re.escape(told)}$"):
        relayed(["dying"], tmp_path, lambda line: None, "candidates")


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
        ("params.resolved.yaml", "delete it, and run the same command again"),
    ],
)
def test_the_marks_of_a_merge_are_told(tmp_path: Path, name: str, remedy: str) -> None:
    _write_project(tmp_path, "true")
    with (tmp_path / "dvc.yaml").open("a", encoding="utf-8") as file:
        file.write("vars: [params.resolved.yaml]\n")
    (tmp_path / "params.resolved.yaml").write_text("resolved: {}\n", encoding="utf-8")
    (tmp_path / name).write_text(CONFLICT, encoding="utf-8")
    told = f"{tmp_path / name}:2: a merge has left both sides here (<<<<<<< HEAD); {remedy}"
    with pytest.raises(StageError, match=f"^{re.escape(told)}"):
        stale_stages(tmp_path, read_graph(tmp_path))
