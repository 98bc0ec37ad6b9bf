"""Leaks are found, by kind, with both sides."""

from typing import Any

import pytest

from components.ingest.audit import Leak, find_leaks


def row(video_id: str, split: str | None, **facts: Any) -> dict[str, Any]:
    known = {"identities": [video_id], "sources": [video_id], "sha256": video_id, "near_duplicate": None}
    return {"video_id": video_id, "split": split} | known | facts


@pytest.mark.parametrize(
    ("shared", "kind", "key", "told"),
    [
        ({"identities": ["x", "p003"]}, "identity", "p003", "p003"),
        ({"sources": ["rec 1"]}, "source", "rec 1", "rec 1"),
        ({"sha256": "0123456789abcdef"}, "content", "0123456789abcdef", "0123456789ab…"),
        ({"near_duplicate": "a"}, "near-duplicate", "a", "a"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_stands_in_two_splits_is_named_with_both_sides(
    shared: dict[str, Any], kind: str, key: str, told: str
) -> None:
    other = shared | ({"identities": ["y", "p003"]} if kind == "identity" else {})
    rows = [row("b", "test", **other), row("a", "train", **shared), row("c", "train", **shared)]
    (leak,) = (leak for leak in find_leaks(rows) if leak.key == key)
    assert leak == Leak(kind, key, {"train": ["a", "c"], "test": ["b"]})  # type: ignore[arg-type]
    assert str(leak) == f"{kind} {told} in train (a and 1 more) and test (b)"


@pytest.mark.parametrize(
    "rows",
    [
        [row("a", "train", sha256="h"), row("b", "train", sha256="h")],
        [row("a", "train", sha256="h"), row("b", None, sha256="h")],
        [row("a", "train", identities=["unnamed:x"]), row("b", "test", identities=["unnamed:x"])],
        [row("a", "train", sha256=None, sources=None), row("b", "test", sha256=None, sources=None)],
        [row("a", "train", identities=["h"]), row("b", "test", sha256="h")],
    ],
    ids=["one split", "left out", "nobody named", "nothing known", "kinds kept apart"],
)
def test_what_is_no_leak(rows: list[dict[str, Any]]) -> None:
    assert find_leaks(rows) == []


def test_a_leak_through_three_splits_comes_in_order() -> None:
    rows = [row(split, split, sha256="h") for split in ("test", "val", "train")]
    assert list(find_leaks(rows)[0].videos) == ["train", "val", "test"]
