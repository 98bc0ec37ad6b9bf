"""Child processes that end with this one, whatever ends it, and take along all that they have started."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event
from typing import IO, Any

SUPERVISOR = Path(__file__).with_name("supervisor.py")

ending = Event()
"""Set once children have been asked to end: then none is started any more."""

_running: set["subprocess.Popen[Any]"] = set()


@contextmanager
def child(
    command: Sequence[str], *, outlives: bool = False, **options: Any
) -> Iterator["subprocess.Popen[Any]"]:
    """Runs a command until the block ends: first it gets SIGINT, after five seconds all of it is killed.

    It has a session of its own: Ctrl-C reaches this process alone, which ends its children in their order.

    Args:
        command: the command; its standard input is empty.
        outlives: `end_children` leaves it alone.
        options: of `subprocess.Popen`.

    Raises:
        KeyboardInterrupt: children have been asked to end.
    """
    if ending.is_set():
        raise KeyboardInterrupt
    # -P: beside the script lie modules that must not hide others
    process = subprocess.Popen(
        [sys.executable, "-P", str(SUPERVISOR), *command],
        stdin=subprocess.PIPE,
        start_new_session=True,
        **options,
    )
    if not outlives:
        _running.add(process)
    try:
        if ending.is_set() and not outlives:  # meanwhile, so that `end_children` may not have seen this one
            raise KeyboardInterrupt
        yield process
    finally:
        _running.discard(process)
        _hang_up(process)
        if process.wait() < 0:  # a supervisor that was killed itself has left the command
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        for stream in (process.stdout, process.stderr):
            if stream:
                stream.close()


def end_children() -> None:
    """Asks all children to end, those of other threads, too, which wait for them; no more are started."""
    ending.set()
    for process in list(_running):
        _hang_up(process)


def _hang_up(process: "subprocess.Popen[Any]") -> None:
    stdin: IO[Any] | None = process.stdin
    if stdin:
        stdin.close()
