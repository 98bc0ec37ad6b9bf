from typing import Any

import pytest

from components.training.videos import Video, join, of_split


def manifest(video_id: str, **other: Any) -> dict[str, Any]:
    row = {
        "video_id": video_id,
        "dataset": "data",
        "group": "g",
        "split": "train",
        "label": "fake",
        "method": "swap",
        "status": "ok",
    }
    return row | other


def face(video_id: str, **other: Any) -> dict[str, Any]:
    return {"video_id": video_id, "status": "ok", "clip": f"{video_id}.npz", "fallback": None} | other


def test_rows_are_joined_and_ordered_by_id() -> None:
    found = join([manifest("b"), manifest("a", label="real", method="none")], [face("a"), face("b")])
    assert found == [
        Video("a", "g", "train", 0, "none", "a.npz"),
        Video("b", "g", "train", 1, "swap", "b.npz"),
    ]


@pytest.mark.parametrize(
    ("row", "clip"),
    [
        (manifest("a", status="undecodable", split=None), face("a", status="undecodable", clip=None)),
        (manifest("a"), face("a", status="no_face", clip=None)),
        (manifest("a"), face("b")),
        (manifest("a", split=None), face("a")),
        (manifest("a", split=None, label=None, excluded="unlabelled"), face("a")),
    ],
)
def test_without_split_or_clip_a_video_is_left_out(row: dict[str, Any], clip: dict[str, Any]) -> None:
    assert join([row], [clip]) == []


@pytest.mark.parametrize(("split", "taken"), [("train", 0), ("val", 1), ("test", 1)])
def test_what_shows_no_face_is_judged_but_not_learnt_from(split: str, taken: int) -> None:
    assert len(join([manifest("a", split=split)], [face("a", fallback="center")])) == taken


def test_split_and_class() -> None:
    videos = join(
        [manifest("a"), manifest("b", label="real"), manifest("c", split="val")], [face(key) for key in "abc"]
    )
    assert [video.video_id for video in of_split(videos, "train")] == ["a", "b"]
    assert [video.video_id for video in of_split(videos, "train", 0)] == ["b"]
