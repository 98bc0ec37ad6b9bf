"""Whatever ends a flow, nothing that it has started lives on."""

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import psutil
import pytest

from flows import children, supervisor
from flows.children import child
from flows.interruption import interruptible
from tests.components.sandbox.processes import PATIENCE, alive, eventually

ROOT = Path(__file__).parents[2]

FLOW = """
from flows.children import child
from flows.interruption import interruptible
with interruptible(), child(["sh", "-c", "sh -c 'sleep 77 & setsid sleep 77; true'; true"]) as process:
    print(process.pid, flush=True)
    process.wait()
"""
"""It starts DVC, which starts a shell, which starts a stage with a worker in a session of its own."""

Flow = subprocess.Popen[str]


@pytest.fixture
def flow() -> Iterator[Flow]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        # Where tests run in the background, Ctrl-C is ignored.
        ["env", "--default-signal=INT", sys.executable, "-c", FLOW],
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        yield process
        process.kill()


@pytest.fixture
def family(flow: Flow) -> Iterator[list[int]]:
    """The flow's descendants: supervisor, command, shell, stage and worker."""
    assert flow.stdout
    supervisor = psutil.Process(int(flow.stdout.readline()))
    assert eventually(lambda: len(supervisor.children(recursive=True)) == 4)
    members = [supervisor.pid, *(process.pid for process in supervisor.children(recursive=True))]
    yield members
    for pid in filter(alive, members):
        os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("victim", ["flow", "command", "supervisor"])
def test_nothing_outlives_what_was_killed(flow: Flow, family: list[int], victim: str) -> None:
    group = [pid for pid in family if os.getpgid(pid) == family[0]]
    os.kill({"flow": flow.pid, "supervisor": family[0], "command": family[1]}[victim], signal.SIGKILL)
    # A killed supervisor loses what has moved to a session of its own.
    ended = group if victim == "supervisor" else family
    assert eventually(lambda: not any(map(alive, ended)))


@pytest.mark.parametrize(
    ("number", "again_after"),
    [(signal.SIGINT, None), (signal.SIGINT, 0.05), (signal.SIGINT, 0.6), (signal.SIGTERM, None),
     (signal.SIGHUP, None)],
)  # fmt: skip
def test_an_interrupted_flow_leaves_nothing(
    flow: Flow, family: list[int], number: signal.Signals, again_after: float | None
) -> None:
    flow.send_signal(number)
    if again_after:
        time.sleep(again_after)
        flow.send_signal(number)
    _, told = flow.communicate(timeout=PATIENCE)
    assert eventually(lambda: not any(map(alive, family)))
    # Only after a second one, which is not the first once more, it has not waited for them.
    assert ((flow.returncode, told) == (130, "interrupted\n")) == (again_after == 0.6)


@pytest.mark.parametrize(
    ("command", "code"), [("exit 0", 0), ("exit 3", 3), ("kill -9 $$", 137), ("kill -INT $$", 130)]
)
def test_a_childs_exit_code_is_its_commands(command: str, code: int) -> None:
    with child(["sh", "-c", command]) as process:
        assert process.wait() == code


def test_a_child_has_time_to_end_in_order(tmp_path: Path) -> None:
    begun, tidied = tmp_path / "begun", tmp_path / "tidied"
    script = "touch $0; trap 'touch $1; exit' INT; while :; do sleep 0.1; done"
    with child(["sh", "-c", script, str(begun), str(tidied)]) as process:
        assert eventually(begun.exists)
    assert process.returncode == 130
    assert tidied.exists()


def test_a_child_that_starts_while_children_are_ended_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end is asked for after the child's look at it, and before it is among those that are ended."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*arguments: Any, **options: Any) -> "subprocess.Popen[bytes]":
        children.end_children()
        started.append(Popen(*arguments, **options))
        return started[0]

    Popen = subprocess.Popen
    monkeypatch.setattr(children, "ending", Event())
    monkeypatch.setattr(subprocess, "Popen", start)
    with pytest.raises(KeyboardInterrupt), child(["sleep", "77"]):
        pytest.fail("it runs")
    assert started[0].returncode == supervisor.ENDED
    with pytest.raises(KeyboardInterrupt), child(["sleep", "77"]):
        pytest.fail("it runs")
    assert len(started) == 1


def test_what_cannot_be_killed_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another user's process, such as sudo."""
    asked = []

    class Process:
        def children(self, recursive: bool) -> list["Process"]:
            return [self]

        def kill(self) -> None:
            asked.append(self)
            raise psutil.AccessDenied

    monkeypatch.setattr(supervisor.psutil, "Process", Process)
    monkeypatch.setattr(supervisor.os, "killpg", lambda group, number: None)
    monkeypatch.setattr(supervisor, "_any_left", lambda: True)
    monkeypatch.setattr(supervisor, "GRACE_SECONDS", 0.0)
    monkeypatch.setattr(supervisor, "LAST_SECONDS", 0.1)
    supervisor._end_all(os.getpid())
    assert asked


def test_after_an_interruption_this_process_logs_again() -> None:
    silent: list[bool] = []

    def end() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            silent.append(not logging.getLogger().isEnabledFor(logging.CRITICAL))

    with pytest.raises(KeyboardInterrupt), interruptible():
        end()
    assert silent == [True]
    assert logging.getLogger().isEnabledFor(logging.CRITICAL)
