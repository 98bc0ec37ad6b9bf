"""What ingest has found out about each file, kept between runs in `.unmask/examined.sqlite`.

The file is a cache: whatever is wrong with it, it is made anew.
"""

import logging
import sqlite3
import time
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from pydantic import TypeAdapter
from typing_extensions import TypedDict  # pydantic wants this one before Python 3.12

from components.errors import StageError
from components.faces.clip import Failure
from components.fingerprint import digest, fingerprint, versions
from components.video.examine import Examined
from components.video.info import VideoInfo
from components.video.limits import Limits

log = logging.getLogger(__name__)

TABLES_VERSION = 1
"""Raised by hand whenever the tables change."""

BATCH_SECONDS = 1.0
"""How much work a killed run may lose."""

DECODERS = ("av", "pillow", "ImageHash")
"""Libraries that decide what examining a video finds."""


class _Head(TypedDict):
    size: int
    mtime_ns: int
    digest: str
    sha256: str


_HEAD = TypeAdapter(_Head)
_EXAMINED = TypeAdapter(Examined)
_FAILURE = TypeAdapter(Failure)
_FACTS = tuple(field.name for field in fields(VideoInfo))
_COLUMNS = ("path", "size", "mtime_ns", "digest", "sha256", "status", "reason", "fingerprint", *_FACTS)
_TABLES = f"""
    CREATE TABLE IF NOT EXISTS examined ({", ".join(_COLUMNS)}, PRIMARY KEY (path)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS seal (content);
    PRAGMA user_version = {TABLES_VERSION};
"""
_MARKS = ", ".join("?" * len(_COLUMNS))
_BROKEN = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR})
"""SQLite's words for a file that is damaged, is not its own, or has other tables."""

UNSETTLED = -1
"""A modification time that no file has: its record is only found by content."""


@dataclass(frozen=True, slots=True)
class Record:
    """One file as it was examined.

    Attributes:
        mtime_ns: its modification time, or `UNSETTLED` where that cannot tell another content.
        digest: of what decided the result besides the content: see `examining_digest`.
    """

    size: int
    mtime_ns: int
    digest: str
    sha256: str
    result: Examined | Failure


class ExaminedStore:
    """Records by path inside `data/`, in memory; what is put in goes to disk about once a second."""

    def __init__(self, connection: sqlite3.Connection, records: dict[str, Record]) -> None:
        self.records = records
        self._connection = connection
        self._pending: dict[str, Record] = {}
        self._written = time.monotonic()

    def put(self, path: str, record: Record) -> None:
        """Remembers a file."""
        self.records[path] = self._pending[path] = record
        if time.monotonic() - self._written > BATCH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Writes what is still in memory only."""
        with self._connection as connection:
            rows = [_to_row(path, record) for path, record in self._pending.items()]
            connection.executemany(f"REPLACE INTO examined VALUES ({_MARKS})", rows)  # noqa: S608  question marks
        self._pending.clear()
        self._written = time.monotonic()

    def prune(self, paths: Collection[str]) -> None:
        """Forgets all files but these."""
        gone = [(path,) for path in self.records.keys() - set(paths)]
        with self._connection as connection:
            connection.executemany("DELETE FROM examined WHERE path = ?", gone)
        for (path,) in gone:
            del self.records[path]
            self._pending.pop(path, None)

    @property
    def seal(self) -> str | None:
        """What the last complete run was sealed with."""
        row = self._connection.execute("SELECT content FROM seal").fetchone()
        return str(row[0]) if row else None

    @seal.setter
    def seal(self, content: str | None) -> None:
        with self._connection as connection:
            connection.execute("DELETE FROM seal")
            if content is not None:
                connection.execute("INSERT INTO seal VALUES (?)", (content,))


@contextmanager
def open_store(path: Path) -> Iterator[ExaminedStore]:
    """Opens the store, or makes it; a damaged or foreign file is replaced.

    Raises:
        StageError: the file can be neither read nor written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        connection, records = _load(path)
        with closing(connection):
            store = ExaminedStore(connection, records)
            try:
                yield store
            finally:  # what an interrupted run has found out is kept, too
                store.flush()
    except sqlite3.Error as error:
        raise StageError(f"{path}: cannot be used ({error}); free disk space, or delete the file") from error


def examining_digest(limits: Limits) -> str:
    """Returns twelve hex digits of what decides, besides a file's content, what examining it finds.

    The wall clock is left out: a video that ran into it is examined again by the next run in any case.
    """
    # The worker turns what goes wrong into an answer; what it imports for other questions is no matter here.
    code = fingerprint("components.video.examine", alone=["components.faces.worker"])
    return digest([TABLES_VERSION, limits.model_dump(exclude={"wall_seconds"}), code, versions(DECODERS)])


def _load(path: Path) -> tuple[sqlite3.Connection, dict[str, Record]]:
    try:
        return _connect(path)
    except (sqlite3.Error, TypeError, ValueError) as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
        if code & 0xFF not in _BROKEN:
            raise
        reason = " ".join(str(error).split())[:100]
        log.warning("%s: damaged or of another version (%s); all videos are examined anew", path, reason)
    for name in (path.name, f"{path.name}-journal", f"{path.name}-wal", f"{path.name}-shm"):
        path.with_name(name).unlink(missing_ok=True)
    return _connect(path)


def _connect(path: Path) -> tuple[sqlite3.Connection, dict[str, Record]]:
    connection = sqlite3.connect(path)
    try:
        known = connection.execute("PRAGMA user_version").fetchone()[0]
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if tables and known != TABLES_VERSION:
            raise ValueError(f"version {known}")
        connection.executescript(_TABLES)
        connection.execute("SELECT content FROM seal").fetchone()
        rows = connection.execute(f"SELECT {', '.join(_COLUMNS)} FROM examined")  # noqa: S608  constants
        return connection, dict(_from_row(row) for row in rows)
    except BaseException:
        connection.close()
        raise


def _to_row(path: str, record: Record) -> tuple[object, ...]:
    head = (path, record.size, record.mtime_ns, record.digest, record.sha256)
    result = record.result
    if isinstance(result, Failure):
        return (*head, result.status, result.reason, None, *(None for _ in _FACTS))
    return (*head, "ok", None, result.fingerprint, *astuple(result.info))


def _from_row(row: tuple[object, ...]) -> tuple[str, Record]:
    """Returns a record whose every value has been checked: somebody may have edited the file.

    Raises:
        ValueError: a value is not one that `_to_row` writes.
    """
    path, size, mtime_ns, digest, sha256, status, reason, fingerprint, *facts = row
    result: Examined | Failure
    if status == "ok":
        info = dict(zip(_FACTS, facts, strict=True))
        result = _EXAMINED.validate_python({"info": info, "fingerprint": fingerprint})
    else:
        result = _FAILURE.validate_python({"status": status, "reason": reason})
    head = {"size": size, "mtime_ns": mtime_ns, "digest": digest, "sha256": sha256}
    return str(path), Record(**_HEAD.validate_python(head), result=result)
