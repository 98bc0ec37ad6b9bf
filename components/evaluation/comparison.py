"""The comparison itself, pure: validation videos decide, test videos only measure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from components.arrays import Floats64, Ints64
from components.bundle import Calibration
from components.evaluation.calibration import calibrate, fit_platt
from components.evaluation.intervals import Estimate, estimate
from components.evaluation.metrics import area, measure
from components.evaluation.predictions import Predictions
from components.evaluation.threshold import youden_threshold
from components.params import EvaluateParams

LOWER_IS_BETTER = frozenset({"log_loss"})


@dataclass(frozen=True)
class Decision:
    """What validation videos settled about a candidate."""

    calibration: Calibration
    calibration_note: str | None
    threshold: float
    val: dict[str, float]


@dataclass(frozen=True)
class Contender:
    """A candidate whose decision is made, and what test videos say about it."""

    name: str
    decision: Decision
    test: Predictions
    probabilities: Floats64
    metrics: dict[str, Estimate]
    methods: dict[str, Estimate]

    @property
    def called(self) -> Ints64:
        """(N,) 1 for the test videos that are called fake."""
        return (self.probabilities >= self.decision.threshold).astype("int64")


def fit_decision(val: Predictions) -> Decision:
    """Calibrate, choose the threshold, measure. Sees validation videos and nothing else."""
    fit = fit_platt(val.labels, val.logits)
    probabilities = calibrate(fit.calibration, val.logits)
    threshold = youden_threshold(val.labels, probabilities)
    return Decision(fit.calibration, fit.fallback, threshold, measure(val.labels, probabilities, threshold))


def rank(decisions: Mapping[str, Decision], select_by: str) -> list[str]:
    """Returns candidates from best to worst on validation videos; ties by log loss, then by name."""

    def key(name: str) -> tuple[float, float, str]:
        val = decisions[name].val
        return _loss(val[select_by], select_by), _loss(val["log_loss"], "log_loss"), name

    return sorted(decisions, key=key)


def _loss(value: float, metric: str) -> float:
    if math.isnan(value):
        return math.inf
    return value if metric in LOWER_IS_BETTER else -value


def make_contender(name: str, decision: Decision, test: Predictions, params: EvaluateParams) -> Contender:
    """Returns all figures on test videos, each with its resamples; the same draws for every candidate."""
    probabilities = calibrate(decision.calibration, test.logits)
    members = {method: test.against_genuine(method) for method in test.forgeries}

    def overall(indices: Ints64) -> dict[str, float]:
        return measure(test.labels[indices], probabilities[indices], decision.threshold)

    def by_method(indices: Ints64) -> dict[str, float]:
        parts = {method: indices[chosen[indices]] for method, chosen in members.items()}
        return {method: area(test.labels[part], probabilities[part]) for method, part in parts.items()}

    return Contender(
        name=name,
        decision=decision,
        test=test,
        probabilities=probabilities,
        metrics=estimate(overall, test.groups, params.bootstrap, params.seed),
        methods=estimate(by_method, test.groups, params.bootstrap, params.seed),
    )
