"""What ties videos together, as a table."""

from typing import Any

import pytest

from components.splits.groups import Sample, connected, group_samples


def sample(video_id: str, *identities: str, **facts: Any) -> Sample:
    known = {"dataset": "data", "label": "real", "method": "none", "sha256": f"hash of {video_id}"}
    return Sample(video_id, identities=identities, **{**known, **facts})


@pytest.mark.parametrize(
    ("samples", "groups"),
    [
        ([sample("a", "x"), sample("b", "y")], ["x", "y"]),
        ([sample("a", "x"), sample("b", "x")], ["x", "x"]),
        ([sample("a", "x"), sample("b", "y"), sample("c", "z", "y", "x")], ["x", "x", "x"]),
        ([sample("a", "unnamed:x"), sample("b", "unnamed:x")], ["unnamed:x", "unnamed:x"]),
        ([sample("a", "y", sources=("s",)), sample("b", "x", sources=("s",))], ["x", "x"]),
        ([sample("a", "x", sha256="h"), sample("b", "y", sha256="h")], ["x", "x"]),
        ([sample("a", "x", sha256=None), sample("b", "y", sha256=None)], ["x", "y"]),
        ([sample("a", "x", near_duplicate="a"), sample("b", "y", near_duplicate="a")], ["x", "x"]),
        ([sample("a", "x", near_duplicate="s"), sample("b", "y", sources=("s",))], ["x", "y"]),
        ([sample("a", "s", sha256="h"), sample("b", "h", sources=("s",))], ["s", "h"]),
        ([sample("a", "x"), sample("b", "x", "y", usable=False), sample("c", "y")], ["x", "x", "y"]),
        ([], []),
    ],
    ids=[
        "alone",
        "person",
        "chain",
        "unnamed",
        "source",
        "content",
        "unknown content",
        "looks",
        "looks are no source",
        "kinds kept apart",
        "broken video",
        "nothing",
    ],
)
def test_what_ties_videos_together(samples: list[Sample], groups: list[str]) -> None:
    assert group_samples(samples, [one.usable for one in samples]) == groups


def test_items_without_keys_stand_alone() -> None:
    first, second, third, fourth = connected([["a"], [], ["a", "b"], []])
    assert first == third
    assert len({first, second, fourth}) == 3
