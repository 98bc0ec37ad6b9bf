"""What is kept between runs, whatever happens to the file."""

import sqlite3
from contextlib import suppress
from pathlib import Path

import pytest

from components.errors import StageError
from components.faces.clip import Failure
from components.ingest import examined
from components.ingest.examined import Record, examining_digest, open_store
from components.video.examine import Examined
from components.video.fingerprint import BLANK, HASHES
from components.video.frames import VideoInfo
from components.video.limits import Limits

INFO = VideoInfo(frames=24, fps=25.0, width=320, height=240, duration=0.96, codec="h264", bytes=7)
SOUND = Record(7, 123, "digest", "sha", Examined(INFO, "0f" * (HASHES * len(BLANK) // 2)))
FLAT = Record(7, 124, "digest", "other sha", Examined(INFO, None))
BROKEN = Record(0, 125, "digest", "a third", Failure("too_short", "3 frames"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".unmask" / "examined.sqlite"


def records(path: Path) -> dict[str, Record]:
    with open_store(path) as store:
        return dict(store.records)


def on_disk(path: Path) -> int:
    """Rows that another process would see."""
    connection = sqlite3.connect(path)
    count = connection.execute("SELECT count(*) FROM examined").fetchone()[0]
    connection.close()
    return int(count)


def test_what_is_put_in_comes_out(path: Path) -> None:
    kept = {"real/a.mp4": SOUND, "real/ä b.mp4": FLAT, "fake/a.mp4": BROKEN}
    with open_store(path) as store:
        for name, record in kept.items():
            store.put(name, record)
    assert records(path) == kept


def test_a_later_record_replaces_the_earlier_one(path: Path) -> None:
    for record in (SOUND, BROKEN):
        with open_store(path) as store:
            store.put("a.mp4", record)
    assert records(path) == {"a.mp4": BROKEN}


def test_an_interrupted_run_keeps_what_it_has(path: Path) -> None:
    with suppress(KeyboardInterrupt), open_store(path) as store:
        store.put("a.mp4", SOUND)
        raise KeyboardInterrupt
    assert records(path) == {"a.mp4": SOUND}


def test_a_killed_run_loses_about_a_second(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_store(path) as store:
        store.put("a.mp4", SOUND)
        assert on_disk(path) == 0
        monkeypatch.setattr(examined, "BATCH_SECONDS", 0.0)
        store.put("b.mp4", SOUND)
        assert on_disk(path) == 2


def test_files_that_are_gone_are_forgotten(path: Path) -> None:
    with open_store(path) as store:
        for name in "abc":
            store.put(name, SOUND)
    with open_store(path) as store:
        store.put("d", SOUND)
        store.prune({"b", "e"})
        assert set(store.records) == {"b"}
    assert set(records(path)) == {"b"}


def test_the_seal_is_the_last_one(path: Path) -> None:
    with open_store(path) as store:
        assert store.seal is None
        store.seal = "one"
        store.seal = "two"
    with open_store(path) as store:
        assert store.seal == "two"
        store.seal = None
    with open_store(path) as store:
        assert store.seal is None


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def overwrite(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096:] = bytes(len(content) - 4096)
    path.write_bytes(content)


def version(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()


def foreign(path: Path) -> None:
    path.unlink()
    connection = sqlite3.connect(path)
    connection.executescript("CREATE TABLE examined (something); PRAGMA user_version = 1;")
    connection.close()


def edited(path: Path) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE examined SET fingerprint = 'zz'")
    connection.close()


@pytest.mark.parametrize(
    "damage",
    [lambda path: path.write_text("not a database" * 99), cut, overwrite, version, foreign, edited],
    ids=["text", "cut", "overwritten", "version", "foreign", "edited"],
)
def test_a_damaged_store_is_made_anew(path: Path, damage: object, caplog: pytest.LogCaptureFixture) -> None:
    with open_store(path) as store:
        for number in range(2000):
            store.put(f"real/{number}.mp4", SOUND)
    damage(path)  # type: ignore[operator]
    with open_store(path) as store:
        assert store.records == {}
        store.put("a.mp4", SOUND)
    assert records(path) == {"a.mp4": SOUND}
    assert "damaged or of another version" in caplog.text


def test_a_store_that_cannot_be_opened_is_an_error(path: Path) -> None:
    path.mkdir(parents=True)
    with (
        pytest.raises(StageError, match=r"examined.sqlite: cannot be used .* delete the file"),
        open_store(path),
    ):
        pass


@pytest.mark.parametrize(
    ("change", "same"),
    [({"min_frames": 9}, False), ({"max_pixels": 100}, False), ({"wall_seconds": 9.0}, True), ({}, True)],
)
def test_limits_that_decide_a_result_are_in_the_digest(change: dict[str, float], same: bool) -> None:
    assert (examining_digest(Limits(**change)) == examining_digest(Limits())) is same  # type: ignore[arg-type]
