"""Files and folders that are replaced in one step: a reader sees the old content or the new, never half."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def replacing(path: Path, aside: str = "") -> Iterator[Path]:
    """Yield a path beside `path`, and move the file that was written there into its place.

    The folder is made if needed. Where the work or the move fails, nothing is left and the old file stays;
    a killed process leaves the file beside it.

    Args:
        path: of the file.
        aside: name of the file beside it; by default hidden, and another one in each process.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(aside or f".{path.name}.{os.getpid()}")
    try:
        yield partial
        partial.replace(path)
    finally:
        with suppress(OSError):  # of the work is what the caller has to hear
            partial.unlink()


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Yield a path beside `path`, and move the folder that the caller makes there into its place.

    Between the removal of the old folder and the move there is none for a moment. Where the work fails the
    old folder stays, and the next attempt removes what was made.
    """
    partial = path.with_name(f".{path.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    yield partial
    if path.exists():
        shutil.rmtree(path)
    partial.rename(path)


def write_text(text: str, path: Path) -> None:
    """Write a text file in one step."""
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="\n")
