"""What a candidate said about the validation and test videos."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.arrays import Floats64, Ints64
from components.errors import StageError
from components.tables import PREDICTIONS, read_table

PREDICTED_SPLITS = ("val", "test")


@dataclass(frozen=True)
class Predictions:
    """One split, ordered by video id, so that all candidates' arrays line up."""

    videos: tuple[str, ...]
    groups: tuple[str, ...]
    methods: tuple[str, ...]
    labels: Ints64
    logits: Floats64

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]]) -> "Predictions":
        """Makes them from rows of `components.tables.PREDICTIONS`."""
        rows = sorted(rows, key=lambda row: str(row["video_id"]))
        return cls(
            videos=tuple(row["video_id"] for row in rows),
            groups=tuple(row["group"] for row in rows),
            methods=tuple(row["method"] for row in rows),
            labels=np.array([row["label"] for row in rows], dtype=np.int64),
            logits=np.array([row["logit"] for row in rows], dtype=np.float64),
        )

    def against_genuine(self, method: str) -> NDArray[np.bool_]:
        """Returns (N,) true for one method's fakes and for all genuine videos."""
        chosen: NDArray[np.bool_] = (self.labels == 0) | (np.asarray(self.methods) == method)
        return chosen

    @property
    def forgeries(self) -> list[str]:
        """The methods of the fakes, sorted."""
        return sorted({method for method, label in zip(self.methods, self.labels, strict=True) if label == 1})


def read_predictions(path: Path, expected: Mapping[str, set[str]]) -> dict[str, Predictions]:
    """Reads a candidate's predictions and checks that they are of these videos.

    Args:
        path: `predictions.parquet`.
        expected: the ids of the videos that have a face clip, by split.

    Raises:
        StageError: the file is not there, is of other videos, or holds a logit that is not finite.
    """
    rows = read_table(path, PREDICTIONS)
    splits = {
        split: Predictions.of([row for row in rows if row["split"] == split]) for split in PREDICTED_SPLITS
    }
    for split, predictions in splits.items():
        _check(path, split, predictions, expected[split])
    return splits


def _check(path: Path, split: str, predictions: Predictions, expected: set[str]) -> None:
    if not expected:
        raise StageError(
            f"{path}: no {split} video has a face clip to evaluate on; add videos, or raise {split}_share"
        )
    if set(predictions.videos) != expected:
        different = min(set(predictions.videos) ^ expected)
        raise StageError(f"{path}: not of the present {split} videos ({different!r} differs); run dvc repro")
    if not np.isfinite(predictions.logits).all():
        raise StageError(
            f"{path}: a logit is not finite, training diverged; lower this candidate's lr in params.yaml"
        )
