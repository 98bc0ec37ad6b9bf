"""One run at a time in a project; whoever waits says for whom."""

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import psutil
import pytest

from components.errors import BusyError, StageError
from components.project import Project
from flows import graph, locks
from flows.commands import training
from flows.graph import first_error, run_dvc
from flows.locks import DVC_LOCK, DVC_RWLOCK, forget_dead, project_lock, refuse_dvc, wait_for_dvc

ROOT = Path(__file__).parents[2]
SINCE = r"since \d{4}-\d\d-\d\d \d\d:\d\d"

HOLDER = """
import sys
from pathlib import Path
from components.project import Project
from flows.locks import project_lock
with project_lock(Project(Path(sys.argv[1])), shared=sys.argv[2] == "shared"):
    print(flush=True)
    sys.stdin.read()
"""


class Holder:
    """Another process, that has a project until it is let go."""

    def __init__(self, project: Project, kind: str, tmp_path: Path) -> None:
        script = tmp_path / "unmask"
        script.write_text(HOLDER, encoding="utf-8")
        self.process = subprocess.Popen(
            [sys.executable, script, project.root, kind],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout
        self.process.stdout.readline()

    def release(self) -> None:
        self.process.communicate()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    root = tmp_path / "project"
    root.mkdir()
    return Project(root)


def test_a_second_run_waits_for_the_first_and_names_it(project: Project, tmp_path: Path) -> None:
    holder = Holder(project, "exclusive", tmp_path)
    who = rf"process {holder.process.pid} \(unmask {re.escape(str(project.root))} exclusive, {SINCE}\)"
    refused = rf"^{re.escape(str(project.root))}: {who} works here; wait for it"
    with pytest.raises(BusyError, match=refused), project_lock(project, wait=False):
        pass
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        Thread(target=holder.release).start()

    with project_lock(project, say=say), project_lock(project, say=say):  # of its own it waits for none
        assert holder.process.wait(20) == 0
    (line,) = said
    assert re.search(rf"{who} works here; waiting", line)


@pytest.mark.parametrize(
    ("first", "shared", "free"),
    [("shared", True, True), ("shared", False, False), ("exclusive", True, False)],
)
def test_searches_go_beside_each_other_but_not_beside_a_run(
    project: Project, tmp_path: Path, first: str, shared: bool, free: bool
) -> None:
    holder = Holder(project, first, tmp_path)
    try:
        with project_lock(project, shared=shared, wait=False):
            assert free
    except BusyError:
        assert not free
    finally:
        holder.release()


@pytest.fixture
def stranger() -> Iterator[psutil.Popen]:
    """The process of somebody else."""
    with psutil.Popen(["sleep", "60"]) as process:
        yield process
        if process.is_running():
            process.kill()


def test_dvcs_lock_is_waited_for(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    wait_for_dvc(lock)  # is not there yet
    said: list[str] = []
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)

        def say(line: str) -> None:
            said.append(line)
            fcntl.flock(held, fcntl.LOCK_UN)

        wait_for_dvc(lock, say)
    (line,) = said
    assert f"process {os.getpid()} (" in line
    assert line.endswith("holds DVC's lock; waiting")


BUSY = [
    "ERROR: 'out' is busy, it is being blocked by:",
    "  (PID {pid}): /venv/bin/sleep 60",
    "",
    "If there are no processes with such PIDs, you can manually remove '.dvc/tmp/rwlock' and try again.",
]
"""What DVC 3.67 says where another of its commands uses a stage's files."""


def note(root: Path, **users: dict[str, object]) -> Path:
    """What DVC notes in a project: who reads what."""
    rwlock = root / DVC_RWLOCK
    rwlock.parent.mkdir(parents=True, exist_ok=True)
    rwlock.write_text(json.dumps({"write": {}, "read": {name: [user] for name, user in users.items()}}))
    return rwlock


def test_a_stage_that_another_dvc_uses_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stranger: psutil.Popen
) -> None:
    tries: list[list[str]] = []
    said: list[str] = []

    def relayed(module: list[str], root: Path, relay: object, subject: str) -> None:
        tries.append(module)
        if len(tries) == 1:
            raise StageError(f"{subject}: {first_error([line.format(pid=stranger.pid) for line in BUSY])}")

    def relay(line: str) -> None:
        said.append(line)
        stranger.kill()

    monkeypatch.setattr(graph, "relayed", relayed)
    note(tmp_path)
    run_dvc(["repro", "one"], tmp_path, relay)
    assert not stranger.is_running()
    assert tries == [["dvc", "--wait-for-lock", "repro", "one"]] * 2
    (line,) = said
    assert re.fullmatch(rf"process {stranger.pid} \(sleep 60, {SINCE}\) uses what this needs; waiting", line)


