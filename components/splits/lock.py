"""`reports/splits.lock`: to which split everybody was assigned before, so that adding videos moves nobody.

A text file that belongs into git: two lines that say what was assigned and how, then a line `HASH SPLIT` for
each person, or for each file that names nobody. It tells no name, but whoever guesses one can look it up.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from components.datasets.layouts.base import SPLITS, Split
from components.datasets.naming import normalised
from components.errors import DataError
from components.files import write_text
from components.params import IngestParams

LOCK_VERSION = 1
# These words belong to the format: a lock that is in git begins with them.
FIRST_LINE = f"# splits.lock {LOCK_VERSION}: who was dealt where, by a hash; delete this file to deal anew"
ASSIGNED_BY = ("seed", "val_share", "test_share")
"""Parameters that decide the splits: with others, all is assigned anew."""

HASH_DIGITS = 12
"""Of 100,000 people, two share a hash in one of 50,000 projects; they would be assigned alike."""


@dataclass(frozen=True)
class Lock:
    """The split of every identity that was assigned, by its hash.

    Attributes:
        notice: what a person should know of how it was read.
    """

    splits: Mapping[str, Split] = field(default_factory=dict)
    notice: str | None = field(default=None, compare=False)

    @classmethod
    def empty(cls) -> "Lock":
        """Nothing was assigned before."""
        return cls()

    def split_of(self, identity: str) -> Split | None:
        """Returns the split to which an identity was assigned, if it was."""
        return self.splits.get(hashed(identity)) if self.splits else None

    def adopting(self, people: Iterable[Sequence[str]]) -> "Lock":
        """Returns the same lock as its own names read now: earlier ones hashed an identity as it was written.

        Args:
            people: for each all ways in which it is written; the first one known says where they were.
        """
        known: dict[str, Split] = {}
        for ways in people:
            splits = (self.splits[raw] for raw in map(_hash, ways) if raw in self.splits)
            known |= {hashed(ways[0]): split for split in [next(splits, None)] if split}
        return replace(self, splits={**known, **self.splits})

    def extended(self, assigned: Iterable[tuple[str, Split]]) -> "Lock":
        """Returns the same lock with more identities; a later word on one replaces an earlier one."""
        return Lock({**self.splits, **{hashed(identity): split for identity, split in assigned}})


def hashed(identity: str) -> str:
    """Returns what stands for an identity in the file, however it is written."""
    return _hash(normalised(identity))


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:HASH_DIGITS]


def read_lock(path: Path, params: IngestParams) -> Lock:
    """Reads what was assigned before with the same seed and shares.

    Returns:
        An empty lock where there is no file, or one of another seed or other shares: then all is assigned
        anew, and the lock's notice says so.

    Raises:
        DataError: a line cannot be understood or contradicts another one, as after a merge, or the file is of
            another version.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return Lock.empty()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({error}); restore it from git, or delete it") from error
    before = _settings(lines, path)
    changes = [
        f"{name} {before[name]} → {now}" for name, now in _given(params).items() if before[name] != now
    ]
    if changes:
        return Lock(notice=f"assigned anew: {', '.join(changes)}; people may move between splits")
    return Lock(_entries(lines[2:], path))


def write_lock(path: Path, params: IngestParams, lock: Lock) -> None:
    """Writes a lock in one step; the same lock gives the same bytes."""
    lines = [*_header(params), *(f"{key} {split}" for key, split in sorted(lock.splits.items()))]
    write_text("\n".join(lines) + "\n", path)


def _header(params: IngestParams) -> list[str]:
    return [FIRST_LINE, "# " + " ".join(f"{name}={given}" for name, given in _given(params).items())]


def _given(params: IngestParams) -> dict[str, str]:
    return {name: str(getattr(params, name)) for name in ASSIGNED_BY}


def _settings(lines: Sequence[str], path: Path) -> dict[str, str]:
    """Returns the seed and the shares that a lock was assigned with."""
    first, second = [*lines, "", ""][:2]
    if not first.startswith("# splits.lock "):
        raise _odd(first, f"{path}:1")
    if first != FIRST_LINE:
        raise DataError(
            f"{path}:1: {first!r} is not of version {LOCK_VERSION}; use the Unmask that wrote it, or delete "
            "it to assign anew"
        )
    settings = dict(word.partition("=")[::2] for word in second.removeprefix("# ").split())
    if not second.startswith("# ") or settings.keys() != set(ASSIGNED_BY):
        raise _odd(second, f"{path}:2")
    return settings


def _entries(lines: Iterable[str], path: Path) -> dict[str, Split]:
    splits: dict[str, Split] = {}
    for number, line in enumerate(lines, start=3):
        key, split = _entry(line, f"{path}:{number}")
        if splits.setdefault(key, split) != split:
            raise DataError(
                f"{path}:{number}: {line!r} contradicts an earlier line ({splits[key]}), as after a merge; "
                "keep the line by which models were trained, or delete the file to assign anew"
            )
    return splits


def _entry(line: str, where: str) -> tuple[str, Split]:
    key, _, name = line.partition(" ")
    split = next((split for split in SPLITS if split == name), None)
    if split is None or len(key) != HASH_DIGITS:
        raise _odd(line, where)
    return key, split


def _odd(line: str, where: str) -> DataError:
    return DataError(f"{where}: {line!r} is no line of a lock; restore the file from git, or delete it")
