"""Ctrl-C and SIGTERM while a flow runs."""

import logging
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED = 130
"""Exit code after Ctrl-C."""

SIGNALS = (signal.SIGINT, signal.SIGTERM)

REPEAT_SECONDS = 0.3
"""Signals that are closer are one: `timeout` and others signal both a process and its group."""


@contextmanager
def interruptible() -> Iterator[None]:
    """Lets Ctrl-C and SIGTERM end the block as KeyboardInterrupt, with nothing logged until it has ended.

    A second one ends this process at once; its children see that, and end, too.
    """
    interrupted: float | None = None

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal interrupted
        now = time.monotonic()
        if interrupted is None:
            interrupted = now
            logging.disable(logging.CRITICAL)  # Prefect would tell of it at length
            raise KeyboardInterrupt
        if now > interrupted + REPEAT_SECONDS:
            sys.stderr.write("interrupted\n")
            os._exit(INTERRUPTED)

    # A shell has its background jobs ignore Ctrl-C.
    wanted = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, interrupt) for number in wanted}
    silenced = logging.root.manager.disable
    try:
        yield
    except Exception as error:
        if interrupted is not None:  # whatever it has become on its way
            raise KeyboardInterrupt from error
        raise
    finally:
        logging.disable(silenced)
        for number, handler in before.items():
            signal.signal(number, handler)
