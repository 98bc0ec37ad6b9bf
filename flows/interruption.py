"""Ctrl-C and SIGTERM while a flow runs."""

import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType

INTERRUPTED = 130
"""Exit code after Ctrl-C."""

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end the block as KeyboardInterrupt, with nothing logged until it has ended.

    A second one ends this process at once; its children see that, and end, too.
    """
    interrupted = Event()

    def interrupt(number: int, frame: FrameType | None) -> None:
        if interrupted.is_set():
            sys.stderr.write("interrupted\n")
            os._exit(INTERRUPTED)
        interrupted.set()
        logging.disable(logging.CRITICAL)  # Prefect would tell of it at length
        raise KeyboardInterrupt

    # A shell has its background jobs ignore Ctrl-C.
    wanted = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, interrupt) for number in wanted}
    silenced = logging.root.manager.disable
    try:
        yield
    except Exception as error:
        if interrupted.is_set():  # whatever it has become on its way
            raise KeyboardInterrupt from error
        raise
    finally:
        logging.disable(silenced)
        for number, handler in before.items():
            signal.signal(number, handler)
