"""The manifest's rows from entries and facts."""

from collections.abc import Sequence
from typing import Any

import pytest

from components.datasets.layouts.base import Entry, Prescribed
from components.datasets.spellings import Names
from components.faces.clip import Failure
from components.ingest.content import Content
from components.ingest.manifest import ListedVideo, make_rows, make_samples, video_ids
from components.params import IngestParams
from components.splits.assignment import assign
from components.splits.lock import Lock
from components.tables import MANIFEST, to_table
from components.video.examine import Examined
from components.video.frames import VideoInfo

PARAMS = IngestParams(seed=1, val_share=0.2, test_share=0.25)
INFO = VideoInfo(frames=24, fps=25.0, width=320, height=240, duration=0.96, codec="h264", bytes=7)


def video(
    path: str,
    *people: str,
    content: str = "",
    source: str = "",
    failure: Failure | None = None,
    dataset: str = "data",
    fingerprint: str | None = None,
    split: Prescribed | None = None,
) -> ListedVideo:
    label = "fake" if "fake" in path else "real"
    entry = Entry(path, label, "none" if label == "real" else "swap", people, (source,), split)
    found = Content(content or path, 7, 0, settled=True)
    return ListedVideo(dataset, entry, found, failure or Examined(INFO, fingerprint))


def rows_of(videos: Sequence[ListedVideo]) -> list[dict[str, Any]]:
    pairs = make_samples(videos, Names())
    assignments = assign([sample for _, sample in pairs], PARAMS, Lock.empty())
    return list(make_rows(pairs, assignments, "data"))


@pytest.mark.parametrize(
    ("paths", "ids"),
    [
        (["real/a.mp4", "fake/a.mp4"], ["real/a", "fake/a"]),
        (["real/a.mp4", "real/a.avi"], ["real/a.mp4", "real/a.avi"]),
        (["real/a.mp4", "real/a.avi", "real/a.avi.mp4"], ["real/a.mp4", "real/a.avi", "real/a.avi.mp4"]),
        (["real/a", "real/a.mp4", "real/b.c.mp4"], ["real/a", "real/a.mp4", "real/b.c"]),
    ],
)
def test_video_ids_are_unique(paths: list[str], ids: list[str]) -> None:
    assert video_ids(paths) == ids


def test_rows_fit_the_table_and_stand_in_order() -> None:
    rows = rows_of(
        [video("real/b.mp4", "x"), video("fake/a.mp4", "x", "y", fingerprint="0f" * 128, split="train")]
    )
    assert to_table(rows, MANIFEST).to_pylist() == rows
    assert set(rows[0]) == set(MANIFEST.names)
    assert rows[0] == {
        "video_id": "fake/a",
        "path": "data/fake/a.mp4",
        "dataset": "data",
        "label": "fake",
        "method": "swap",
        "identities": ["x", "y"],
        "sources": ["fake/a", "fake/a.mp4"],
        "group": "x",
        "split": "train",
        "prescribed": "train",
        "excluded": None,
        "frames": 24,
        "fps": 25.0,
        "width": 320,
        "height": 240,
        "bytes": 7,
        "duration": 0.96,
        "codec": "h264",
        "sha256": "fake/a.mp4",
        "fingerprint": "0f" * 128,
        "near_duplicate": None,
        "status": "ok",
        "reason": None,
    }
    assert rows[1]["video_id"] == "real/b"


def test_rows_do_not_depend_on_the_order_of_videos() -> None:
    videos = [video(f"{label}/{name}.mp4", name) for label in ("real", "fake") for name in "abcdefgh"]
    assert rows_of(videos) == rows_of(videos[::-1])


def test_without_people_the_file_name_stands_for_one() -> None:
    rows = rows_of([video("real/a.mp4"), video("fake/a.mp4"), video("fake/b.mp4")])
    assert [row["identities"] for row in rows] == [["unnamed:a"], ["unnamed:b"], ["unnamed:a"]]
    assert [row["group"] for row in rows] == ["unnamed:a", "unnamed:b", "unnamed:a"]


