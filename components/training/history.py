"""A training's curve: one row an epoch."""

import csv
import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from components.errors import TrainingError
from components.params import Metric


class Epoch(NamedTuple):
    """One row of history.csv."""

    epoch: int  # from 1
    train_loss: float
    val_loss: float
    train_accuracy: float  # at a probability of one half, of what was drawn and augmented, as it was learnt
    val_accuracy: float  # at a probability of one half, as is val_f1
    val_auc: float
    val_f1: float
    lr: float  # of the epoch's last step

    @property
    def gap(self) -> float:
        """The accuracy in training less that in validation, which shows how much a network overfits."""
        return self.train_accuracy - self.val_accuracy

    @property
    def metrics(self) -> dict[str, float]:
        """All but the number."""
        values = self._asdict()
        del values["epoch"]
        return values

    def line(self, epochs: int) -> str:
        """Returns the row for people."""
        return (
            f"epoch {self.epoch}/{epochs}: train loss {self.train_loss:.3f}, "
            f"accuracy {self.train_accuracy:.3f}, validation loss {self.val_loss:.3f}, "
            f"accuracy {self.val_accuracy:.3f}, AUC {self.val_auc:.3f}, F1 {self.val_f1:.3f}, "
            f"rate {self.lr:.1e}"
        )


MEASURED = tuple(name for name in Epoch._fields if name not in ("epoch", "lr"))
"""What is measured of the network, by the names under which it is logged."""


def best_epoch(history: Sequence[Epoch], metric: Metric = "loss") -> Epoch:
    """Returns the first of the epochs that are best by a metric.

    Raises:
        TrainingError: no epoch has a finite validation loss.
    """
    finite = [epoch for epoch in history if math.isfinite(epoch.val_loss)]
    if not finite:
        raise TrainingError(
            f"training diverged: validation loss {history[-1].val_loss} after epoch {len(history)}; "
            "lower this candidate's optimizer.lr in params.yaml"
        )
    if metric == "loss":
        return min(finite, key=lambda epoch: epoch.val_loss)
    return max(finite, key=lambda epoch: float(epoch.metrics[f"val_{metric}"]))


def write_history(history: Sequence[Epoch], path: Path) -> None:
    """Writes history.csv; the folder is made if needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Epoch._fields)
        writer.writerows(history)
