"""What became of the trials of a study. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from components.params import Metric
from components.tuning.study import PRESENT, taken_up

END, BEST = "end", "best"
"""Attributes of a trial: how it ended; its best epoch, counted from 1, with that epoch's metrics."""

NAMES: dict[Metric, str] = {"loss": "loss", "auc": "AUC", "f1": "F1", "accuracy": "accuracy"}


@dataclass(frozen=True)
class Tried:
    """One trial, as reports tell of it."""

    number: int
    end: str  # complete, pruned, diverged, out of memory, failed, interrupted, running or waiting
    value: float | None  # of the metric, in the best epoch; of one that was ended early, in the last
    epochs: int  # that it has trained
    best: Mapping[str, float]  # epoch, val_auc, …; empty unless complete
    seconds: float | None
    suggested: Mapping[str, Any]
    present: bool  # of the candidate's own settings


def tried(trials: Sequence[FrozenTrial]) -> list[Tried]:
    """Returns all trials of a study, by number."""
    interrupted = taken_up(trials)
    return [_tried(trial, trial.number in interrupted) for trial in trials]


def _tried(trial: FrozenTrial, interrupted: bool) -> Tried:
    end = "interrupted" if interrupted else _end(trial)
    return Tried(
        number=trial.number,
        end=end,
        value=trial.value if end in ("complete", "pruned") else None,
        epochs=len(trial.intermediate_values),
        best=trial.user_attrs.get(BEST, {}) if end == "complete" else {},
        seconds=trial.duration.total_seconds() if trial.duration else None,
        suggested=trial.params,
        present=bool(trial.user_attrs.get(PRESENT)),
    )


def _end(trial: FrozenTrial) -> str:
    state = _STATES[trial.state]
    # What it is about to be is written a moment before it is that.
    return trial.user_attrs.get(END, state) if trial.state.is_finished() else state


_STATES = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
    TrialState.RUNNING: "running",
    TrialState.WAITING: "waiting",
}


def ranked(trials: Sequence[Tried], metric: Metric) -> list[Tried]:
    """Returns the complete trials, the best first; of equally good ones the first that was tried."""
    complete = [trial for trial in trials if trial.end == "complete" and trial.value is not None]
    sign = 1 if metric == "loss" else -1
    return sorted(complete, key=lambda trial: sign * (trial.value or 0.0))


def finished(trials: Sequence[Tried]) -> list[Tried]:
    """Returns the trials that will not go on."""
    return [trial for trial in trials if trial.end not in ("interrupted", "running", "waiting")]


def line(trial: Tried, trials: Sequence[Tried], metric: Metric, target: int) -> str:
    """Returns a finished trial for people who watch."""
    done = len(finished(trials))
    value = "" if trial.value is None else f" {NAMES[metric]} {trial.value:.4f}"
    present = " (the present settings)" if trial.present else ""
    first = next(iter(ranked(trials, metric)), None)
    best = f"; best {first.value:.4f} in trial {first.number}" if first else ""
    epochs = f"{trial.epochs} epoch{'' if trial.epochs == 1 else 's'}"
    return f"{done} of {target}: trial {trial.number}{present} {trial.end} after {epochs}{value}{best}"


def caveats(trials: Sequence[Tried], metric: Metric, videos: int) -> list[str]:
    """Returns what a reader of the best figure has to know, in whole sentences.

    Args:
        trials: of the study.
        metric: by which they were compared.
        videos: that they were validated on.
    """
    first, *rest = ranked(trials, metric)
    remarks = [
        f"The best of {len(finished(trials))} trials on the same {videos} validation videos: its figure is "
        "optimistic, because it chose the settings. Test videos were not looked at; they decide once, in "
        "`unmask run`."
    ]
    ties = [trial for trial in rest if trial.value == first.value]
    if ties:
        remarks.append(
            f"{len(ties)} more trial{'s are' if len(ties) > 1 else ' is'} as good: these videos do not tell "
            "them apart, and the first one is named."
        )
    present = next((trial for trial in trials if trial.present and trial.end == "complete"), None)
    if present is None:
        remarks.append("No complete trial is of the present settings, so what was gained is not known.")
    return remarks
