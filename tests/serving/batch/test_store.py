import json
import logging
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from components.errors import BusyError, DataError
from components.scores import FaceScore
from serving.batch.plan import Shard
from serving.batch.store import ScoreStore
from serving.score_table import SCORES

DIGEST = "0123456789ab" + 52 * "c"


def row(path: str, version: str = "1", **values: Any) -> dict[str, Any]:
    defaults = {"verdict": "fake", "probability": 0.9, "status": "ok", "bytes": 1, "mtime_ns": 1}
    return dict.fromkeys(SCORES.names) | defaults | {"path": path, "model_version": version} | values


def paths(store: ScoreStore) -> list[str]:
    return [row["path"] for row in store.rows()]


def opened(
    folder: Path, version: str = "1", source: Path = Path("/videos"), digest: str = DIGEST
) -> ScoreStore:
    return ScoreStore(folder, source, version, digest)


def fill(folder: Path, version: str = "1") -> None:
    with opened(folder, version) as store:
        store.write(Shard("shard-a", ()), [row("c", version), row("a", version)])
        store.write(Shard("shard-b", ()), [row("b", version, verdict="real", probability=0.1)])


def test_rows_come_back_by_path(tmp_path: Path) -> None:
    fill(tmp_path)
    with opened(tmp_path, "1") as store:
        assert paths(store) == ["a", "b", "c"]


def test_a_shard_written_twice_is_there_once(tmp_path: Path) -> None:
    fill(tmp_path)
    fill(tmp_path)
    with opened(tmp_path, "1") as store:
        assert paths(store) == ["a", "b", "c"]


def test_versions_do_not_mix(tmp_path: Path) -> None:
    fill(tmp_path, "1")
    with opened(tmp_path, "2") as store:
        assert paths(store) == []


def test_leftovers_of_a_killed_job_are_removed(tmp_path: Path) -> None:
    fill(tmp_path)
    names = ("shards/1-0123456789ab/.shard-c.parquet.4711", ".scores.csv.4711", ".source.json.4711")
    leftovers = [tmp_path / name for name in names]
    for leftover in leftovers:
        leftover.write_bytes(b"half")
    with opened(tmp_path, "1") as store:
        assert paths(store) == ["a", "b", "c"]
    assert not any(leftover.exists() for leftover in leftovers)


def test_a_damaged_shard_is_dropped_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    fill(tmp_path)
    damaged = tmp_path / "shards/1-0123456789ab/shard-a.parquet"
    damaged.write_bytes(damaged.read_bytes()[:-20])
    with caplog.at_level(logging.WARNING), opened(tmp_path, "1") as store:
        assert paths(store) == ["b"]
    assert [message.startswith(f"{damaged}: damaged") for message in caplog.messages] == [True]
    assert not damaged.exists()


def test_forgotten_rows_leave_their_neighbours(tmp_path: Path) -> None:
    fill(tmp_path)
    with opened(tmp_path, "1") as store:
        store.forget({"a", "b"})
        assert paths(store) == ["c"]
    assert not (tmp_path / "shards/1-0123456789ab/shard-b.parquet").exists()


def test_summary_counts(tmp_path: Path) -> None:
    fill(tmp_path)
    with opened(tmp_path, "1") as store:
        summary = store.summary()
    assert (summary.videos, summary.verdicts, summary.statuses) == (3, {"fake": 2, "real": 1}, {"ok": 3})
    assert summary.fallbacks == 0
    with opened(tmp_path, "1") as store:
        store.write(Shard("shard-c", ()), [row("d", fallback="center")])
        assert store.summary().fallbacks == 1


def test_rows_with_other_columns_are_refused_and_kept(tmp_path: Path) -> None:
    fill(tmp_path)
    older = tmp_path / "shards/1-0123456789ab/shard-a.parquet"
    pd.read_parquet(older).drop(columns=["faces", "fallback"]).to_parquet(older)
    before = {file: file.read_bytes() for file in tmp_path.rglob("*.parquet")}
    told = f"^{older}: written by another version of unmask, with other columns; give another --output$"
    for ask in (ScoreStore.rows, ScoreStore.publish, lambda store: store.forget({"a"})):
        with opened(tmp_path) as store, pytest.raises(DataError, match=told):
            ask(store)
    assert {file: file.read_bytes() for file in tmp_path.rglob("*.parquet")} == before


