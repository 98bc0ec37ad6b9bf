"""Which files are opened, and which of them decoded."""

import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import cast

import pytest

from components.datasets.tree import walk
from components.faces.clip import Failure, GivenUp
from components.faces.pool import WorkerPool
from components.ingest import examination
from components.ingest.content import hash_file
from components.ingest.examination import Examination, Inspected, locate
from components.ingest.examined import open_store
from components.video.examine import Examined
from components.video.frames import VideoInfo

INFO = VideoInfo(frames=24, fps=25.0, width=320, height=240, duration=0.96, codec="h264", bytes=7)
RESULTS: dict[str, Examined | Failure] = {
    "broken": Failure("undecodable", "not a video"),
    "slow": GivenUp("undecodable", "took longer than 1 s and was given up"),
}


class Pool:
    """Answers by the file's text, the last asked first; counts what it was asked for."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()

    def examine(self, paths: Iterable[Path]) -> Iterator[tuple[int, Examined | Failure]]:
        for index, path in reversed(list(enumerate(paths))):
            self.asked[path.name] += 1
            yield index, RESULTS.get(path.read_text(), Examined(INFO, None))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def write(path: Path, text: str, age: float = 60.0) -> None:
    path.write_text(text)
    os.utime(path, (time.time() - age,) * 2)


def look(
    data: Path, pool: Pool, monkeypatch: pytest.MonkeyPatch, digest: str = "digest"
) -> tuple[dict[str, Inspected], list[str]]:
    """One run over all files: what it finds, and the names of the files that it reads."""
    read: list[str] = []

    def hash_and_tell(paths: Iterable[Path], threads: int) -> Iterator[object]:
        for path in paths:
            read.append(path.name)
            yield hash_file(path)

    monkeypatch.setattr(examination, "hash_files", hash_and_tell)
    files = [locate(data, path, stat) for path, stat in walk(data).files.items()]
    advanced: list[None] = []
    with open_store(data.parent / "examined.sqlite") as store:
        run = Examination(data, store, digest, lambda: advanced.append(None))
        known = {file.path: run.remembered(file) for file in files}
        fresh = [file for file in files if known[file.path] is None]
        opened = run.inspect(fresh, cast(WorkerPool, pool), threads=2)
        store.prune({file.path for file in files})
    assert len(advanced) == len(fresh)
    fresh_results = dict(zip((file.path for file in fresh), opened, strict=True))
    return {path: found or fresh_results[path] for path, found in known.items()}, read


def test_the_second_run_opens_nothing(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(data / "a.mp4", "sound")
    write(data / "b.mp4", "broken")
    (data / "gone.mp4").symlink_to(data / "nowhere.mp4")
    pool = Pool()
    first, read = look(data, pool, monkeypatch)
    assert {path: found.result for path, found in first.items()} == {
        "a.mp4": Examined(INFO, None),
        "b.mp4": RESULTS["broken"],
        "gone.mp4": Failure("undecodable", "file not found"),
    }
    assert read == ["a.mp4", "b.mp4"]
    second, read = look(data, pool, monkeypatch)
    assert (second, read) == (first, [])
    assert all(found.lasting for found in second.values())
    assert pool.asked == {"a.mp4": 1, "b.mp4": 1}


@pytest.mark.parametrize(
    ("change", "read", "decoded"),
    [
        ("other content", ["a.mp4"], True),
        ("same size", ["a.mp4"], True),
        ("touched", ["a.mp4"], False),
        ("moved", ["z.mp4"], False),
        ("moved to another suffix", ["z.avi"], True),
        ("copied", ["z.mp4"], False),
        ("other limits", [], True),
    ],
)
def test_only_what_has_changed_is_opened(
    data: Path, monkeypatch: pytest.MonkeyPatch, change: str, read: list[str], decoded: bool
) -> None:
    write(data / "a.mp4", "sound")
    look(data, Pool(), monkeypatch)
    match change:
        case "other content":
            write(data / "a.mp4", "another")
        case "same size":
            write(data / "a.mp4", "SOUND", age=59.0)
        case "touched":
            os.utime(data / "a.mp4", (1.0, 1.0))
        case "moved":
            (data / "a.mp4").rename(data / "z.mp4")
        case "moved to another suffix":
            (data / "a.mp4").rename(data / "z.avi")
        case "copied":
            write(data / "z.mp4", "sound")
    pool = Pool()
    digest = "another digest" if change == "other limits" else "digest"
    found, opened = look(data, pool, monkeypatch, digest)
    assert opened == read
    assert pool.asked.total() == decoded
    assert {inspected.result for inspected in found.values()} == {Examined(INFO, None)}


def test_equal_contents_are_decoded_once(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "abcd":
        write(data / f"{name}.mp4", "sound" if name < "c" else "broken")
    pool = Pool()
    found, _ = look(data, pool, monkeypatch)
    assert pool.asked == {"a.mp4": 1, "c.mp4": 1}
    assert found["b.mp4"].result == found["a.mp4"].result
    assert found["d.mp4"].result == RESULTS["broken"]


def test_what_was_given_up_is_tried_again(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(data / "a.mp4", "slow")
    pool = Pool()
    for _ in range(2):
        found, _ = look(data, pool, monkeypatch)
        assert found["a.mp4"].result == RESULTS["slow"]
        assert not found["a.mp4"].lasting
    assert pool.asked == {"a.mp4": 2}


def test_a_file_written_just_now_is_read_again_but_not_decoded(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(data / "a.mp4", "sound", age=0.0)
    moment = (data / "a.mp4").stat().st_mtime_ns
    pool = Pool()
    found, _ = look(data, pool, monkeypatch)
    assert not found["a.mp4"].lasting
    _, read = look(data, pool, monkeypatch)
    assert (read, pool.asked) == (["a.mp4"], {"a.mp4": 1})
    (data / "a.mp4").write_text("SOUND")  # in the same tick of a coarse clock
    os.utime(data / "a.mp4", ns=(moment, moment))
    look(data, pool, monkeypatch)
    assert pool.asked == {"a.mp4": 2}


def test_a_file_that_changes_while_it_is_decoded_is_not_remembered(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(data / "a.mp4", "sound")

    class Meddler(Pool):
        def examine(self, paths: Iterable[Path]) -> Iterator[tuple[int, Examined | Failure]]:
            for answer in super().examine(paths):
                write(data / "a.mp4", "another", age=30.0)
                yield answer

    look(data, Meddler(), monkeypatch)
    pool = Pool()
    look(data, pool, monkeypatch)
    assert pool.asked == {"a.mp4": 1}


def test_links_that_lead_nowhere_say_why(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (data / "circle.mp4").symlink_to("circle.mp4")
    (data / "gone.mp4").symlink_to("nowhere.mp4")
    found, _ = look(data, Pool(), monkeypatch)
    assert all(inspected.lasting for inspected in found.values())
    assert {path: cast(Failure, inspected.result).reason for path, inspected in found.items()} == {
        "circle.mp4": "cannot be read: Too many levels of symbolic links",
        "gone.mp4": "file not found",
    }


def test_an_unreadable_file_is_tried_again(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(data / "a.mp4")
    pool = Pool()
    for _ in range(2):
        found, read = look(data, pool, monkeypatch)
        assert found["a.mp4"] == Inspected(None, Failure("undecodable", "not a regular file"), lasting=False)
        assert read == ["a.mp4"]
    assert not pool.asked
