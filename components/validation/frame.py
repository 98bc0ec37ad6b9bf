"""The manifest as the data frame that expectations look at: its columns, and some derived ones. Pure."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, get_args

import pandas as pd

from components.datasets.identities import is_named
from components.datasets.layouts.base import LABELS, SPLITS, UNKNOWN_METHOD
from components.params import LeakKind
from components.splits.audit import Leak
from components.tables import MANIFEST

Row = Mapping[str, Any]

LEAK_KINDS: tuple[LeakKind, ...] = get_args(LeakKind)

FACTS = ("frames", "fps", "width", "height", "bytes", "duration", "codec", "sha256")
"""What every usable video must tell."""


def make_frame(rows: Sequence[Row], leaks: Sequence[Leak] = ()) -> pd.DataFrame:
    """Returns rows of `components.tables.MANIFEST` with derived columns, sorted by video id.

    Args:
        rows: in any order.
        leaks: what `find_leaks` finds in them.

    Returns:
        The manifest's columns, those of lists joined by "; ", and as numbers:
        `people`, `blank_people`: how many people are named, how many names are blank, 1 if there is none;
        `missing_facts`: facts that a usable video lacks;
        `timing`: frames over fps × duration, 1.0 if they agree;
        `is_unseen`: it has no fingerprint, NaN if not usable;
        `copies`, `labels_of_content`: how many usable videos have its content, how many labels these have;
        `labels_of_dataset`: how many labels the training videos of its dataset have, NaN outside train;
        `is_unplaced`, `is_misplaced`: neither in a split nor left out, or both;
        `is_trained_on`: not in test, though prescribed for it;
        `is_lost`: a bridge or a leak, NaN if not sound; `is_broken`; `is_fake`: NaN if untold;
        `leaks_KIND`: whether it is on one side of such a leak;
        one column for each split and label such as `train_fake`;
        and the text `train_method`: its forgery method, if it is known and trained on.
    """
    frame = pd.DataFrame(rows, columns=MANIFEST.names).sort_values("video_id", ignore_index=True)
    derived = pd.concat(
        [_of_people(frame), _of_facts(frame), _of_content(frame), _of_part(frame), _of_splits(frame, leaks)],
        axis="columns",
    )
    for column in ("identities", "sources"):
        frame[column] = ["; ".join(names) if names is not None else None for names in frame[column]]
    # Booleans and counts become floats: the mean and the sum of them are what expectations ask for.
    return pd.concat([frame, derived.astype(float), _train_method(frame)], axis="columns")


def leak_column(kind: LeakKind) -> str:
    """Returns the column that marks both sides of leaks of a kind."""
    return f"leaks_{kind.replace('-', '_')}"


def _usable(frame: pd.DataFrame) -> "pd.Series[bool]":
    return frame["status"].eq("ok")


def _of_people(frame: pd.DataFrame) -> pd.DataFrame:
    names = [list(identities) if identities is not None else [] for identities in frame["identities"]]
    return pd.DataFrame(
        {
            "people": [sum(is_named([name]) for name in some) for some in names],
            "blank_people": [sum(not name.strip() for name in some or [""]) for some in names],
        }
    )


def _of_facts(frame: pd.DataFrame) -> pd.DataFrame:
    expected = frame["fps"].astype(float) * frame["duration"].astype(float)
    frames = frame["frames"].astype(float)
    return pd.DataFrame(
        {
            "missing_facts": frame[list(FACTS)].isna().sum(axis="columns").where(_usable(frame), 0),
            "timing": (frames / expected).where((frames > 0) & (expected > 0)),
            "is_broken": ~_usable(frame),
            "is_unseen": frame["fingerprint"].isna().astype(float).where(_usable(frame)),
        }
    )


def _of_content(frame: pd.DataFrame) -> pd.DataFrame:
    # Broken files are often alike, empty ones always: their content means nothing.
    contents = frame["sha256"].where(_usable(frame))
    same = frame.groupby(contents)
    return pd.DataFrame(
        {
            "copies": same["video_id"].transform("size").where(contents.notna(), 0),
            "labels_of_content": same["label"].transform("nunique").where(contents.notna(), 0),
        }
    )


def _of_part(frame: pd.DataFrame) -> pd.DataFrame:
    placed, excluded = frame["split"].notna(), frame["excluded"].notna()
    labelled = frame["label"].notna()
    sound = _usable(frame) & labelled
    lost = frame["excluded"].isin(["bridge", "leak"])
    return pd.DataFrame(
        {
            "is_unplaced": _usable(frame) & ~placed & ~excluded,
            "is_misplaced": placed & (excluded | ~labelled),
            "is_trained_on": frame["prescribed"].eq("test") & frame["split"].isin(["train", "val"]),
            "is_lost": lost.astype(float).where(sound & (placed | lost)),
            "is_fake": frame["label"].eq("fake").astype(float).where(labelled),
        }
    )


def _of_splits(frame: pd.DataFrame, leaks: Sequence[Leak]) -> pd.DataFrame:
    sides: dict[LeakKind, set[str]] = {kind: set() for kind in LEAK_KINDS}
    for leak in leaks:
        sides[leak.kind].update(*leak.videos.values())
    trained = frame["label"].where(frame["split"].eq("train"))
    first = ~frame.duplicated("sha256") | frame["sha256"].isna()  # copies add nothing to a split
    return pd.DataFrame(
        {
            **{leak_column(kind): frame["video_id"].isin(sides[kind]) for kind in LEAK_KINDS},
            **{
                f"{s}_{x}": frame["split"].eq(s) & frame["label"].eq(x) & first
                for s, x in product(SPLITS, LABELS)
            },
            "labels_of_dataset": trained.groupby(frame["dataset"])
            .transform("nunique")
            .where(trained.notna()),
        }
    )


def _train_method(frame: pd.DataFrame) -> "pd.Series[str]":
    known = frame["label"].eq("fake") & frame["split"].eq("train") & frame["method"].ne(UNKNOWN_METHOD)
    return frame["method"].where(known).rename("train_method")
