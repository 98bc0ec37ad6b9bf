"""A training's curve, drawn."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from components.drawing import COLOURS, FAINT, FAKE, REAL, drawn
from components.params import Metric
from components.training.history import Epoch, best_epoch


def draw_curves(name: str, history: Sequence[Epoch], metric: Metric, path: Path) -> None:
    """Losses, scores and the rate over the epochs; the chosen epoch is marked."""
    best = best_epoch(history, metric)
    epochs = [epoch.epoch + 1 for epoch in history]
    with drawn(path, 10.2, 3.4) as figure:
        losses, scores, rate = figure.subplots(1, 3)
        losses.plot(
            epochs, [epoch.train_loss for epoch in history], color=FAINT, marker=".", label="training"
        )
        losses.plot(epochs, [epoch.val_loss for epoch in history], color=REAL, marker=".", label="validation")
        losses.set_title(f"{name}: loss")
        scores.plot(epochs, [epoch.val_auc for epoch in history], color=REAL, marker=".", label="AUC")
        scores.plot(epochs, [epoch.val_f1 for epoch in history], color=COLOURS[1], marker=".", label="F1")
        scores.axhline(0.5, color=FAINT, linestyle=":", linewidth=1.2)
        scores.set(title="validation", ylim=(0.0, 1.02))
        rate.plot(epochs, [epoch.lr for epoch in history], color=COLOURS[2], marker=".")
        rate.set_title("learning rate")
        rate.set_ylim(bottom=0.0)
        for axes in (losses, scores, rate):
            _mark(axes, best.epoch + 1, metric)
        for axes in (losses, scores):
            axes.legend(loc="best", fontsize=8.5)


def _mark(axes: Axes, epoch: int, metric: Metric) -> None:
    label = f"best {metric if metric == 'loss' else metric.upper()}: epoch {epoch}"
    axes.axvline(epoch, color=FAKE, linestyle="--", linewidth=1.2, label=label)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