def test_files_of_one_name_in_several_folders_are_several_people() -> None:
    paths = ["real/id1/00001.mp4", "real/id2/00001.mp4", "fake/id2/00001.mp4", "other/00001.mp4"]
    groups = {row["path"].removeprefix("data/"): row["group"] for row in rows_of([video(p) for p in paths])}
    assert groups == {
        "real/id1/00001.mp4": "unnamed:id1/00001",
        "real/id2/00001.mp4": "unnamed:id2/00001",
        "fake/id2/00001.mp4": "unnamed:id2/00001",
        "other/00001.mp4": "unnamed:other/00001",
    }


def test_a_file_name_stands_for_nobody_of_another_dataset() -> None:
    rows = rows_of([video("real/a.mp4"), video("more/fake/a.mp4", dataset="more")])
    assert {row["dataset"]: row["group"] for row in rows} == {"data": "unnamed:a", "more": "unnamed:more/a"}


def test_videos_that_look_the_same_are_one_group() -> None:
    looks = {"real/c.mp4": "0f" * 128, "fake/b.mp4": "0f" * 128, "real/a.mp4": "c3" * 128, "fake/d.mp4": None}
    rows = rows_of([video(path, fingerprint=look) for path, look in looks.items()])
    assert {row["video_id"]: row["near_duplicate"] for row in rows} == {
        "fake/b": "fake/b",
        "fake/d": None,
        "real/a": None,
        "real/c": "fake/b",
    }
    assert rows[0]["group"] == rows[3]["group"]


def test_looks_tie_nobody_where_nothing_looks_for_near_duplicates() -> None:
    videos = [video("real/a.mp4", fingerprint="0f" * 128), video("real/b.mp4", fingerprint="0f" * 128)]
    assert [sample.near_duplicate for _, sample in make_samples(videos, Names())] == ["real/a", "real/a"]
    assert [sample.near_duplicate for _, sample in make_samples(videos, Names(), by_looks=False)] == [
        None,
        None,
    ]


def test_a_file_is_not_taken_for_the_person_of_that_name() -> None:
    rows = rows_of([video("real/a.mp4"), video("fake/b.mp4", "a")])
    assert [(row["identities"], row["group"]) for row in rows] == [(["a"], "a"), (["unnamed:a"], "unnamed:a")]


@pytest.mark.parametrize("source", ["real/a.mp4", "real/a", "session 1"])
def test_a_source_ties_a_forgery_to_its_recording(source: str) -> None:
    rows = rows_of([video("real/a.mp4", source="session 1"), video("fake/b.mp4", source=source)])
    assert {row["group"] for row in rows} == {"unnamed:a"}


def test_the_same_content_ties_but_that_of_broken_files_does_not() -> None:
    broken = Failure("undecodable", "the file is empty")
    same = [video("real/a.mp4", content="h"), video("fake/b.mp4", content="h")]
    empty = [
        video("real/c.mp4", content="e", failure=broken),
        video("fake/d.mp4", content="e", failure=broken),
    ]
    rows = rows_of(same + empty)
    assert {row["video_id"]: row["group"] for row in rows} == {
        "real/a": "unnamed:a",
        "fake/b": "unnamed:a",
        "real/c": "unnamed:c",
        "fake/d": "unnamed:d",
    }


def test_a_broken_video_is_a_row_without_facts() -> None:
    missing = ListedVideo(
        "data", Entry("real/a.mp4", "real", "none"), None, Failure("undecodable", "file not found")
    )
    (row,) = rows_of([missing])
    assert (row["status"], row["reason"]) == ("undecodable", "file not found")
    assert [row[name] for name in ("split", "frames", "fps", "bytes", "sha256", "codec")] == [None] * 6
