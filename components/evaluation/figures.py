"""Figures that a person looks at."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from sklearn.calibration import calibration_curve
from sklearn.metrics import confusion_matrix

from components.arrays import Floats64, Ints64
from components.drawing import COLOURS, FAINT, FAKE, INK, REAL, drawn
from components.evaluation.comparison import Contender
from components.evaluation.leaderboard import format_interval
from components.evaluation.metrics import roc


def draw_roc(contenders: Sequence[Contender], confidence: float, path: Path) -> None:
    """Draws the ROC curves of all candidates on test videos; the winner, which comes first, on top."""
    with drawn(path, 5.6, 5.2) as figure:
        axes = figure.add_subplot(aspect="equal")
        axes.plot([0, 1], [0, 1], color=FAINT, linestyle=":", linewidth=1.2, label="chance")
        for place, contender in reversed(list(enumerate(contenders))):
            auc = contender.metrics["auc"].interval(confidence)
            axes.plot(
                *roc(contender.test.labels, contender.probabilities),
                color=COLOURS[place % len(COLOURS)],
                linewidth=2.6 if place == 0 else 1.6,
                label=f"{contender.name}   {format_interval(auc.value, auc.low, auc.high)}",
            )
        axes.set(title="ROC on test videos", xlabel="genuine videos called fake", ylabel="fakes found")
        axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
        handles, labels = axes.get_legend_handles_labels()
        axes.legend(
            handles[::-1],
            labels[::-1],
            loc="lower right",
            fontsize=8.5,
            title=f"AUC [{confidence:.0%} interval]",
            alignment="left",
            title_fontsize=9,
        )


def draw_confusion(name: str, labels: Ints64, called: Ints64, path: Path) -> None:
    """Counts of the winner's verdicts on test videos, shaded by their share of the actual class."""
    counts = confusion_matrix(labels, called, labels=[0, 1])
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    with drawn(path, 4.4, 4.2) as figure:
        axes = figure.add_subplot()
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for (row, column), count in np.ndenumerate(counts):
            share = shares[row, column]
            ink = "white" if share > 0.55 else INK
            axes.text(column, row - 0.05, str(count), ha="center", va="center", color=ink, fontsize=20)
            axes.text(column, row + 0.22, f"{share:.0%}", ha="center", va="center", color=ink, fontsize=9)
        axes.set(title=f"{name} on test videos", xlabel="called", ylabel="actual")
        axes.set_xticks([0, 1], ["real", "fake"])
        axes.set_yticks([0, 1], ["real", "fake"], rotation=90, va="center")
        axes.grid(visible=False)
        axes.tick_params(length=0)


def draw_scores(name: str, labels: Ints64, probabilities: Floats64, threshold: float, path: Path) -> None:
    """Draws how the winner's calibrated probabilities spread over the two classes of test videos."""
    with drawn(path, 6.4, 3.8) as figure:
        axes = figure.add_subplot()
        axes.hist(
            [probabilities[labels == 0], probabilities[labels == 1]],
            bins=np.linspace(0, 1, 21).tolist(),
            stacked=True,
            color=[REAL, FAKE],
            edgecolor="white",
            label=[f"real ({(labels == 0).sum()})", f"fake ({(labels == 1).sum()})"],
        )
        axes.axvline(threshold, color=INK, linestyle="--", linewidth=1.4, label=f"threshold {threshold:.3f}")
        axes.set(
            title=f"Scores of {name} on test videos", xlabel="calibrated probability of fake", ylabel="videos"
        )
        axes.set_xlim(0, 1)
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=3)


def draw_reliability(name: str, labels: Ints64, series: Mapping[str, Floats64], path: Path) -> None:
    """Shares of fakes against stated probability: on the diagonal, the probability is honest."""
    with drawn(path, 5.6, 5.2) as figure:
        axes = figure.add_subplot(aspect="equal")
        axes.plot([0, 1], [0, 1], color=FAINT, linestyle=":", linewidth=1.2, label="honest")
        for (label, probabilities), colour in zip(series.items(), (FAINT, REAL), strict=False):
            _reliability(axes, labels, probabilities, label, colour)
        axes.set(title=f"Reliability of {name} on test videos", xlabel="stated probability of fake")
        axes.set(ylabel="share of fakes", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
        axes.legend(loc="upper left")


def _reliability(axes: Axes, labels: Ints64, probabilities: Floats64, label: str, colour: str) -> None:
    """One line with the bins' sizes as areas; bins hold equally many videos, at least about eight."""
    bins = int(np.clip(len(labels) // 8, 2, 10))
    observed, stated = calibration_curve(labels, probabilities, n_bins=bins, strategy="quantile", pos_label=1)
    axes.plot(stated, observed, color=colour, marker="o", markersize=6, linewidth=1.8, label=label)


def draw_training(histories: Mapping[str, Path], chosen: Mapping[str, int], path: Path) -> None:
    """Draws losses and validation AUC over the epochs, a column per candidate.

    Args:
        histories: history.csv of each.
        chosen: the epoch, from 1, that gave the weights; each candidate has a metric of its own for that.
        path: of the picture.
    """
    with drawn(path, 3.6 * max(len(histories), 1), 5.2) as figure:
        grid = figure.subplots(2, max(len(histories), 1), squeeze=False, sharey="row")
        for column, (name, history) in enumerate(histories.items()):
            _training(grid[0, column], grid[1, column], _read_history(history), chosen.get(name))
            grid[0, column].set_title(name)
        grid[0, 0].set_ylabel("loss")
        grid[1, 0].set_ylabel("validation AUC")
        grid[0, 0].legend(loc="best")


def _training(losses: Axes, aucs: Axes, history: Mapping[str, Floats64], best: int | None) -> None:
    epochs = history["epoch"]
    losses.plot(epochs, history["train_loss"], color=FAINT, linewidth=1.6, label="training")
    losses.plot(epochs, history["val_loss"], color=REAL, linewidth=1.8, label="validation")
    aucs.plot(epochs, history["val_auc"], color=REAL, linewidth=1.8)
    aucs.axhline(0.5, color=FAINT, linestyle=":", linewidth=1.2)
    aucs.set(xlabel="epoch", ylim=(0.0, 1.02))
    if best is not None:
        for axes, key in ((losses, "val_loss"), (aucs, "val_auc")):
            axes.plot(best, history[key][epochs == best], marker="o", color=FAKE, ls="", label="chosen")


def _read_history(path: Path) -> dict[str, Floats64]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    columns = ("epoch", "train_loss", "val_loss", "val_auc")
    return {key: np.array([float(row[key] or "nan") for row in rows]) for key in columns}
