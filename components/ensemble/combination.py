"""How much each member of an ensemble counts, from what they said about validation videos."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold

from components.arrays import Floats64, Ints64
from components.errors import TrainingError

PENALTY = 1e-2
"""On the squares of the weights, per video: without it, members that separate the videos get endless ones."""


@dataclass(frozen=True)
class Combination:
    """A sum of the members' margins, their fake logits minus their real ones."""

    weights: Floats64  # (M,)
    bias: float

    def __call__(self, margins: Floats64) -> Floats64:
        """`(…, M)` → `(…,)`."""
        summed: Floats64 = margins @ self.weights + self.bias
        return summed


def combine(how: Literal["weighted", "stacked"], margins: Floats64, labels: Ints64) -> Combination:
    """Returns the weights with the smallest log loss.

    Args:
        how: `weighted` allows no negative weight and has no bias, so that no member is ever turned round;
            `stacked` is a logistic regression (Wolpert, 1992, https://doi.org/10.1016/S0893-6080(05)80023-1).
        margins: `(N, M)` of N videos by M members.
        labels: `(N,)`, 1 is fake; both classes among them.
    """
    return _weighted(margins, labels) if how == "weighted" else _stacked(margins, labels)


def decided(faces: Sequence[Floats64]) -> Floats64:
    """`(N, M)`: of each of N videos, faces `(K, M)`, the margin of the face a member finds most forged."""
    return np.stack([video.max(axis=0) for video in faces])


def held_out(
    how: Literal["weighted", "stacked"], faces: Sequence[Floats64], labels: Ints64, groups: Ints64, folds: int
) -> Floats64:
    """Returns what an ensemble says about each video whose weights were found without that video's people.

    Its validation figures would flatter it otherwise: the other candidates have not learnt from these videos.
    As in the exported network, a video's faces are scored by the sum, and the highest sum decides.

    Args:
        how: see `combine`.
        faces: `(K, M)` of each of N videos, the members' margins of its faces.
        labels: `(N,)`.
        groups: `(N,)`, of identities.
        folds: parts that are left out in turn; fewer where a class has fewer groups.

    Returns:
        `(N,)` margins.

    Raises:
        TrainingError: without one part of the people, a class has no video.
    """
    margins, predicted = decided(faces), np.empty(len(labels))
    parts = min(folds, *(len(np.unique(groups[labels == label])) for label in (0, 1)))
    partition = list(StratifiedGroupKFold(parts).split(margins, labels, groups)) if parts > 1 else []
    if not partition or any(len(np.unique(labels[rest])) < 2 for rest, _ in partition):
        raise TrainingError(
            "ensemble: validation has too few groups of people of a class, so that its weights could not be "
            "evaluated; add people, or set ensemble.members to []"
        )
    for rest, part in partition:
        weighing = combine(how, margins[rest], labels[rest])
        predicted[part] = [weighing(faces[video]).max() for video in part]
    return predicted


def _weighted(margins: Floats64, labels: Ints64) -> Combination:
    signs = np.where(labels == 1, 1.0, -1.0)

    def loss(weights: Floats64) -> tuple[float, Floats64]:
        agreed = signs * (margins @ weights)
        slope = -(signs / (1 + np.exp(agreed))) @ margins / len(labels) + 2 * PENALTY * weights
        return float(np.logaddexp(0, -agreed).mean() + PENALTY * weights @ weights), slope

    members = margins.shape[1]
    start = np.full(members, 1 / members)
    optimum: Any = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(0, None)] * members)
    return Combination(np.asarray(optimum.x, np.float64), 0.0)


def _stacked(margins: Floats64, labels: Ints64) -> Combination:
    fitted = LogisticRegression(C=1 / (2 * PENALTY * len(labels))).fit(margins, labels)
    return Combination(fitted.coef_[0].astype(np.float64), float(fitted.intercept_[0]))
