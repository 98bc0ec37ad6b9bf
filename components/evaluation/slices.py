"""Where the winner errs: its errors on test videos by what the recordings are like, whoever is in them.

A detector that takes a property of a recording for a sign of forgery shows here: genuine videos with that
property are called fake more often than others.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from components.arrays import Floats64, Ints64
from components.evaluation.comparison import Contender
from components.evaluation.intervals import estimate
from components.evaluation.metrics import area
from components.evaluation.results import Slice, rounded, with_ends
from components.params import EvaluateParams

Row = Mapping[str, Any]

MIN_SLICE_VIDEOS = 10
"""Videos of a class below which its share of errors and the AUC are not shown: they would tell of chance."""


class Property(NamedTuple):
    """What recordings are told apart by; `bounds` stand between its slices."""

    title: str
    bounds: tuple[float, ...]


PROPERTIES = {
    "colourfulness": Property(  # bounds: slightly, moderately, averagely, quite colourful
        "Colourfulness of the face: 0 is grey, 45 average, 82 high (Hasler & Süsstrunk, 2003)",
        (15, 33, 45, 59),
    ),
    "brightness": Property("Brightness of the face, share of white", (0.25, 0.4, 0.6, 0.75)),
    "face size": Property("Side of the face's box, px", (48, 96, 192, 384)),
    "compression": Property("Compression, bits per pixel", (0.03, 0.1, 0.3, 1)),
    "resolution": Property("Shorter side of the video, px", (240, 480, 720, 1080)),
}
"""Their bounds are the same in every run, so that two runs can be compared."""


def properties(manifest: Sequence[Row], faces: Sequence[Row], videos: Sequence[str]) -> dict[str, Floats64]:
    """Returns what each video is like, (N,) for each of `PROPERTIES`; NaN where that is not known.

    Args:
        manifest: rows of MANIFEST.
        faces: rows of FACES; light and colour are those of the main face.
        videos: (N,) ids.
    """
    recorded, cut = ({row["video_id"]: row for row in rows} for rows in (manifest, faces))

    def column(rows: Mapping[str, Row], name: str) -> Floats64:
        return np.array([rows[video][name] for video in videos], np.float64)  # None becomes NaN

    width, height, frames = (column(recorded, name) for name in ("width", "height", "frames"))
    return {
        "colourfulness": column(cut, "colourfulness"),
        "brightness": column(cut, "brightness"),
        "face size": column(cut, "box_side"),
        "compression": 8 * column(recorded, "bytes") / np.maximum(1, width * height * frames),
        "resolution": np.minimum(width, height),
    }


def slices(winner: Contender, measured: Mapping[str, Floats64], params: EvaluateParams) -> tuple[Slice, ...]:
    """Returns the winner's errors in each slice that holds a test video.

    Args:
        winner: of whose test videos `measured` tells.
        measured: see `properties`.
        params: how intervals are drawn.
    """
    return tuple(
        _slice(name, span, winner, members, params)
        for name, values in measured.items()
        for span, members in _spans(values, PROPERTIES[name].bounds)
        if len(members)
    )


def _spans(values: Floats64, bounds: Sequence[float]) -> Iterator[tuple[str, Ints64]]:
    """Yields each slice in words, and the indices of the videos in it."""
    for low, high in pairwise((-np.inf, *bounds, np.inf)):
        words = f"from {low:g}" if high == np.inf else f"below {high:g}"
        inside = (low <= values) & (values < high)
        yield words if np.isinf(low) or np.isinf(high) else f"{low:g} to {high:g}", np.flatnonzero(inside)


def _slice(
    name: str, span: str, winner: Contender, members: NDArray[np.intp], params: EvaluateParams
) -> Slice:
    labels, called = winner.test.labels[members], winner.called[members]
    genuine, fake = (int((labels == label).sum()) for label in (0, 1))
    groups = [winner.test.groups[index] for index in members]

    def rates(indices: Ints64) -> dict[str, float]:
        wrong = called[indices] != labels[indices]
        return {kind: _mean(wrong[labels[indices] == label]) for kind, label in (("alarm", 0), ("miss", 1))}

    drawn = estimate(rates, groups, params.bootstrap, params.seed)
    interval = {kind: rate.interval(params.confidence) for kind, rate in drawn.items()}
    auc = area(labels, winner.probabilities[members]) if min(genuine, fake) >= MIN_SLICE_VIDEOS else None
    return Slice(
        property=name,
        span=span,
        genuine=genuine,
        fake=fake,
        false_alarms=int((called[labels == 0] == 1).sum()),
        missed=int((called[labels == 1] == 0).sum()),
        false_alarm_rate=interval["alarm"] if genuine >= MIN_SLICE_VIDEOS else None,
        miss_rate=interval["miss"] if fake >= MIN_SLICE_VIDEOS else None,
        auc=rounded(auc),
    )


def _mean(wrong: NDArray[np.bool_]) -> float:
    return float(wrong.mean()) if len(wrong) else np.nan


def slice_rows(parts: Sequence[Slice]) -> list[dict[str, Any]]:
    """`slices.csv`: a row per slice; a rate of too few videos is empty, and `note` says so."""
    return [_row(part) for part in parts]


def _row(part: Slice) -> dict[str, Any]:
    row: dict[str, Any] = {"slice": f"{part.property}: {part.span}"}
    row |= part.model_dump(include={"property", "span", "genuine", "fake", "false_alarms", "missed"})
    for name, rate in (("false_alarm_rate", part.false_alarm_rate), ("miss_rate", part.miss_rate)):
        row |= with_ends(name, rate)
    few = [
        kind for kind, count in (("genuine", part.genuine), ("fake", part.fake)) if count < MIN_SLICE_VIDEOS
    ]
    note = f"fewer than {MIN_SLICE_VIDEOS} {' and '.join(few)} videos" if few else None
    return row | {"auc": part.auc, "note": note}
