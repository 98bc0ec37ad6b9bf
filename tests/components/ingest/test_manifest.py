"""The manifest's rows from entries and facts."""

import pyarrow as pa
import pytest

from components.faces.clip import Failure
from components.faces.video import VideoInfo
from components.ingest.content import Content
from components.ingest.layouts.base import Entry
from components.ingest.manifest import Video, make_rows, summary, video_ids
from components.params import IngestParams
from components.tables import MANIFEST

PARAMS = IngestParams(seed=1, val_share=0.2, test_share=0.25)
INFO = VideoInfo(frames=24, fps=25.0, width=320, height=240, duration=0.96, codec="h264", bytes=7)


def video(
    path: str, *people: str, content: str = "", source: str = "", failure: Failure | None = None
) -> Video:
    label = "fake" if path.startswith("fake") else "real"
    entry = Entry(path, label, "none" if label == "real" else "swap", people, source)
    return Video(entry, Content(content or path, 7), failure or INFO)


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
    rows = make_rows([video("real/b.mp4", "x"), video("fake/a.mp4", "x", "y")], "data", PARAMS)
    assert pa.Table.from_pylist(rows, schema=MANIFEST).to_pylist() == rows
    assert rows[0] == {
        "video_id": "fake/a",
        "path": "data/fake/a.mp4",
        "label": "fake",
        "method": "swap",
        "identities": ["x", "y"],
        "group": "x",
        "split": "train",
        "frames": 24,
        "fps": 25.0,
        "width": 320,
        "height": 240,
        "bytes": 7,
        "duration": 0.96,
        "codec": "h264",
        "sha256": "fake/a.mp4",
        "status": "ok",
        "reason": None,
    }
    assert rows[1]["video_id"] == "real/b"


def test_rows_do_not_depend_on_the_order_of_videos() -> None:
    videos = [video(f"{label}/{name}.mp4", name) for label in ("real", "fake") for name in "abcdefgh"]
    assert make_rows(videos, "data", PARAMS) == make_rows(videos[::-1], "data", PARAMS)


def test_without_people_the_file_name_stands_for_one() -> None:
    rows = make_rows([video("real/a.mp4"), video("fake/a.mp4"), video("fake/b.mp4")], "data", PARAMS)
    assert [row["identities"] for row in rows] == [["unnamed:a"], ["unnamed:b"], ["unnamed:a"]]
    assert [row["group"] for row in rows] == ["unnamed:a", "unnamed:b", "unnamed:a"]


def test_a_file_is_not_taken_for_the_person_of_that_name() -> None:
    rows = make_rows([video("real/a.mp4"), video("fake/b.mp4", "a")], "data", PARAMS)
    assert [(row["identities"], row["group"]) for row in rows] == [(["a"], "a"), (["unnamed:a"], "unnamed:a")]


@pytest.mark.parametrize("source", ["real/a.mp4", "real/a", "session 1"])
def test_a_source_ties_a_forgery_to_its_recording(source: str) -> None:
    rows = make_rows(
        [video("real/a.mp4", source="session 1"), video("fake/b.mp4", source=source)], "data", PARAMS
    )
    assert {row["group"] for row in rows} == {"unnamed:a"}


def test_the_same_content_ties_but_that_of_broken_files_does_not() -> None:
    broken = Failure("undecodable", "the file is empty")
    same = [video("real/a.mp4", content="h"), video("fake/b.mp4", content="h")]
    empty = [
        video("real/c.mp4", content="e", failure=broken),
        video("fake/d.mp4", content="e", failure=broken),
    ]
    rows = make_rows(same + empty, "data", PARAMS)
    assert {row["video_id"]: row["group"] for row in rows} == {
        "real/a": "unnamed:a",
        "fake/b": "unnamed:a",
        "real/c": "unnamed:c",
        "fake/d": "unnamed:d",
    }


def test_a_broken_video_is_a_row_without_facts() -> None:
    missing = Video(Entry("real/a.mp4", "real", "none"), None, Failure("undecodable", "file not found"))
    (row,) = make_rows([missing], "data", PARAMS)
    assert (row["status"], row["reason"]) == ("undecodable", "file not found")
    assert [row[name] for name in ("split", "frames", "fps", "bytes", "sha256", "codec")] == [None] * 6


def test_summary_counts_and_names_what_is_broken() -> None:
    broken = video("fake/c.mp4", failure=Failure("too_short", "3 frames"))
    rows = make_rows([video("real/a.mp4", "x"), video("fake/a.mp4", "x"), broken], "data", PARAMS)
    assert list(summary(rows)) == [
        "3 videos (1 real, 2 fake) in 2 groups: train 2, val 0, test 0",
        "No person stands in two splits.",
        "1 of them cannot be used: data/fake/c.mp4 (too_short: 3 frames)",
    ]


def test_summary_claims_nothing_about_people_whom_nobody_named() -> None:
    rows = make_rows([video("real/a.mp4", "x"), video("fake/b.mp4")], "data", PARAMS)
    assert list(summary(rows))[1] == (
        "1 of 2 videos name nobody: for them splits are disjoint by file and content only. "
        "Name people in the column identity of data/manifest.csv."
    )
