"""`artifacts/winner.json`: the winner of the comparison, as gate and export need it."""

from components.bundle import Calibration, Histogram, Interval
from components.metric_names import ENDS
from components.values import Frozen


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

    @property
    def figures(self) -> dict[str, float | None]:
        """The metrics and the ends of their intervals by name, as a table has them, but not rounded."""
        values: dict[str, float | None] = {name: metric.value for name, metric in self.metrics.items()}
        ends = {
            f"{name}_{end}": getattr(metric, end) for name, metric in self.metrics.items() for end in ENDS
        }
        return values | ends
