"""What a file holds, by its hash: the same content under two names is the same video."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from components.faces.clip import Failure


@dataclass(frozen=True)
class Content:
    """A file's SHA-256 in hex, and its size in bytes."""

    sha256: str
    bytes: int


def hash_files(paths: Sequence[Path], threads: int) -> Iterator[Content | Failure]:
    """Hash files side by side, in order; one that cannot be read is a `Failure`."""
    with ThreadPoolExecutor(threads) as executor:  # hashlib and read() let other threads run
        yield from executor.map(hash_file, paths)


def hash_file(path: Path) -> Content | Failure:
    """Hash one file, chunk by chunk."""
    if not path.exists():
        return Failure("undecodable", "file not found")
    if not path.is_file():  # opening a pipe would wait for ever
        return Failure("undecodable", "not a regular file")
    try:
        with path.open("rb") as file:
            return Content(hashlib.file_digest(file, "sha256").hexdigest(), os.fstat(file.fileno()).st_size)
    except OSError as error:
        return Failure("undecodable", f"cannot be read: {error.strerror}")
