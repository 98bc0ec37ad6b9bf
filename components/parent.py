"""Processes of `multiprocessing` live on after a kill -9 of their parent, unless they look out for it."""

import multiprocessing
import os
from threading import Thread


def end_with_parent() -> None:
    """Lets this process, made by `multiprocessing`, end as soon as the one that asked for it has ended."""
    Thread(target=_wait_and_end, daemon=True).start()


def _wait_and_end() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)
