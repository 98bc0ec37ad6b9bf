"""The probability from which a video is called fake, chosen on validation videos only."""

import numpy as np

from components.arrays import Floats64, Ints64


def youden_threshold(labels: Ints64, probabilities: Floats64) -> float:
    """The threshold with the greatest J = sensitivity + specificity − 1 (Youden, 1950, Cancer 3:32-35).

    J, unlike F1, does not lean on the share of fakes, which is another in the wild than in any dataset.
    Only thresholds midway between neighbouring probabilities are tried, so that the choice keeps the same
    distance from both classes. Ties go to the widest gap, then to the one nearest 0.5, then to the lower.

    Args:
        labels: (N,) 1 is fake, 0 is genuine.
        probabilities: (N,) of fake, calibrated.

    Returns:
        A threshold in [0, 1]; 0.5 where one class is absent or all probabilities are the same.
    """
    levels = np.unique(probabilities)
    if len(np.unique(labels)) < 2 or len(levels) < 2:
        return 0.5
    gaps = np.diff(levels)
    # Between two neighbouring floats there is no middle: then the upper one still parts them.
    cuts = np.maximum(levels[:-1] + gaps / 2, np.nextafter(levels[:-1], 1.0))
    scores = _sensitivity(labels, probabilities, cuts) + _specificity(labels, probabilities, cuts)
    # Rounded, so that a tie is a tie whatever way its terms were rounded; the last key weighs most.
    best = np.lexsort([cuts, *(np.round(key, 12) for key in (np.abs(cuts - 0.5), -gaps, -scores))])[0]
    return float(cuts[best])


def _sensitivity(labels: Ints64, probabilities: Floats64, cuts: Floats64) -> Floats64:
    fakes = np.sort(probabilities[labels == 1])
    return 1.0 - np.searchsorted(fakes, cuts, side="left") / len(fakes)


def _specificity(labels: Ints64, probabilities: Floats64, cuts: Floats64) -> Floats64:
    genuine = np.sort(probabilities[labels == 0])
    share: Floats64 = np.searchsorted(genuine, cuts, side="left") / len(genuine)
    return share
