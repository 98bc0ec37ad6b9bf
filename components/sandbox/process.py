"""The parent's side of a worker: one child process that is asked, waited for, and buried when it fails."""

import os
import select
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, cast

from components.errors import StageError
from components.sandbox.protocol import Arrays, Header, ProtocolError, ReadInto, pack, receive

START_SECONDS = 120.0
"""A worker imports its libraries in about a second; on a machine under load it may take far longer."""

CLOSED = "the pool of video workers has been closed"
PACKAGE_ROOT = Path(__file__).resolve().parents[2]


class WorkerDied(Exception):  # noqa: N818  says what happened
    """A worker ended in the middle of a request; the message says how."""


class WorkerProcess:
    """One child process, started at the first request and again after each death.

    Args:
        program: the module that runs in it.
        setup: the message that it starts with.
        max_bytes: of arrays in one answer.
    """

    def __init__(self, program: str, setup: Header, max_bytes: int = 0) -> None:
        self._program = program
        self._setup = setup
        self._max_bytes = max_bytes
        self._process: subprocess.Popen[bytes] | None = None
        self._in_use = threading.Lock()
        self._closed = False

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def ask(self, request: Header, seconds: float) -> tuple[Header, Arrays]:
        """Sends a request and waits for its answer.

        Raises:
            TimeoutError: no answer came in time; the process has been killed.
            WorkerDied: the process ended instead of answering.
            ProtocolError: what it answered is no message; the process has been killed.
            StageError: no process can be started, or the worker has been closed.
        """
        with self._in_use:
            return self._exchange(self._running(), request, seconds)

    def discard(self) -> None:
        """Kill the process; the next request starts another."""
        with self._in_use:
            self._bury()

    def close(self) -> None:
        """Kill the process, even in the middle of a request; the worker cannot be used afterwards."""
        self._closed = True
        if process := self._process:
            process.kill()
        with self._in_use:
            self._bury()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process and self._process.poll() is None:
            return self._process
        self._bury()
        self._process = process = _spawn(self._program)
        if self._closed:  # asked after the process is known, so that `close` cannot miss one
            self._bury()
            raise StageError(CLOSED)
        try:
            answer, _ = self._exchange(process, self._setup, START_SECONDS)
        except (TimeoutError, WorkerDied, ProtocolError) as error:
            why = str(error) or f"no answer in {START_SECONDS:.0f} s"
            raise StageError(f"a video worker cannot start ({why}); its own words stand above") from error
        if "fault" in answer:  # it has read nothing yet but its setup, so its words are the project's own
            self._bury()
            raise StageError(str(answer["fault"]))
        return process

    def _exchange(
        self, process: subprocess.Popen[bytes], message: Header, seconds: float
    ) -> tuple[Header, Arrays]:
        try:
            _write(process, pack(message))
            return receive(_reader(process, time.monotonic() + seconds), self._max_bytes)
        except (TimeoutError, ProtocolError):
            self._bury()
            raise
        except (EOFError, OSError) as error:
            ending = _ending(self._bury(grace=1.0))
            raise StageError(CLOSED) if self._closed else WorkerDied(ending) from error

    def _bury(self, grace: float = 0.0) -> int:
        """Ends the process if it has not ended within `grace` seconds; its exit code."""
        process, self._process = self._process, None
        if process is None:
            return 0
        with suppress(subprocess.TimeoutExpired):
            process.wait(grace)
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                with suppress(OSError):
                    pipe.close()
        return process.returncode


def _spawn(program: str) -> subprocess.Popen[bytes]:
    search = os.pathsep.join(filter(None, (str(PACKAGE_ROOT), os.environ.get("PYTHONPATH"))))
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")  # threads cost address space
    return subprocess.Popen(
        # -P: a folder of videos may hold an av.py
        [sys.executable, "-P", "-m", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | single | {"PYTHONPATH": search},
        process_group=0,  # Ctrl-C is for the parent, which then ends its workers
    )


def _write(process: subprocess.Popen[bytes], content: bytes) -> None:
    """Never blocks: a request is far smaller than a pipe's buffer, and the last one has been answered."""
    stdin = cast(IO[bytes], process.stdin)
    stdin.write(content)
    stdin.flush()


def _reader(process: subprocess.Popen[bytes], deadline: float) -> ReadInto:
    descriptor = cast(IO[bytes], process.stdout).fileno()
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)

    def read_into(view: memoryview) -> None:
        while view:
            if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
                raise TimeoutError
            count = os.readv(descriptor, [view])
            if not count:
                raise EOFError
            view = view[count:]

    return read_into


def _ending(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