def test_the_whole_of_dvcs_message_is_told_where_nobody_can_be_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A number that another process has meanwhile: this one."""
    told = first_error([line.format(pid=os.getpid()) for line in BUSY])

    def relayed(*arguments: object) -> None:
        raise StageError(told)

    monkeypatch.setattr(graph, "relayed", relayed)
    with pytest.raises(StageError, match=rf"^'out' is busy, .*\(PID {os.getpid()}\): /venv/bin/sleep 60$"):
        run_dvc(["repro", "one"], tmp_path, lambda line: None)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([], ""),
        (
            ["error: data/x is odd; mend it", "more", "ERROR: failed to reproduce 'one'"],
            "data/x is odd; mend it",
        ),
        (["ERROR: failed to reproduce 'one': exited with 1"], "failed to reproduce 'one': exited with 1"),
        (["ERROR: one of", "two lines", "", "a hint"], "one of two lines"),
    ],
)
def test_the_first_error_is_one_line(lines: list[str], told: str) -> None:
    assert first_error(lines) == told


@pytest.mark.parametrize("ended", [True, False])
def test_dvcs_note_of_the_dead_is_forgotten(tmp_path: Path, stranger: psutil.Popen, ended: bool) -> None:
    """A number that an ended process had is soon another's: here, this test's own."""
    rwlock = tmp_path / "rwlock"
    forget_dead(rwlock)  # is not there
    dead = {"pid": os.getpid(), "cmd": "/venv/bin/dvc repro"}
    living = {"pid": stranger.pid, "cmd": "/bin/sleep 60"}
    rwlock.write_text(json.dumps({"write": {"out": dead}, "read": {"data": [dead if ended else living]}}))
    forget_dead(rwlock)
    assert rwlock.exists() == (not ended)


@pytest.mark.parametrize(
    ("command", "later", "living"),
    [
        ("/bin/sleep 60", 0, True),
        ("sleep 60", 0, True),
        ("/bin/sleep 60", -60, False),  # the number was another's then
        ("/bin/sleep 0", 0, False),
        ("/venv/bin/dvc", 0, False),
        ("", 0, False),
    ],
)
def test_a_noted_process_is_known_by_arguments_and_time(
    tmp_path: Path, stranger: psutil.Popen, command: str, later: float, living: bool
) -> None:
    rwlock = note(tmp_path, data={"pid": stranger.pid, "cmd": command})
    written = rwlock.stat().st_mtime + later
    os.utime(rwlock, (written, written))
    if living:
        who = rf"^{re.escape(str(tmp_path))}: process {stranger.pid} \(sleep 60, {SINCE}\) works here"
        with pytest.raises(BusyError, match=who):
            refuse_dvc(tmp_path)
    else:
        refuse_dvc(tmp_path)
    forget_dead(rwlock)
    assert rwlock.exists() == living


def test_a_noted_script_without_arguments_is_known_by_its_name(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("import sys; print(flush=True); sys.stdin.read()", encoding="utf-8")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with psutil.Popen([sys.executable, script], **pipes) as process:
        process.stdout.readline()
        note(tmp_path, data={"pid": process.pid, "cmd": str(script)})
        with pytest.raises(BusyError, match=f"process {process.pid} "):
            refuse_dvc(tmp_path)
        process.communicate()


def test_dvcs_lock_can_be_refused(tmp_path: Path) -> None:
    refuse_dvc(tmp_path)  # has no lock yet
    lock = tmp_path / DVC_LOCK
    lock.parent.mkdir(parents=True)
    with lock.open("w") as held:
        refuse_dvc(tmp_path)
        fcntl.flock(held, fcntl.LOCK_EX)
        who = rf"^{re.escape(str(lock))}: process {os.getpid()} \(.*\) holds DVC's lock"
        with pytest.raises(BusyError, match=rf"{who}; wait for it, or end it$"):
            refuse_dvc(tmp_path)


@pytest.mark.parametrize(
    "options",
    [
        {"dry_run": False, "recipe": None},
        {"dry_run": True, "recipe": None},
        {"dry_run": True, "recipe": "xception"},
    ],
)
def test_a_run_that_does_not_wait_does_not_wait_for_dvc_either(
    project: Project, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    shutil.copy(ROOT / "params.yaml", project.params)
    lock = project.root / DVC_LOCK
    lock.parent.mkdir(parents=True)
    monkeypatch.setattr(training, "enter", lambda: project)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(BusyError, match=f"process {os.getpid()} "):
            training.run(jobs=0, wait=False, **options)


@pytest.mark.parametrize("own", [True, False])
def test_the_holder_of_a_file_is_told_from_that_of_its_number_on_another_device(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stranger: psutil.Popen, own: bool
) -> None:
    lock = tmp_path / "lock"
    lock.touch()
    status = lock.stat()
    device = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}"
    lines = [f"1: FLOCK ADVISORY WRITE {stranger.pid} fe:ff:{status.st_ino} 0 EOF"]
    if own:
        lines.append(f"2: FLOCK ADVISORY WRITE {os.getpid()} {device}:{status.st_ino} 0 EOF")
    monkeypatch.setattr(Path, "read_text", lambda path, encoding: "\n".join(lines))
    assert [process.pid for process in locks.holders(lock)] == [os.getpid() if own else stranger.pid]
