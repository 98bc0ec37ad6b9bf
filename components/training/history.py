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

    epoch: int  # from 0
    train_loss: float
    val_loss: float
    val_auc: float
    val_f1: float  # at a probability of one half
    lr: float  # of the epoch's last step

    @property
    def metrics(self) -> dict[str, float]:
        """All but the number."""
        values = self._asdict()
        del values["epoch"]
        return values

    def line(self, epochs: int) -> str:
        """The row for people."""
        return (
            f"epoch {self.epoch + 1}/{epochs}: train loss {self.train_loss:.3f}, "
            f"validation loss {self.val_loss:.3f}, AUC {self.val_auc:.3f}, F1 {self.val_f1:.3f}, "
            f"rate {self.lr:.1e}"
        )


def best_epoch(history: Sequence[Epoch], metric: Metric = "loss") -> Epoch:
    """The first of the epochs that are best by a metric.

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
    return max(finite, key=lambda epoch: epoch.val_auc if metric == "auc" else epoch.val_f1)


def write_history(history: Sequence[Epoch], path: Path) -> None:
    """Write history.csv; the folder is made if needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Epoch._fields)
        writer.writerows(history)
