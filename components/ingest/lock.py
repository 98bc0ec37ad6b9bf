"""`reports/splits.lock`: to which split everybody was dealt before, so that adding videos moves nobody.

A text file that belongs into git: two lines that say what was dealt and how, then a line `HASH SPLIT` for
each person, or for each file that names nobody. It tells no name, but whoever guesses one can look it up.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import zip_longest
from pathlib import Path

from components.errors import DataError
from components.ingest.layouts.base import SPLITS, Split
from components.params import IngestParams

VERSION = 1
HASH_DIGITS = 12
"""Of 100,000 people, two share a hash in one of 50,000 projects; they would be dealt alike."""


@dataclass(frozen=True)
class Lock:
    """The split of every identity that was dealt, by its hash."""

    splits: Mapping[str, Split] = field(default_factory=dict)

    @classmethod
    def empty(cls) -> "Lock":
        """Nothing was dealt before."""
        return cls()

    def split_of(self, identity: str) -> Split | None:
        """Where an identity was dealt."""
        return self.splits.get(hashed(identity)) if self.splits else None

    def extended(self, dealt: Iterable[tuple[str, Split]]) -> "Lock":
        """The same lock with more identities; a later word on one replaces an earlier one."""
        return Lock({**self.splits, **{hashed(identity): split for identity, split in dealt}})


def hashed(identity: str) -> str:
    """What stands for an identity in the file."""
    return sha256(identity.encode()).hexdigest()[:HASH_DIGITS]


def read_lock(path: Path, params: IngestParams) -> Lock:
    """Read what was dealt before with the same seed and shares.

    Returns:
        An empty lock where there is no file, or one of another seed, other shares or another version: then
        all is dealt anew.

    Raises:
        DataError: a line cannot be understood, as after a merge.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return Lock.empty()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({error}); restore it from git, or delete it") from error
    for number, (line, start) in enumerate(zip_longest(lines[:2], ("# splits.lock ", "# seed=")), start=1):
        if not (line or "").startswith(start):
            raise _odd(line or "", f"{path}:{number}")
    if lines[:2] != _header(params):
        return Lock.empty()
    return Lock(dict(_entry(line, f"{path}:{number}") for number, line in enumerate(lines[2:], start=3)))


def write_lock(path: Path, params: IngestParams, lock: Lock) -> None:
    """Write a lock in one step; the same lock gives the same bytes."""
    lines = [*_header(params), *(f"{key} {split}" for key, split in sorted(lock.splits.items()))]
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    partial.replace(path)


def _header(params: IngestParams) -> list[str]:
    dealt = f"seed={params.seed} val_share={params.val_share} test_share={params.test_share}"
    return [
        f"# splits.lock {VERSION}: who was dealt where, by a hash; delete this file to deal anew",
        f"# {dealt}",
    ]


def _entry(line: str, where: str) -> tuple[str, Split]:
    key, _, name = line.partition(" ")
    split = next((split for split in SPLITS if split == name), None)
    if split is None or len(key) != HASH_DIGITS:
        raise _odd(line, where)
    return key, split


def _odd(line: str, where: str) -> DataError:
    return DataError(f"{where}: {line!r} is no line of a lock; restore the file from git, or delete it")
