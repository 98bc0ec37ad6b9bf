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

DVC_LOCK, DVC_RWLOCK = Path(".dvc", "tmp", "lock"), Path(".dvc", "tmp", "rwlock")
"""In a project: the lock of all of it, and the notes of which process uses what while a stage runs."""

POLL_SECONDS = 0.5

CLOCK_SECONDS = 2.0
"""By which the kernel's word on when a process began may differ from the time of a file."""

OTHER_FORM = (ValueError, KeyError, TypeError, AttributeError)
"""What reading DVC's notes raises where they have another form than expected."""

_held: set[Path] = set()
"""Locks of this process: the flow that a command runs asks for the command's own."""


def to_stderr(line: str) -> None:
    """Tells whoever sits before the terminal."""
    sys.stderr.write(f"{line}\n")


@contextmanager
def project_lock(
    project: Project, *, shared: bool = False, wait: bool = True, say: Callable[[str], None] = to_stderr
) -> Iterator[None]:
    """Holds the project until the block ends.

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
        problem = f"{path.parent.parent}: {who(holders(path))} works here"
        if not wait:
            raise BusyError(f"{problem}; wait for it, or end it") from error
        say(f"{problem}; waiting for it")
        fcntl.flock(lock, kind)


def wait_for_dvc(lock: Path, say: Callable[[str], None] = to_stderr) -> None:
    """Waits until no DVC command holds its repository's lock, after a line that says which one does.

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


def refuse_dvc(root: Path) -> None:
    """Refuses where a DVC command is at work in a project, be it that it holds the lock or runs a stage.

    Raises:
        BusyError: one is; names it.
    """
    lock = root / DVC_LOCK
    if not _free(lock):
        raise BusyError(f"{lock}: {who(holders(lock))} holds DVC's lock; wait for it, or end it")
    with suppress(FileNotFoundError, *OTHER_FORM):
        if alive := _users(root / DVC_RWLOCK):
            raise BusyError(f"{root}: {who(alive)} works here; wait for it, or end it")


def wait_for_processes(blockers: Iterable[tuple[int, str]], rwlock: Path, say: Callable[[str], None]) -> bool:
    """Waits for DVC commands that use what a stage needs, after a line that names one; False if none does.

    Args:
        blockers: of each its process and what DVC has noted as its command.
        rwlock: the file where DVC notes them.
        say: takes the line.

    Raises:
        KeyboardInterrupt: this process is to end.
    """
    alive = [process for blocker in blockers if (process := _of_dvc(*blocker, rwlock))]
    if alive:
        say(f"{who(alive)} uses what this needs; waiting")
    while psutil.wait_procs(alive, POLL_SECONDS)[1]:
        if ending.is_set():
            raise KeyboardInterrupt
    return bool(alive)


def forget_dead(rwlock: Path) -> None:
    """Removes DVC's note of which process uses what, if all that it names have ended.

    DVC believes that one lives while any process has its number; after a restart of the machine many do.
    """
    with suppress(FileNotFoundError, *OTHER_FORM):
        if not _users(rwlock):
            rwlock.unlink()


def _users(rwlock: Path) -> list[psutil.Process]:
    """Returns the processes that DVC has noted and that live."""
    noted = json.loads(rwlock.read_text(encoding="utf-8"))
    users = [*noted.get("write", {}).values(), *chain.from_iterable(noted.get("read", {}).values())]
    processes = (_of_dvc(int(user["pid"]), str(user["cmd"]), rwlock) for user in users)
    return [process for process in processes if process]


def _of_dvc(pid: int, command: str, rwlock: Path) -> psutil.Process | None:
    """Returns the process of that number if it still is the one that DVC has noted in a file.

    It was there when the file was last written, and has the command's arguments, or all of a command that has
    none: the interpreter before them is not noted.
    """
    tail = command.partition(" ")[2] or command
    with suppress(psutil.Error, FileNotFoundError):
        process = psutil.Process(pid)
        there = process.create_time() <= rwlock.stat().st_mtime + CLOCK_SECONDS
        if tail and there and f" {' '.join(process.cmdline())}".endswith(f" {tail}"):
            return process
    return None


def holders(lock: Path) -> list[psutil.Process]:
    """Returns the processes that hold a lock on a file; Linux does not tell of other machines and containers.

    One file of several devices may have the number. Btrfs has devices by which `stat` does not know a file:
    where none is the file's, the number alone counts.
    """
    by_device: dict[bool, list[psutil.Process]] = {True: [], False: []}
    with suppress(FileNotFoundError):
        status = lock.stat()
        device = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}"
        for line in Path("/proc/locks").read_text(encoding="ascii").splitlines():
            fields = line.split()  # 1: FLOCK ADVISORY WRITE 4711 fe:00:2148083 0 EOF
            on, _, inode = fields[5].rpartition(":")
            if fields[1] != "->" and inode == str(status.st_ino):
                with suppress(psutil.Error):
                    by_device[on == device].append(psutil.Process(int(fields[4])))
    return by_device[True] or by_device[False]


def who(processes: list[psutil.Process]) -> str:
    """Process, command and since when it runs, of the first one."""
    for process in processes:
        with suppress(psutil.Error):
            since = datetime.fromtimestamp(process.create_time()).astimezone()
            return f"process {process.pid} ({_command(process)}, since {since:%Y-%m-%d %H:%M})"
    return "another process"


def _command(process: psutil.Process) -> str:
    """Returns the command as it was typed: without the interpreter, its options and the script's path."""
    words = process.cmdline() or [process.name()]
    if Path(words[0]).name.startswith("python"):
        words = words[1:]
        while words and words[0].startswith("-"):
            words = words[1:]
    return " ".join([os.path.basename(words[0]), *words[1:]]) if words else process.name()  # noqa: PTH119
