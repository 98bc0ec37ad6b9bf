"""What a file holds, by its hash: the same content under two names is the same video."""

import hashlib
import os
import stat
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from components.faces.clip import Failure
from components.video.picture_files import disk_state, list_pictures

SETTLE_NS = 2_000_000_000
"""File systems keep times as coarsely as this: a file written to more lately may change and keep its time."""

NOT_FOUND = "file not found"
"""The reason of what a list names and nothing is there for."""

READ_AHEAD = 4
"""Files that each thread may hash before they are asked for."""


@dataclass(frozen=True, slots=True)
class Content:
    """A file's SHA-256 in hex, and what tells later that it is still that.

    Attributes:
        bytes: its size.
        mtime_ns: its modification time.
        settled: whether another content would show in `bytes` or `mtime_ns`. Git calls files "racy" of which
            that is not certain: written within the last two seconds, or while they were read.
    """

    sha256: str
    bytes: int
    mtime_ns: int
    settled: bool


def hash_files(paths: Iterable[Path], threads: int) -> Iterator[Content | Failure]:
    """Hash files side by side, in order, a few ahead of who asks; one that cannot be read is a `Failure`."""
    waiting: deque[Future[Content | Failure]] = deque()
    executor = ThreadPoolExecutor(threads, thread_name_prefix="hash")  # hashlib and read() let others run
    try:
        for path in paths:
            waiting.append(executor.submit(hash_file, path))
            if len(waiting) >= READ_AHEAD * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


def hash_file(path: Path) -> Content | Failure:
    """Hashes one file, chunk by chunk; of a folder, its pictures."""
    now = time.time_ns()
    try:
        if path.is_dir():
            return _hash_pictures(path, now)
        if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would wait for ever
            return Failure("undecodable", "not a regular file")
        with path.open("rb") as file:
            before = os.fstat(file.fileno())
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            after = os.fstat(file.fileno())
    except FileNotFoundError:
        return Failure("undecodable", NOT_FOUND)
    except OSError as error:
        return Failure("undecodable", f"cannot be read: {error.strerror}")
    unchanged = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    settled = unchanged and before.st_mtime_ns + SETTLE_NS < now
    return Content(sha256, before.st_size, before.st_mtime_ns, settled)


def _hash_pictures(folder: Path, now: int) -> Content | Failure:
    """The same pictures in the same order are the same content, whatever they are called.

    Raises:
        OSError: the folder, or the state of a picture, cannot be read.
    """
    before = disk_state(folder)
    digest = hashlib.sha256()
    pictures = list_pictures(folder)
    for picture in pictures:
        content = hash_file(picture)
        if isinstance(content, Failure):
            return content
        digest.update(bytes.fromhex(content.sha256))
    if not pictures:
        return Failure("undecodable", "no pictures in this folder")
    settled = before == disk_state(folder) and before[1] + SETTLE_NS < now
    return Content(digest.hexdigest(), *before, settled)


def is_unchanged(path: Path, content: Content) -> bool:
    """Tells whether a file or folder still has the size and time with which it was hashed."""
    try:
        return disk_state(path) == (content.bytes, content.mtime_ns)
    except OSError:
        return False
