"""The child's side: a program that answers requests under walls that it puts up around itself.

It is killed rather than trusted: memory, CPU time and open files are limited, it can write no file, and it
ends when its parent does.
"""

import math
import os
import queue
import resource
import threading
from collections.abc import Callable
from typing import BinaryIO

from components.sandbox.protocol import Arrays, Header, message, receive

OPEN_FILES = 64

RequestHandler = Callable[[Header], tuple[Header, Arrays]]


class Child:
    """Pipes to the parent, which no library can read from or print to.

    Attributes:
        setup: the first message of the parent.
    """

    def __init__(self) -> None:
        self._inbox = os.fdopen(os.dup(0), "rb")
        self._outbox = os.fdopen(os.dup(1), "wb")
        _redirect_to_null(0)
        os.dup2(2, 1)
        self.setup: Header = receive(_reader(self._inbox))[0]

    def refuse(self, reason: str) -> None:
        """Tells the parent why nothing can be answered."""
        self._send({"fault": reason})

    def serve(self, answer: RequestHandler, seconds: float, memory_mb: int | None) -> None:
        """Answer requests until the parent hangs up.

        Args:
            answer: what makes an answer of a request.
            seconds: of CPU time for each request, a little more than the parent waits.
            memory_mb: of address space; None: not limited.
        """
        limit_resources(memory_mb)
        self._send({"ready": True})
        _redirect_to_null(1, 2)  # from here on, a dying library's last words are nobody's business
        requests = _follow(self._inbox)
        while True:
            request = requests.get()
            _renew_cpu_limit(seconds)
            self._send(*answer(request))

    def _send(self, header: Header, arrays: Arrays | None = None) -> None:
        for part in message(header, arrays or {}):
            self._outbox.write(part)
        self._outbox.flush()


def _redirect_to_null(*descriptors: int) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in descriptors:
        os.dup2(null, descriptor)
    os.close(null)


def _reader(stream: BinaryIO) -> Callable[[memoryview], None]:
    def read_into(view: memoryview) -> None:
        content = stream.read(len(view))
        if len(content) < len(view):
            raise EOFError
        view[:] = content

    return read_into


def _follow(inbox: BinaryIO) -> "queue.SimpleQueue[Header]":
    """Reads requests on a thread of their own: it sees at once that the parent has gone, even mid-decode."""
    requests: queue.SimpleQueue[Header] = queue.SimpleQueue()

    def follow() -> None:
        try:
            while True:
                requests.put(receive(_reader(inbox))[0])
        except EOFError:
            os._exit(0)

    threading.Thread(target=follow, daemon=True).start()
    return requests


def limit_resources(memory_mb: int | None) -> None:
    """Puts up walls around this process: open files, files that grow, core dumps, and memory if given."""
    bounds = {
        resource.RLIMIT_NOFILE: OPEN_FILES,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,  # no file may grow; pipes are not files
    }
    if memory_mb is not None:
        bounds[resource.RLIMIT_AS] = memory_mb * 2**20
    for kind, value in bounds.items():
        hard = resource.getrlimit(kind)[1]
        bounded = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (bounded, bounded))


def _renew_cpu_limit(seconds: float) -> None:
    """Grant CPU time for one more request; the parent's wall clock strikes first unless the parent hangs."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = math.ceil(used.ru_utime + used.ru_stime + seconds) + 1
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(
        resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard)
    )
