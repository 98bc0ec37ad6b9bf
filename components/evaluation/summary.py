"""The comparison as documents: what `evaluation.json` and `winner.json` say about it."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from components.arrays import Floats64
from components.bundle import Histogram, Interval
from components.evaluation.comparison import Contender
from components.evaluation.results import (
    WITH_INTERVAL,
    CandidateResult,
    Evaluation,
    Figures,
    Slice,
    SplitCounts,
    rounded,
    with_ends,
)
from components.evaluation.winner import Winner
from components.params import EvaluateParams

SCORE_BINS = 20


def summarise(
    contenders: Sequence[Contender],
    counts: Mapping[str, SplitCounts],
    unusable: int,
    trained: Mapping[str, Figures],
    slices: Sequence[Slice],
    params: EvaluateParams,
) -> Evaluation:
    """`evaluation.json`.

    Args:
        contenders: all candidates, best first.
        counts: what the splits hold.
        unusable: videos that could not be decoded, and stand in no split.
        trained: what the training of each candidate says.
        slices: the winner's slices.
        params: how candidates were compared.
    """
    return Evaluation(
        winner=contenders[0].name,
        select_by=params.select_by,
        confidence=params.confidence,
        unusable=unusable,
        data=dict(counts),
        candidates={
            contender.name: _candidate(contender, counts["test"], trained[contender.name], params.confidence)
            for contender in contenders
        },
        slices=tuple(slices),
    )


def _candidate(
    contender: Contender, test: SplitCounts, trained: Figures, confidence: float
) -> CandidateResult:
    metrics: Figures = {name: rounded(estimate.value) for name, estimate in contender.metrics.items()}
    for name in WITH_INTERVAL:
        metrics |= with_ends(name, contender.metrics[name].interval(confidence))
    return CandidateResult(
        threshold=contender.decision.threshold,
        calibration=contender.decision.calibration,
        calibration_note=contender.decision.calibration_note,
        val={name: rounded(value) for name, value in contender.decision.val.items()},
        test=metrics | {"coverage": rounded(test.coverage), "fallback": rounded(test.fallback_share)},
        methods={
            method: with_ends("auc", estimate.interval(confidence))
            | {"videos": contender.test.methods.count(method)}
            for method, estimate in contender.methods.items()
        },
        trained=trained,
    )


def crown(contender: Contender, test: SplitCounts, confidence: float) -> Winner:
    """`winner.json`, for the best of the contenders."""
    metrics = {name: estimate.interval(confidence) for name, estimate in contender.metrics.items()}
    metrics["coverage"] = Interval(value=test.coverage)
    if test.fallback:
        metrics["fallback"] = Interval(value=test.fallback_share)
    return Winner(
        candidate=contender.name,
        threshold=contender.decision.threshold,
        calibration=contender.decision.calibration,
        metrics={name: estimate for name, estimate in metrics.items() if not math.isnan(estimate.value)},
        scores=histogram(contender.probabilities),
    )


def histogram(probabilities: Floats64) -> Histogram:
    """Counts in `SCORE_BINS` equal bins over [0, 1]."""
    counts, edges = np.histogram(probabilities, bins=SCORE_BINS, range=(0.0, 1.0))
    return Histogram(edges=tuple(round(float(edge), 6) for edge in edges), counts=tuple(map(int, counts)))
