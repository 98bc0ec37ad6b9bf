"""How a search went, and what mattered in it, as pictures."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import optuna
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from optuna.importance import FanovaImportanceEvaluator, get_param_importances

from components.drawing import COLOURS, FAINT, FAKE, INK, drawn
from components.params import Metric
from components.tuning.results import NAMES, Tried, finished

MIN_TRIALS = 8
"""Complete trials with which an importance says something; of fewer it is chance."""


def importances(study: optuna.Study) -> dict[str, float]:
    """Returns the share of the differences between complete trials that each setting explains; they sum to 1.

    fANOVA (Hutter, Hoos, Leyton-Brown, 2014: https://proceedings.mlr.press/v32/hutter14.html). Empty where
    too few trials are complete, or all are equally good.
    """
    complete = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))
    if len(complete) < MIN_TRIALS or len({trial.value for trial in complete}) < 2:
        return {}
    by_key = get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=0))
    return {key: float(value) for key, value in by_key.items()}


def draw_importances(
    path: Path, shares: Mapping[str, float], trials: Sequence[Tried], metric: Metric
) -> None:
    """A bar for each setting, the weightiest on top."""
    complete = sum(trial.end == "complete" for trial in trials)
    keys = list(shares)[::-1]
    with drawn(path, 7.0, 1.4 + 0.34 * len(keys)) as figure:
        axes = figure.subplots()
        bars = axes.barh(keys, [shares[key] for key in keys], color=COLOURS[0], height=0.7)
        axes.bar_label(bars, fmt="%.2f", padding=3, color=INK)
        axes.set_xlim(0, 1.1 * max(shares.values()))
        axes.grid(False)
        axes.set_title(f"What made the difference in validation {NAMES[metric]}")
        axes.set_xlabel(f"share of the variance between {complete} complete trials (fANOVA)")


def draw_history(path: Path, trials: Sequence[Tried], metric: Metric) -> None:
    """Each trial's value in the order in which they were tried, and the best so far."""
    with drawn(path, 7.0, 4.0) as figure:
        _history(figure, finished(trials), metric)


def _history(figure: Figure, trials: Sequence[Tried], metric: Metric) -> None:
    axes = figure.subplots()
    axes.set_title("Trials in the order in which they were tried")
    axes.set_xlabel("trial")
    axes.set_ylabel(f"validation {NAMES[metric]}")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    complete = [trial for trial in trials if trial.end == "complete"]
    pruned = [trial for trial in trials if trial.end == "pruned"]
    axes.scatter(*_points(pruned), s=26, marker="x", color=FAINT, label="ended early, last epoch")
    axes.scatter(*_points(complete), s=30, color=COLOURS[0], label="complete, best epoch")
    present = [trial for trial in complete if trial.present]
    axes.scatter(*_points(present), s=90, facecolor="none", edgecolor=INK, label="the present settings")
    numbers, values = _points(complete)
    better = np.minimum if metric == "loss" else np.maximum
    best = better.accumulate([*values, values[-1]])
    axes.step([*numbers, trials[-1].number], best, where="post", color=FAKE, label="best so far")
    lost = [trial.number for trial in trials if trial.value is None]
    if lost:
        bottom = axes.get_ylim()[0]
        label = "diverged or failed"
        axes.scatter(lost, [bottom] * len(lost), s=30, marker="v", color=FAKE, clip_on=False, label=label)
    figure.legend(loc="outside lower center", ncols=3)


def _points(trials: Sequence[Tried]) -> tuple[list[int], list[float]]:
    points = [(trial.number, trial.value) for trial in trials if trial.value is not None]
    return [number for number, _ in points], [value for _, value in points]
