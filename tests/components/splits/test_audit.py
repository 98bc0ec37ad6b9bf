"""Leaks are found, by kind, with both sides."""

from itertools import pairwise
from typing import Any

import pytest

from components.splits.audit import Leak, Tangle, find_leaks, find_tangle


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


PEOPLE = [f"p{n}" for n in range(6)]
SWAPPED = [row(f"f{a}{b}", "train", identities=[a, b]) for a, b in pairwise(PEOPLE)]


def clips(**facts: Any) -> list[dict[str, Any]]:
    known = [{"identities": [person], "group": "p0"} for person in PEOPLE]
    return [row(f"{n} {k['identities'][0]}", "train", **k, **facts) for k in known for n in range(2)]


@pytest.mark.parametrize(
    ("rows", "tangle"),
    [
        (clips(near_duplicate="a"), Tangle(12, 12, "near-duplicate", 6)),
        (clips(sources=["studio"]), Tangle(12, 12, "source", 6)),
        (clips(near_duplicate="a", sources=["studio"]), Tangle(12, 12, None, 1)),
        ([*clips(), *({**one, "group": "p0"} for one in SWAPPED)], Tangle(17, 17, "identity", 6)),
        ([*clips(near_duplicate="a"), row("z", "test", group="z")], Tangle(12, 13, "near-duplicate", 6)),
        ([*clips(near_duplicate="a"), row("z", None, group="p0")], Tangle(12, 12, "near-duplicate", 6)),
        ([row("a", "train", group="a"), row("b", "test", group="b")], None),
        ([row("a", "train", group="x", identities=["x"])] * 3, None),
        ([], None),
    ],
    ids=["looks", "source", "both", "swaps", "most", "left out", "balanced", "one person", "nothing"],
)
def test_what_ties_most_videos_into_one_group(rows: list[dict[str, Any]], tangle: Tangle | None) -> None:
    assert find_tangle(rows) == tangle
