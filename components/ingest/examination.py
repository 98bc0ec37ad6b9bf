"""Hashes and examines the files that are new or have changed, and takes what is known of all others."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from components.datasets.scan import FileStat
from components.faces.clip import Failure, GivenUp
from components.faces.pool import WorkerPool
from components.ingest.content import Content, hash_file, hash_files, is_unchanged
from components.ingest.examined import UNSETTLED, ExaminedStore, Record
from components.video.examine import Examined
from components.video.picture_files import disk_state


@dataclass(frozen=True, slots=True)
class File:
    """A listed file before it is opened; `path` is inside `data/`, `stat` None where there is none."""

    path: str
    stat: FileStat | None


def locate(root: Path, path: str, stat: FileStat | None) -> File:
    """A listed file, looked for where the walk has no word on it: if hidden, or a folder of pictures."""
    if stat is None:
        with suppress(OSError):
            stat = FileStat(*disk_state(root / path))
    return File(path, stat)


@dataclass(frozen=True, slots=True)
class Inspected:
    """What a file holds, where it can be read, and what examining it found.

    Attributes:
        lasting: whether the same file will give the same again, so that the next run need not look.
    """

    content: Content | None
    result: Examined | Failure
    lasting: bool


class Examination:
    """One run over the files of a data folder.

    Args:
        root: the data folder.
        store: of what earlier runs have found out; what this one finds goes into it as it comes.
        digest: of what decides a result besides the content; records of another one are examined again.
        advance: called for each file that has been opened and is done.
    """

    def __init__(
        self, root: Path, store: ExaminedStore, digest: str, advance: Callable[[], object] = lambda: None
    ) -> None:
        self._root = root
        self._store = store
        self._digest = digest
        self._advance = advance
        self._known = {
            _key(path, record.sha256): record.result
            for path, record in store.records.items()
            if record.digest == digest
        }
        self._asked: list[str] = []
        self._waiting: dict[str, list[tuple[str, Content]]] = defaultdict(list)
        self._done: dict[str, Inspected] = {}

    def remembered(self, file: File) -> Inspected | None:
        """Returns what is known of a file without opening it; None where it must be opened."""
        if file.stat is None:
            content = hash_file(self._root / file.path)  # says why, unless the file has come meanwhile
            return Inspected(None, content, lasting=True) if isinstance(content, Failure) else None
        record = self._current(file)
        if record is None or record.digest != self._digest:
            return None
        return Inspected(_content(record), record.result, lasting=True)

    def inspect(self, files: Sequence[File], pool: WorkerPool, threads: int) -> list[Inspected]:
        """Opens each file; equal contents are decoded once.

        Args:
            files: those that are not remembered.
            pool: decodes.
            threads: hash, a few files ahead of the pool.
        """
        for position, result in pool.examine(self._unknown(files, threads)):
            key = self._asked[position]
            if not isinstance(result, GivenUp):
                self._known[key] = result
            for path, content in self._waiting.pop(key):
                self._finish(path, content, result)
        return [self._done[file.path] for file in files]

    def _unknown(self, files: Sequence[File], threads: int) -> Iterator[Path]:
        """Yields paths for the pool, hashed when it asks; what needs no decoding is done on the way."""
        for file, content in zip(files, self._contents(files, threads), strict=True):
            key = _key(file.path, content.sha256) if isinstance(content, Content) else ""
            if isinstance(content, Failure):
                self._finish(file.path, None, content)
            elif key in self._known:
                self._finish(file.path, content, self._known[key])
            else:
                self._waiting[key].append((file.path, content))
                if len(self._waiting[key]) == 1:
                    self._asked.append(key)
                    yield self._root / file.path

    def _contents(self, files: Sequence[File], threads: int) -> Iterator[Content | Failure]:
        """Each file's content, in order: read again only where its size or time is not that of its record."""
        records = [self._current(file) for file in files]
        unread = [file.path for file, record in zip(files, records, strict=True) if record is None]
        hashing = hash_files((self._root / path for path in unread), threads)
        for record in records:
            yield _content(record) if record else next(hashing)

    def _current(self, file: File) -> Record | None:
        record = self._store.records.get(file.path)
        return record if record and file.stat == (record.size, record.mtime_ns) else None

    def _finish(self, path: str, content: Content | None, result: Examined | Failure) -> None:
        self._done[path] = Inspected(content, result, self._keep(path, content, result))
        self._advance()

    def _keep(self, path: str, content: Content | None, result: Examined | Failure) -> bool:
        """Remembers a result; whether it holds for as long as the file's size and time stay."""
        if content is None or isinstance(result, GivenUp) or not is_unchanged(self._root / path, content):
            return False
        mtime_ns = content.mtime_ns if content.settled else UNSETTLED
        self._store.put(path, Record(content.bytes, mtime_ns, self._digest, content.sha256, result))
        return content.settled


def _content(record: Record) -> Content:
    return Content(record.sha256, record.size, record.mtime_ns, settled=True)


def _key(path: str, sha256: str) -> str:
    """FFmpeg looks at a file's suffix as well when it guesses the container."""
    return sha256 + PurePosixPath(path).suffix.casefold()
