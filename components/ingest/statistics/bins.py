"""Bins of what a video's format is. Fixed edges, so that tables of two versions of the data compare."""

from bisect import bisect_right
from collections.abc import Callable, Mapping
from functools import cache
from itertools import pairwise
from typing import Any, Literal

Row = Mapping[str, Any]
FileProperty = Literal["duration", "resolution", "fps", "bitrate", "codec"]

EDGES: dict[FileProperty, tuple[float, ...]] = {
    "duration": (1, 2, 3, 5, 10, 15, 20, 30, 60, 300),  # seconds
    "resolution": (120, 240, 360, 480, 720, 1080, 2160),  # px of the shorter side
    "fps": (10, 14, 16, 20, 23, 24.5, 25.5, 29, 30.5, 49, 51, 59, 61),  # the usual rates stand alone
    "bitrate": (100, 250, 500, 1000, 2000, 4000, 8000, 16000),  # kbit/s, of the whole file
}

UNITS: dict[FileProperty, str] = {
    "duration": "s",
    "resolution": "px",
    "fps": "fps",
    "bitrate": "kbit/s",
    "codec": "",
}

MAX_CODECS = 8
"""So many codecs have a bin of their own."""

UNTOLD = "not told"
OTHER = "other"


def label_of(value: float | None, edges: tuple[float, ...]) -> str:
    """Returns the bin of a value, as people write it: "< 1", "5–10", "≥ 300"; a bin holds its lower edge."""
    return UNTOLD if value is None else bin_labels(edges)[bisect_right(edges, value)]


@cache
def bin_labels(edges: tuple[float, ...]) -> tuple[str, ...]:
    """Returns all bins in their order."""
    between = [f"{low:g}–{high:g}" for low, high in pairwise(edges)]
    return (f"< {edges[0]:g}", *between, f"≥ {edges[-1]:g}")


def _resolution(row: Row) -> float | None:
    sides = (row["width"], row["height"])
    return None if None in sides else min(sides)


def _bitrate(row: Row) -> float | None:
    if not row["bytes"] or not row["duration"]:
        return None
    return float(row["bytes"] * 8 / 1000 / row["duration"])


MEASURES: dict[FileProperty, Callable[[Row], float | None]] = {
    "duration": lambda row: row["duration"],
    "resolution": _resolution,
    "fps": lambda row: row["fps"],
    "bitrate": _bitrate,
}
"""What is measured of a row of `components.tables.MANIFEST`; None where it is not told."""
