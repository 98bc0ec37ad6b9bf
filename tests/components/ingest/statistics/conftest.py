"""Rows of a manifest, made to measure."""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from components.tables import MANIFEST

Row = dict[str, Any]
MakeRow = Callable[..., Row]


@pytest.fixture
def make_row() -> MakeRow:
    """A sound, genuine training video of a person of its own; keywords change it."""
    numbers = count()

    def make(**changes: Any) -> Row:
        number = next(numbers)
        row = dict.fromkeys(MANIFEST.names) | {
            "video_id": f"v{number:04}",
            "path": f"data/v{number:04}.mp4",
            "dataset": "data",
            "label": "real",
            "method": "none",
            "identities": [f"p{number}"],
            "sources": [],
            "group": f"g{number}",
            "split": "train",
            "frames": 100,
            "fps": 25.0,
            "width": 640,
            "height": 480,
            "bytes": 500_000,
            "duration": 4.0,
            "codec": "h264",
            "sha256": f"{number:064x}",
            "status": "ok",
        }
        return row | changes

    return make


@pytest.fixture
def mixed(make_row: MakeRow) -> list[Row]:
    """Two datasets, mostly fake, with a broken video, one without a label and one left out."""
    rows = [
        make_row(dataset=dataset, split=split, label=label, method=method)
        for dataset in ("ff", "costs $5 or $6")
        for split in ("train", "val", "test")
        for label, method, videos in (("real", "none", 1), ("fake", "swap", 3), ("fake", "a_blend", 2))
        for _ in range(videos)
    ]
    facts = dict.fromkeys(("frames", "fps", "width", "height", "duration", "codec"))
    return [
        *rows,
        make_row(dataset="ff", split=None, status="too_short", reason="two frames", **facts),
        make_row(dataset="ff", split=None, label=None, method="unknown", excluded="unlabelled"),
        make_row(dataset="ff", split=None, label="fake", method="swap", excluded="bridge"),
    ]
