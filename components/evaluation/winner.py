"""`artifacts/winner.json`: the winner of the comparison, as gate and export need it."""

from components.bundle import Calibration, Histogram, Interval
from components.video.limits import Frozen


class Winner(Frozen):
    """All that export needs beside the candidate's folder.

    `metrics` are of test videos, `coverage` among them; one that is not defined is absent. `scores` are the
    calibrated probabilities of test videos, a reference for drift.
    """

    candidate: str
    threshold: float
    calibration: Calibration
    metrics: dict[str, Interval]
    scores: Histogram
