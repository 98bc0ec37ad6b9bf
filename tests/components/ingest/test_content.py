"""Hashes of files, and when they may be trusted later."""

import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.faces.clip import Failure
from components.ingest import content
from components.ingest.content import Content, hash_file, hash_files, is_unchanged


def written(path: Path, text: str = "x", age: float = 60.0) -> Path:
    path.write_text(text)
    moment = time.time() - age
    os.utime(path, (moment, moment))
    return path


def test_a_file_is_known_by_its_hash(tmp_path: Path) -> None:
    path = written(tmp_path / "a.mp4", "content")
    found = hash_file(path)
    sha256 = hashlib.sha256(b"content").hexdigest()
    assert found == Content(sha256, 7, path.stat().st_mtime_ns, settled=True)


@pytest.mark.parametrize(("age", "settled"), [(60.0, True), (2.5, True), (0.5, False), (-60.0, False)])
def test_a_file_written_just_now_is_not_settled(tmp_path: Path, age: float, settled: bool) -> None:
    found = hash_file(written(tmp_path / "a.mp4", age=age))
    assert isinstance(found, Content)
    assert found.settled is settled


def test_a_file_that_grows_while_it_is_read_is_not_settled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "a.mp4")
    digest = hashlib.file_digest

    def grow(*arguments: object) -> object:
        written(path, "longer")
        return digest(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(content.hashlib, "file_digest", grow)
    found = hash_file(path)
    assert isinstance(found, Content)
    assert not found.settled


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("missing", "file not found"),
        ("dangling", "file not found"),
        ("folder", "no pictures in this folder"),
        ("pipe", "not a regular file"),
        ("circle", "cannot be read: Too many levels of symbolic links"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path: Path, kind: str, reason: str) -> None:
    path = tmp_path / "a.mp4"
    if kind == "dangling":
        path.symlink_to(tmp_path / "gone.mp4")
    elif kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "circle":
        path.symlink_to(path)
    assert hash_file(path) == Failure("undecodable", reason)


def test_a_folder_of_pictures_is_known_by_what_they_show_in_order(tmp_path: Path) -> None:
    def digest(*names: str) -> Content:
        folder = tmp_path / "-".join(names)
        folder.mkdir()
        for index, name in enumerate(names):
            written(folder / name, "abc"[index])
        os.utime(folder, (0, 0))
        found = hash_file(folder)
        assert isinstance(found, Content)
        assert is_unchanged(folder, found)
        assert (found.bytes, found.settled) == (3, True)
        (folder / names[0]).rename(folder / f"z{names[0]}")
        assert not is_unchanged(folder, found)
        return found

    first = digest("1.png", "2.png", "10.png")
    assert digest("f_1.png", "f_2.png", "f_3.png").sha256 == first.sha256
    assert digest("1.png", "10.png", "2.png").sha256 != first.sha256


@pytest.mark.parametrize("threads", [1, 3])
def test_files_are_hashed_in_order_and_only_a_few_ahead(tmp_path: Path, threads: int) -> None:
    paths = [written(tmp_path / f"{number}.mp4", str(number)) for number in range(50)]
    taken: list[Path] = []

    def taking() -> Iterator[Path]:
        for path in paths:
            taken.append(path)
            yield path

    hashing = hash_files(taking(), threads)
    first = next(hashing)
    assert len(taken) <= content.READ_AHEAD * threads
    assert [first, *hashing] == [hash_file(path) for path in paths]


@pytest.mark.parametrize("change", ["none", "time", "size", "gone"])
def test_a_changed_file_is_noticed(tmp_path: Path, change: str) -> None:
    path = written(tmp_path / "a.mp4")
    found = hash_file(path)
    assert isinstance(found, Content)
    if change == "time":
        os.utime(path)
    elif change == "size":
        with path.open("a") as file:
            file.write("more")
        os.utime(path, ns=(found.mtime_ns, found.mtime_ns))
    elif change == "gone":
        path.unlink()
    assert is_unchanged(path, found) is (change == "none")
