"""Whatever ends a flow, nothing that it has started lives on."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from flows.children import child

ROOT = Path(__file__).parents[2]

PARENT = """
import sys
from flows.children import child
with child(["sh", "-c", "sh -c 'sleep 77 & setsid sleep 77; true'; true"]) as process:
    print(process.pid, flush=True)
    process.wait()
"""
"""As a flow starts DVC, which starts a shell, which starts a stage with a worker in a session of its own."""


def eventually(condition: Callable[[], bool], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not (held := condition()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return held


@pytest.fixture
def family() -> Iterator[tuple["subprocess.Popen[str]", list[psutil.Process]]]:
    """A flow, and its descendants from the supervisor on."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], env=environment, stdout=subprocess.PIPE, text=True
    ) as flow:
        assert flow.stdout
        supervisor = psutil.Process(int(flow.stdout.readline()))
        assert eventually(lambda: len(supervisor.children(recursive=True)) == 4)
        members = [supervisor, *supervisor.children(recursive=True)]
        try:
            yield flow, members
        finally:
            for process in [psutil.Process(flow.pid), *members]:
                if process.is_running():
                    process.kill()


@pytest.mark.parametrize("victim", ["flow", "command", "supervisor", "terminal"])
def test_nothing_outlives_what_was_killed(
    family: tuple["subprocess.Popen[str]", list[psutil.Process]], victim: str
) -> None:
    flow, members = family
    group = [process for process in members if os.getpgid(process.pid) == members[0].pid]
    if victim == "terminal":  # closes: its foreground group gets SIGHUP
        flow.send_signal(signal.SIGHUP)
    else:
        {"flow": flow, "supervisor": members[0], "command": members[1]}[victim].kill()
    # A killed supervisor loses what has moved to a session of its own.
    ended = group if victim == "supervisor" else members
    assert eventually(lambda: not any(alive(process) for process in ended))


def alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize(("command", "code"), [("exit 0", 0), ("exit 3", 3), ("kill -9 $$", 137)])
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
