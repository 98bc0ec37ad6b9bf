"""The manifest as the data frame that expectations look at: its columns, and some derived ones. Pure."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import product
from typing import Any

import pandas as pd

from components.ingest.identities import is_named
from components.ingest.layouts.base import LABELS, SPLITS
from components.tables import MANIFEST

Row = dict[str, Any]

FACTS = ("frames", "fps", "width", "height", "bytes", "duration", "codec", "sha256")
"""What every usable video must tell."""


def make_frame(rows: Sequence[Row]) -> pd.DataFrame:
    """Rows of `components.tables.MANIFEST` with derived columns.

    Returns:
        The manifest's columns, `identities` joined by "; ", and:
        `people`: how many people are named; `missing_facts`: facts that a usable video lacks;
        `timing`: frames over fps × duration, 1.0 where they agree;
        `splits_of_group`, `splits_of_person`, `splits_of_content`: in how many splits the video's group, any
        one of its named people, and its content stand; `copies`, `labels_of_content`: how many usable
        videos have its content, and how many labels;
        `is_broken`, `is_fake`, and one column for each split and label such as `train_fake`: 0 or 1.
    """
    derived = {name: [derive(row) for row in rows] for name, derive in _PER_ROW.items()}
    derived |= {name: _most(rows, keys, column) for name, (keys, column) in _ACROSS_ROWS.items()}
    for split, label in product(SPLITS, LABELS):
        derived[f"{split}_{label}"] = [row["split"] == split and row["label"] == label for row in rows]
    frame = pd.DataFrame(rows, columns=MANIFEST.names)
    frame["identities"] = ["; ".join(row["identities"] or ()) for row in rows]
    # Booleans and counts become floats: the mean and the sum of them are what expectations ask for.
    return pd.concat([frame, pd.DataFrame(derived, dtype=float)], axis="columns")


def _usable(row: Row) -> bool:
    return bool(row["status"] == "ok")


def _missing_facts(row: Row) -> int:
    return sum(row[name] is None for name in FACTS) if _usable(row) else 0


def _timing(row: Row) -> float | None:
    expected = (row["fps"] or 0.0) * (row["duration"] or 0.0)
    return row["frames"] / expected if row["frames"] and expected > 0 else None


def _content(row: Row) -> Iterable[Hashable]:
    # Broken files are often alike, empty ones always.
    return [row["sha256"]] if _usable(row) and row["sha256"] else []


def _people(row: Row) -> list[str]:
    return [person for person in row["identities"] or () if is_named([person])]


_PER_ROW: dict[str, Callable[[Row], float | None]] = {
    "people": lambda row: len(_people(row)),
    "missing_facts": _missing_facts,
    "timing": _timing,
    "is_broken": lambda row: not _usable(row),
    "is_fake": lambda row: row["label"] == "fake",
}

_Keys = Callable[[Row], Iterable[Hashable]]

_ACROSS_ROWS: dict[str, tuple[_Keys, str]] = {
    "splits_of_group": (lambda row: [row["group"]], "split"),
    "splits_of_person": (_people, "split"),
    "splits_of_content": (_content, "split"),
    "labels_of_content": (_content, "label"),
    "copies": (_content, "video_id"),
}


def _most(rows: Sequence[Row], keys: _Keys, column: str) -> list[float | None]:
    """For each row: how many different values of `column` stand in rows that share a key with it, at most."""
    values: dict[Hashable, set[str]] = defaultdict(set)
    for row in rows:
        for key in keys(row):
            values[key] |= {row[column]} - {None}
    return [max((len(values[key]) for key in keys(row)), default=0) for row in rows]
