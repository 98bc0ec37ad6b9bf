"""`reports/evaluation.json`: the whole comparison, for people, for metrics and for the report."""

import math

from pydantic import Field

from components.bundle import Calibration, Interval
from components.datasets.identities import disjointness
from components.metric_names import ENDS
from components.values import Frozen

Figures = dict[str, int | float | None]
"""Figures by name; None where one is not defined, since JSON has no NaN."""

WITH_INTERVAL = ("auc", "f1", "accuracy")
"""Figures on test videos whose intervals every report shows."""


class SplitCounts(Frozen):
    """What a split holds, of the videos that could be decoded; `unnamed` are those that name no person.

    `scored` videos carry a score. Of these, `fallback` names the ones in which no usable face was found and
    the middle of the frame was scored instead.
    """

    videos: int
    real: int
    fake: int
    groups: int
    unnamed: int
    scored: int
    fallback: tuple[str, ...] = ()

    @property
    def with_face(self) -> int:
        """Videos that are scored by a face, or by the whole frame where that was asked for."""
        return self.scored - len(self.fallback)

    @property
    def coverage(self) -> float:
        """Shares of the videos in which a face was found. A fallback earns a score, but never coverage."""
        return self.with_face / self.videos if self.videos else math.nan

    @property
    def fallback_share(self) -> float:
        """Shares of the videos that got their score without a face."""
        return len(self.fallback) / self.videos if self.videos else math.nan


class Slice(Frozen):
    """The winner's errors on those test videos of which a property lies in a span.

    A rate is None where there are too few videos of its class, the AUC where there are of either.
    """

    property: str
    span: str
    genuine: int
    fake: int
    false_alarms: int
    missed: int
    false_alarm_rate: Interval | None
    miss_rate: Interval | None
    auc: float | None


class CandidateResult(Frozen):
    """One candidate. Calibration and threshold come from validation videos only.

    `trained` holds what its training has written down: its size, and how well it knew the training videos.
    """

    threshold: float
    calibration: Calibration
    calibration_note: str | None
    val: Figures
    test: Figures
    methods: dict[str, Figures]
    trained: Figures = Field(default_factory=dict)


class Evaluation(Frozen):
    """`reports/evaluation.json`; candidates stand in their order on validation, the winner first."""

    winner: str
    select_by: str
    confidence: float
    unusable: int
    data: dict[str, SplitCounts]
    candidates: dict[str, CandidateResult]
    slices: tuple[Slice, ...] = ()

    @property
    def fallbacks(self) -> dict[str, tuple[str, ...]]:
        """Videos that were scored without a face, of the splits that have any."""
        return {split: counts.fallback for split, counts in self.data.items() if counts.fallback}

    @property
    def disjointness(self) -> str:
        """Says by what the splits are disjoint, as a sentence."""
        counts = self.data.values()
        return disjointness(sum(c.unnamed for c in counts), sum(c.videos for c in counts))


def rounded(value: float | None) -> float | None:
    """Returns six decimals, for reading and for version control; None where a figure is not defined."""
    return None if value is None or math.isnan(value) else round(value, 6)


def with_ends(name: str, interval: Interval | None) -> Figures:
    """A figure and the ends of its interval by name, as tables have them; all None where there is none."""
    ends = (interval.value, interval.low, interval.high) if interval else (None, None, None)
    return dict(zip((name, *(f"{name}_{end}" for end in ENDS)), map(rounded, ends), strict=True))
