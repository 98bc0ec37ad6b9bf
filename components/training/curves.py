"""A training's curve, drawn."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from components.drawing import COLOURS, FAINT, FAKE, REAL, drawn
from components.params import Metric
from components.training.history import Epoch, best_epoch


def draw_curves(name: str, history: Sequence[Epoch], metric: Metric, path: Path) -> None:
    """Losses, accuracies, scores and the rate over the epochs; the chosen epoch is marked.

    Between the accuracies of training and validation lies what was learnt by heart; it is shaded.
    """
    best = best_epoch(history, metric)
    epochs = [epoch.epoch for epoch in history]
    with drawn(path, 13.2, 3.4) as figure:
        losses, accuracies, scores, rate = figure.subplots(1, 4)
        _both(losses, epochs, [epoch.train_loss for epoch in history], [epoch.val_loss for epoch in history])
        losses.set_title(f"{name}: loss")
        learnt = [epoch.train_accuracy for epoch in history]
        validation = [epoch.val_accuracy for epoch in history]
        accuracies.fill_between(epochs, learnt, validation, color=FAINT, alpha=0.2)
        _both(accuracies, epochs, learnt, validation)
        accuracies.set(title=f"accuracy: gap {best.gap:+.2f}", ylim=(0.0, 1.02))
        scores.plot(epochs, [epoch.val_auc for epoch in history], color=REAL, marker=".", label="AUC")
        scores.plot(epochs, [epoch.val_f1 for epoch in history], color=COLOURS[1], marker=".", label="F1")
        scores.axhline(0.5, color=FAINT, linestyle=":", linewidth=1.2)
        scores.set(title="validation", ylim=(0.0, 1.02))
        rate.plot(epochs, [epoch.lr for epoch in history], color=COLOURS[2], marker=".")
        rate.set_title("learning rate")
        rate.set_ylim(bottom=0.0)
        for axes in (losses, accuracies, scores, rate):
            _mark(axes, best.epoch, metric)
        for axes in (losses, accuracies, scores):
            axes.legend(loc="best", fontsize=8.5)


def _both(axes: Axes, epochs: Sequence[int], train: Sequence[float], val: Sequence[float]) -> None:
    axes.plot(epochs, train, color=FAINT, marker=".", label="training")
    axes.plot(epochs, val, color=REAL, marker=".", label="validation")


def _mark(axes: Axes, epoch: int, metric: Metric) -> None:
    label = f"best {metric.upper() if metric in ('auc', 'f1') else metric}: epoch {epoch}"
    axes.axvline(epoch, color=FAKE, linestyle="--", linewidth=1.2, label=label)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
