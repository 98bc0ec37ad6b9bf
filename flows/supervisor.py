"""Runs a command for a parent, and ends it with all that it has started when the parent ends.

The parent holds the other end of standard input, which closes when it ends in whatever way. A process whose
own parent has ended becomes a child of this one (it is a subreaper, prctl(2)), so that none is lost, whatever
group or session it has moved to.

A script that is run by its path, with imports that cost little: one stands before each child of a flow.
"""

import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress

import psutil

ENDED = 130
"""Exit code where the command was asked to end. One that SIGINT of somebody else has ended has it, too."""

GRACE_SECONDS = 5.0
"""For an orderly end after SIGINT; what is alive then is killed."""

ORPHANS_SECONDS = 1.0
"""For what is left once the command itself has ended."""

LAST_SECONDS = 10.0
"""From SIGINT on; what is alive then cannot be killed: another user's, or one that waits for a device."""

PR_SET_CHILD_SUBREAPER = 36


def main(command: list[str]) -> int:
    """Runs the command; its exit code, or `ENDED`."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signals = _signals()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    while process.poll() is None:
        ready, _, _ = select.select([0, signals], [], [])
        if 0 in ready or {signal.SIGINT, signal.SIGTERM}.intersection(os.read(signals, 4096)):
            break
    code = process.returncode
    _end_all(process.pid)
    if code is None:
        return ENDED
    return code if code >= 0 else 128 - code


def _signals() -> int:
    """A descriptor that tells of ended children, and of signals that ask for the end, by their numbers.

    With a handler, even an idle one, a signal has its default meaning again in the command: a shell's
    background jobs ignore SIGINT.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing)
    for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: None)
    return reading


def _end_all(command: int) -> None:
    os.killpg(0, signal.SIGINT)
    began = alive = time.monotonic()
    while _any_left():
        now = time.monotonic()
        if psutil.pid_exists(command):
            alive = now
        if now > began + LAST_SECONDS:
            return
        if now > min(began + GRACE_SECONDS, alive + ORPHANS_SECONDS):
            _kill_all()
        time.sleep(0.02)


def _kill_all() -> None:
    for descendant in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            descendant.kill()


def _any_left() -> bool:
    """Whether any descendant lives, each of which is a child or has one as an ancestor; buries the dead."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
        return True
    return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