@pytest.mark.parametrize(
    ("path", "refused"),
    [
        ("a.mp4", False),
        (r"C:\a.mp4", False),
        (r"a\xff.mp4", True),
        ("a\nb.mp4", True),
        ("a\u202eb.mp4", True),
    ],
)
def test_an_earlier_version_s_rows_are_good_unless_two_files_may_read_alike(
    tmp_path: Path, path: str, refused: bool
) -> None:
    with opened(tmp_path) as store:
        store.write(Shard("shard-a", ()), [row(path), row("b")])
    (tmp_path / "shards/1-0123456789ab/.exact").unlink()
    before = {file: file.read_bytes() for file in tmp_path.rglob("*.*")}
    if refused:
        told = (
            r"shard-a\.parquet: an earlier version of unmask wrote .*, which may name two files; give another"
        )
        for ask in (ScoreStore.__enter__, ScoreStore.check_source):
            with pytest.raises(DataError, match=told):
                ask(opened(tmp_path))
        assert {file: file.read_bytes() for file in tmp_path.rglob("*.*")} == before
    for _ in range(0 if refused else 2):
        with opened(tmp_path) as store:
            assert paths(store) == [path, "b"]
            store.write(Shard("shard-z", ()), [row(r"z\xff")])  # which is exact from now on
            store.forget({r"z\xff"})


def test_faces_are_json_in_csv_and_a_list_in_parquet(tmp_path: Path) -> None:
    faces = [
        dict.fromkeys(FaceScore.model_fields) | {"probability": 0.9, "decisive": True, "box": [1, 2, 3, 4]}
    ]
    with opened(tmp_path) as store:
        store.write(Shard("shard-a", ()), [row("a", faces=faces), row("b", faces=[], fallback="center")])
        table = pd.read_parquet(store.publish())
        assert store.rows()[0]["faces"] == faces
    assert table["faces"][0][0]["probability"] == 0.9
    told = pd.read_csv(tmp_path / "scores.csv", keep_default_na=False)
    assert [json.loads(cell) for cell in told["faces"]] == [faces, []]
    assert list(told["fallback"]) == ["", "center"]


def test_pandas_reads_what_is_published_and_the_shards_of_all_versions(tmp_path: Path) -> None:
    fill(tmp_path, "1")
    fill(tmp_path, "2")
    with opened(tmp_path, "2") as store:
        table = pd.read_parquet(store.publish())
    assert list(table["path"]) == ["a", "b", "c"]
    assert set(table["model_version"]) == {"2"}
    assert list(pd.read_csv(tmp_path / "scores.csv")["path"]) == ["a", "b", "c"]
    shards = pd.read_parquet(tmp_path / "shards")
    assert len(shards) == 6
    assert not shards.duplicated(["path", "model_version"]).any()


def test_a_second_job_is_refused_while_the_first_writes(tmp_path: Path) -> None:
    busy = pytest.raises(BusyError, match=r"^/.*: another job \(process \d+\)")
    with opened(tmp_path, "1"), busy, opened(tmp_path, "2"):
        pass
    with opened(tmp_path, "2") as store:
        assert paths(store) == []


def test_a_version_that_leaves_the_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="model version"):
        opened(tmp_path, "../elsewhere")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=f"^{tmp_path}/file: "), opened(tmp_path / "file", "1"):
        pass


def test_the_same_version_of_another_registry_is_another_model(tmp_path: Path) -> None:
    fill(tmp_path)
    with opened(tmp_path, digest="f" * 64) as store:
        assert paths(store) == []
    with opened(tmp_path) as store:
        assert paths(store) == ["a", "b", "c"]


def test_another_source_is_refused_in_one_line_and_changes_nothing(tmp_path: Path) -> None:
    fill(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    told = rf"^{tmp_path}: holds the scores of /videos, not of /others; give another --output$"
    with pytest.raises(DataError, match=told), opened(tmp_path, "2", Path("/others")):
        pass
    with pytest.raises(DataError, match=told):
        opened(tmp_path, "2", Path("/others")).check_source()  # nothing needs to be locked for that
    assert sorted(tmp_path.rglob("*")) == before
    with opened(tmp_path) as store:  # nor is anything locked still
        assert paths(store) == ["a", "b", "c"]


def test_a_source_is_the_same_by_any_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "videos").mkdir()
    (tmp_path / "link").symlink_to("videos")
    monkeypatch.chdir(tmp_path)
    for source in (tmp_path / "videos", Path("videos"), tmp_path / "link"):
        with opened(tmp_path / "out", source=source) as store:
            assert paths(store) == []


def test_scores_go_on_when_they_were_moved_together_with_their_source(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    (old / "videos").mkdir(parents=True)
    with opened(old / "scores", source=old / "videos") as store:
        store.write(Shard("shard-a", ()), [row("a", "1")])
    old.rename(new)
    with opened(new / "scores", source=new / "videos") as store:
        assert paths(store) == ["a"]
    with pytest.raises(DataError, match="holds the scores of"):
        opened(new / "scores", source=tmp_path / "videos").check_source()


@pytest.mark.parametrize("damage", ["", "[]", "{}"])
def test_a_damaged_note_of_the_source_is_named(tmp_path: Path, damage: str) -> None:
    (tmp_path / "source.json").write_text(damage)
    with pytest.raises(DataError, match=f"^{tmp_path}/source.json: "), opened(tmp_path):
        pass
