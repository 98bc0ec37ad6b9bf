"""The scores of a batch job on disk: exactly one row per video and model version, whatever was killed when.

    FOLDER/.lock                                   held while a job writes here
    FOLDER/source.json                             the folder of videos that all rows are about
    FOLDER/shards/VERSION-DIGEST/shard-*.parquet   written one by one, each in one step
    FOLDER/shards/VERSION-DIGEST/.exact            no two files read alike in `path`, as they could once
    FOLDER/scores.parquet, scores.csv              the rows of the model scored last, written at the end

DIGEST is the start of the bundle's: version 1 of a registry that was made anew is another model. Paths are
relative to the source, so rows of two sources would replace one another: the second source is refused.

`FOLDER/shards` is itself a Parquet dataset, of all models. Its folders are not named `model_version=…`:
that is a column of the rows already, and readers refuse a column that comes from both with two types.
"""

import fcntl
import json
import logging
import os
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from components.errors import BusyError, DataError
from components.files import write_text
from components.printable import printable, some
from components.tables import ColumnsError, read_table, write_csv, write_table
from serving.batch.plan import Shard
from serving.score_table import SCORES

Row = dict[str, Any]
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class BatchSummary:
    """Rows counted by what they say."""

    videos: int
    verdicts: Mapping[str, int]
    statuses: Mapping[str, int]
    fallbacks: int  # scored by the middle of the frame, for want of a usable face


class ScoreStore:
    """Rows of `serving.score_table.SCORES` for the videos of one source and one model.

    A context manager, which holds the lock. Reading works without it.

    Args:
        folder: where the rows are kept.
        source: the folder of videos.
        model_version: what the rows call the model.
        digest: of the model's bundle.

    Raises:
        DataError: the version cannot name a folder; on entering, the folder cannot be written, or holds
            the scores of another source.
        BusyError: on entering, another job writes to the same folder.
    """

    def __init__(self, folder: Path, source: Path, model_version: str, digest: str) -> None:
        if not re.fullmatch(r"\w[\w.-]*", model_version):
            raise DataError(f"model version {model_version!r}: give letters, digits, '.', '_' and '-' only")
        self.folder = folder
        self.model_version = model_version
        self._source = printable(source.resolve())
        self._relative = printable(os.path.relpath(source.resolve(), folder.resolve()))
        self._origin = folder / "source.json"
        self._shards = folder / "shards" / f"{model_version}-{digest[:12]}"
        self._exact = self._shards / ".exact"
        self._lock: IO[str] | None = None

    def __enter__(self) -> Self:
        try:
            with ExitStack() as on_failure:  # nothing stays locked then
                self.folder.mkdir(parents=True, exist_ok=True)
                lock = on_failure.enter_context(_acquire(self.folder / ".lock"))
                self._claim()
                self._shards.mkdir(parents=True, exist_ok=True)
                self._exact.touch()
                on_failure.pop_all()
        except OSError as error:
            raise DataError(
                f"{self.folder}: {error.strerror}; give an --output that can be written"
            ) from error
        self._lock = lock
        leftovers = (
            self._shards.glob(".shard-*"),
            self.folder.glob(".scores.*"),
            self.folder.glob(".source.*"),
        )
        for leftover in chain.from_iterable(leftovers):
            leftover.unlink()  # of a killed job: the lock is ours, so nobody is still writing them
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lock is not None:
            self._lock.close()  # which releases it, as would the end of this process
            self._lock = None

    def check_source(self) -> None:
        """Makes sure that the folder holds no other source's scores, and none whose names may read alike.

        A source that was moved together with the folder is the same.

        Raises:
            DataError: it does, or `source.json` is damaged.
        """
        try:
            origin = json.loads(self._origin.read_text(encoding="utf-8"))
            recorded, relative = origin["source"], origin.get("relative")
        except FileNotFoundError:
            return
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(f"{self._origin}: does not name a source; give another --output") from error
        if recorded != self._source and relative != self._relative:
            raise DataError(
                f"{self.folder}: holds the scores of {recorded}, not of {self._source}; give another --output"
            )
        if not self._exact.exists():
            self._check_names()

    def _check_names(self) -> None:
        """Refuses rows in which an earlier version may have called two files by one name."""
        for file, rows in self._tables():
            if alike := [row["path"] for row in rows if printable(row["path"]) != row["path"]]:
                raise DataError(
                    f"{file}: an earlier version of unmask wrote {some(alike)}, which may name two files; "
                    "give another --output"
                )

    def write(self, shard: Shard, rows: Collection[Row]) -> None:
        """Writes a shard's rows in one step."""
        write_table(list(rows), SCORES, self._shards / f"{shard.name}.parquet")

    def rows(self) -> list[Row]:
        """Returns all rows, by path. A damaged shard is dropped with a warning: its videos are scored again.

        Raises:
            DataError: another version of unmask wrote them, with other columns. Nothing is changed then.
        """
        rows_of_all = (row for _, rows in self._tables() for row in rows)
        return sorted(rows_of_all, key=lambda row: str(row["path"]))

    def forget(self, paths: Collection[str]) -> None:
        """Removes the rows of these paths."""
        for file, rows in self._tables() if paths else ():
            kept = [row for row in rows if row["path"] not in paths]
            if not kept:
                file.unlink()
            elif len(kept) < len(rows):
                write_table(kept, SCORES, file)

    def publish(self) -> Path:
        """Writes `scores.parquet` and `scores.csv` from all shards, and returns the former."""
        rows = self.rows()
        write_table(rows, SCORES, self.folder / "scores.parquet")
        write_csv(rows, SCORES, self.folder / "scores.csv")
        return self.folder / "scores.parquet"

    def summary(self) -> BatchSummary:
        """Counts the rows by verdict and by status, the most frequent first."""
        rows = self.rows()
        verdicts, statuses = (Counter(row[key] for row in rows) for key in ("verdict", "status"))
        fallbacks = sum(row["fallback"] is not None for row in rows)
        return BatchSummary(len(rows), dict(verdicts.most_common()), dict(statuses.most_common()), fallbacks)

    def _claim(self) -> None:
        """Takes the folder for this source."""
        self.check_source()
        if not self._origin.exists():
            origin = {"source": self._source, "relative": self._relative}
            write_text(json.dumps(origin) + "\n", self._origin)

    def _tables(self) -> Iterator[tuple[Path, list[Row]]]:
        for file in sorted(self._shards.glob("shard-*.parquet")):
            try:
                yield file, read_table(file, SCORES)
            except ColumnsError as error:
                # Dropping these would lose the rows of videos that are gone meanwhile.
                raise DataError(
                    f"{file}: written by another version of unmask, with other columns; give another --output"
                ) from error
            except DataError:
                _log.warning("%s: damaged, left out; its videos are scored again", file)
                if self._lock is not None:  # who only looks changes nothing
                    file.unlink()


def _acquire(path: Path) -> IO[str]:
    lock = path.open("a+", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.seek(0)
        holder = lock.read().strip() or "unknown"
        lock.close()
        raise BusyError(
            f"{path.parent}: another job (process {holder}) writes here; wait for it or give another --output"
        ) from error
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock
