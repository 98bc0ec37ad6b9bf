"""Platt scaling: logits become probabilities that mean what they say."""

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

from components.arrays import Floats64, Ints64
from components.bundle import Calibration

MIN_VIDEOS_PER_CLASS = 5
"""Below this a slope and an intercept say more about chance than about the detector."""


@dataclass(frozen=True)
class PlattFit:
    """A calibration, and why it is the identity where it is."""

    calibration: Calibration
    fallback: str | None = None


def fit_platt(labels: Ints64, logits: Floats64) -> PlattFit:
    """Fits probability = sigmoid(slope · logit + intercept) (Platt, 1999, "Probabilistic outputs for SVMs").

    The targets are Platt's (N₊+1)/(N₊+2) and 1/(N₋+2) instead of 1 and 0, which keeps the slope finite on
    separable data. A slope that is not positive would turn the detector's ranking over, so it is refused.

    Args:
        labels: (N,) 1 is fake, 0 is genuine; of validation videos.
        logits: (N,) fake minus real.

    Returns:
        The fit, or the identity with the reason for it.
    """
    fakes, genuine = int((labels == 1).sum()), int((labels == 0).sum())
    if min(fakes, genuine) < MIN_VIDEOS_PER_CLASS:
        return _identity(
            f"{genuine} genuine and {fakes} fake videos are fewer than {MIN_VIDEOS_PER_CLASS} each"
        )
    spread = float(logits.std())
    if spread == 0.0:
        return _identity("all logits are the same")
    slope, intercept = _logistic(
        logits / spread, np.where(labels == 1, (fakes + 1) / (fakes + 2), 1 / (genuine + 2))
    )
    if slope <= 0.0:
        return _identity("the logits do not rise with the share of fakes")
    return PlattFit(Calibration(slope=slope / spread, intercept=intercept))


def calibrate(calibration: Calibration, logits: Floats64) -> Floats64:
    """(N,) calibrated probabilities of fake, bit for bit those that serving holds against the threshold."""
    return np.array([calibration.probability(float(logit)) for logit in logits])


def _identity(reason: str) -> PlattFit:
    return PlattFit(Calibration(), reason)


def _logistic(x: Floats64, targets: Floats64) -> tuple[float, float]:
    """Slope and intercept for targets inside (0, 1): every point counts for both classes, by its weights."""
    model = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-9, max_iter=200)
    classes = np.repeat([1, 0], len(x))
    model.fit(np.tile(x, 2)[:, None], classes, sample_weight=np.concatenate([targets, 1.0 - targets]))
    return float(model.coef_[0, 0]), float(model.intercept_[0])
