"""The lock: what it remembers, what it never tells, and when it is void."""

from pathlib import Path
from typing import Any

import pytest

from components.errors import DataError
from components.params import IngestParams
from components.splits.lock import Lock, hashed, read_lock, write_lock

PARAMS = IngestParams(seed=1, val_share=0.2, test_share=0.25)
LOCK = Lock.empty().extended([("Zoë", "test"), ("bob", "train"), ("unnamed:a", "val")])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "reports" / "splits.lock"
    write_lock(path, PARAMS, LOCK)
    return path


def test_what_was_written_is_read_again(path: Path) -> None:
    lock = read_lock(path, PARAMS)
    assert [lock.split_of(name) for name in ("Zoë", "bob", "unnamed:a", "eve")] == [
        "test",
        "train",
        "val",
        None,
    ]


def test_the_file_is_sorted_text_that_names_nobody(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert lines[1] == "# seed=1 val_share=0.2 test_share=0.25"
    assert lines[2:] == sorted(
        [f"{hashed('Zoë')} test", f"{hashed('bob')} train", f"{hashed('unnamed:a')} val"]
    )
    assert "bob" not in path.read_text()
    assert [file.name for file in path.parent.iterdir()] == ["splits.lock"]


def test_the_same_lock_gives_the_same_bytes(path: Path) -> None:
    before = path.read_bytes()
    write_lock(path, PARAMS, read_lock(path, PARAMS).extended([("bob", "train")]))
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"seed": 2}, "seed 1 → 2"),
        ({"val_share": 0.1}, "val_share 0.2 → 0.1"),
        ({"seed": 2, "test_share": 0.3}, "seed 1 → 2, test_share 0.25 → 0.3"),
    ],
)
def test_another_seed_or_share_assigns_anew_and_says_so(
    path: Path, changed: dict[str, Any], named: str
) -> None:
    lock = read_lock(path, PARAMS.model_copy(update=changed))
    assert lock == Lock.empty()
    assert lock.notice == f"assigned anew: {named}; people may move between splits"


@pytest.mark.parametrize("kept", [{"leak": "drop"}, {"max_group_share": 0.9}, {"datasets": {"x": "test"}}])
def test_other_parameters_keep_what_was_assigned(path: Path, kept: dict[str, Any]) -> None:
    lock = read_lock(path, PARAMS.model_copy(update=kept))
    assert lock == LOCK
    assert lock.notice is None


def test_without_a_file_nothing_was_assigned(tmp_path: Path) -> None:
    assert read_lock(tmp_path / "splits.lock", PARAMS) == Lock.empty()


def test_another_version_is_refused(path: Path) -> None:
    path.write_text(path.read_text().replace("splits.lock 1:", "splits.lock 2:"))
    with pytest.raises(DataError, match=r"splits\.lock:1: .*not of version 1; .*delete it"):
        read_lock(path, PARAMS)


def test_a_person_in_two_splits_is_named(path: Path) -> None:
    path.write_text(path.read_text() + f"{hashed('bob')} test\n")
    with pytest.raises(DataError, match=rf"lock:6: '{hashed('bob')} test' contradicts .*\(train\).*keep the"):
        read_lock(path, PARAMS)


def test_a_line_that_stands_there_twice_says_nothing_new(path: Path) -> None:
    path.write_text(path.read_text() + f"{hashed('bob')} train\n")
    assert read_lock(path, PARAMS) == LOCK


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (" train", " dev", 0),
        (f"{hashed('bob')} train", "<<<<<<< HEAD", 0),
        (f"{hashed('bob')} ", "abc ", 0),
        ("# splits.lock", "<<<<<<< HEAD\n# splits.lock", 1),
        ("# seed", "<<<<<<< HEAD\n# seed", 2),
    ],
)
def test_a_line_that_is_none_is_named(path: Path, old: str, new: str, line: int) -> None:
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(DataError, match=rf"splits\.lock:{line or '[345]'}: .*restore the file from git"):
        read_lock(path, PARAMS)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe"])
def test_a_file_that_is_no_lock_is_named(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"splits\.lock.*restore"):
        read_lock(path, PARAMS)
