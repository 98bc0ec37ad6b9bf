"""Figures of a binary detector from labels (1 is fake) and probabilities of fake."""

import math
import warnings

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import auc, roc_curve

from components.arrays import Floats64, Ints64


def measure(labels: Ints64, probabilities: Floats64, threshold: float) -> dict[str, float]:
    """Returns all of `components.metric_names.METRICS` on one set of videos.

    A figure that is not defined is NaN, never a made-up zero: AUC and EER where a class is absent,
    precision where nothing was called fake, everything where there is no video. The counts are taken here
    rather than by scikit-learn, whose checks of each call would be most of a bootstrap's time.

    Args:
        labels: (N,) 1 is fake, 0 is genuine.
        probabilities: (N,) of fake.
        threshold: a video is called fake from this probability on.
    """
    fake, called = labels == 1, probabilities >= threshold
    hits, missed, alarms = (int(count.sum()) for count in (fake & called, fake & ~called, ~fake & called))
    false_positives, true_positives = roc(labels, probabilities)
    return {
        "auc": float(auc(false_positives, true_positives)),
        "f1": _share(2 * hits, 2 * hits + missed + alarms),
        "accuracy": _share(len(labels) - missed - alarms, len(labels)),
        "precision": _share(hits, hits + alarms),
        "recall": _share(hits, hits + missed),
        "eer": equal_error_rate(false_positives, true_positives),
        "log_loss": mean_log_loss(labels, probabilities),
    }


def _share(part: int, whole: int) -> float:
    return part / whole if whole else math.nan


def mean_log_loss(labels: Ints64, probabilities: Floats64) -> float:
    """Means negative log likelihood; probabilities of exactly 0 and 1 are clipped as scikit-learn does."""
    if not len(labels):
        return math.nan
    tiny = np.finfo(np.float64).eps
    likelihood = np.clip(np.where(labels == 1, probabilities, 1.0 - probabilities), tiny, 1.0 - tiny)
    return float(-np.log(likelihood).mean())


def roc(labels: Ints64, probabilities: Floats64) -> tuple[Floats64, Floats64]:
    """Returns the ROC curve: false and true positive rates, NaN where the class that they need is absent."""
    if not len(labels):
        return np.full(2, math.nan), np.full(2, math.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetricWarning)  # an absent class is told by NaN
        false_positives, true_positives, _ = roc_curve(labels, probabilities, drop_intermediate=False)
    return false_positives, true_positives


def area(labels: Ints64, probabilities: Floats64) -> float:
    """Returns the area under the ROC curve, NaN where a class is absent."""
    return float(auc(*roc(labels, probabilities)))


def equal_error_rate(false_positives: Floats64, true_positives: Floats64) -> float:
    """Where the curve's false positive rate equals its false negative rate, interpolated along the curve."""
    if np.isnan(false_positives).any() or np.isnan(true_positives).any():
        return math.nan
    # fpr − fnr rises from −1 to 1, strictly: each point of the curve has another threshold.
    excess = false_positives - (1.0 - true_positives)
    return float(np.interp(0.0, excess, false_positives))
