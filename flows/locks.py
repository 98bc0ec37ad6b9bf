"""One run at a time in a project, and whom others wait for: that run, or DVC in another shell."""

import fcntl
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import IO

import psutil

from components.errors import BusyError
from components.project import Project
from flows.children import ending

POLL_SECONDS = 0.5

_held: set[Path] = set()
"""Locks of this process: the flow that a command runs asks for the command's own."""


def to_stderr(line: str) -> None:
    """Tell whoever sits before the terminal."""
    sys.stderr.write(f"{line}\n")


@contextmanager
def project_lock(
    project: Project, *, shared: bool = False, wait: bool = True, say: Callable[[str], None] = to_stderr
) -> Iterator[None]:
    """Hold the project until the block ends.

    Args:
        project: the project folder.
        shared: several may hold it so; no run is among them.
        wait: for another that holds it, after a line that names it.
        say: takes that line.

    Raises:
        BusyError: another process holds the project, and this one does not wait.
    """
    path = project.root.resolve() / ".unmask" / "project.lock"
    if path in _held:
        yield
        return
    path.parent.mkdir(exist_ok=True)
    with path.open("w") as lock:
        _acquire(lock, path, fcntl.LOCK_SH if shared else fcntl.LOCK_EX, wait, say)
        _held.add(path)
        try:
            yield
        finally:
            _held.discard(path)


def _acquire(lock: IO[str], path: Path, kind: int, wait: bool, say: Callable[[str], None]) -> None:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError as error:
        told = f"{path.parent.parent}: {who(holders(path))} works here"
        if not wait:
            raise BusyError(f"{told}; wait for it, or end it") from error
        say(f"{told}; waiting for it")
        fcntl.flock(lock, kind)


def wait_for_dvc(lock: Path, say: Callable[[str], None] = to_stderr) -> None:
    """Wait until no DVC command holds its repository's lock, after a line that says which one does.

    Args:
        lock: the lock's file.
        say: takes the line.
    """
    if _free(lock):
        return
    say(f"{lock}: {who(holders(lock))} holds DVC's lock; waiting")
    while not _free(lock):
        time.sleep(POLL_SECONDS)


def _free(lock: Path) -> bool:
    with suppress(FileNotFoundError), lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def wait_for_processes(blockers: Iterable[tuple[int, str]], say: Callable[[str], None]) -> bool:
    """Wait for DVC commands that use what a stage needs, after a line that names one; False if none does.

    Args:
        blockers: of each its process and what DVC has noted as its command.
        say: takes the line.

    Raises:
        KeyboardInterrupt: this process is to end.
    """
    alive = [process for blocker in blockers if (process := _of_dvc(*blocker))]
    if alive:
        say(f"{who(alive)} uses what this needs; waiting")
    while psutil.wait_procs(alive, POLL_SECONDS)[1]:
        if ending.is_set():
            raise KeyboardInterrupt
    return bool(alive)


def forget_dead(rwlock: Path) -> None:
    """Remove DVC's note of which process uses what, if all that it names have ended.

    DVC believes that one lives while any process has its number; after a restart of the machine many do.
    """
    with suppress(FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):  # or of another form
        noted = json.loads(rwlock.read_text(encoding="utf-8"))
        users = [*noted.get("write", {}).values(), *chain.from_iterable(noted.get("read", {}).values())]
        if not any(_of_dvc(int(user["pid"]), user["cmd"]) for user in users):
            rwlock.unlink()


def _of_dvc(pid: int, command: str) -> psutil.Process | None:
    """The process of that number if it still is the one that DVC has noted."""
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        if " ".join(process.cmdline()).endswith(command.partition(" ")[2]):
            return process
    return None


def holders(lock: Path) -> list[psutil.Process]:
    """The processes that hold a lock on a file; Linux does not tell of other machines and containers."""
    found = []
    with suppress(FileNotFoundError):
        inode = str(lock.stat().st_ino)
        for line in Path("/proc/locks").read_text(encoding="ascii").splitlines():
            fields = line.split()  # 1: FLOCK ADVISORY WRITE 4711 fe:00:2148083 0 EOF
            if fields[1] != "->" and fields[5].rpartition(":")[2] == inode:
                with suppress(psutil.Error):
                    found.append(psutil.Process(int(fields[4])))
    return found


def who(processes: list[psutil.Process]) -> str:
    """Process, command and since when it runs, of the first one."""
    for process in processes:
        with suppress(psutil.Error):
            since = datetime.fromtimestamp(process.create_time()).astimezone()
            return f"process {process.pid} ({_command(process)}, since {since:%Y-%m-%d %H:%M})"
    return "another process"


def _command(process: psutil.Process) -> str:
    """As it was typed: without the interpreter, its options and the path of the script."""
    words = process.cmdline() or [process.name()]
    if Path(words[0]).name.startswith("python"):
        words = words[1:]
        while words and words[0].startswith("-"):
            words = words[1:]
    return " ".join([os.path.basename(words[0]), *words[1:]]) if words else process.name()  # noqa: PTH119
