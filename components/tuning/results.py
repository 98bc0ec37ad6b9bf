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
    """All trials of a study, by number."""
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
    """The complete trials, the best first; of equally good ones the first that was tried."""
    complete = [one for one in trials if one.end == "complete" and one.value is not None]
    sign = 1 if metric == "loss" else -1
    return sorted(complete, key=lambda one: sign * (one.value or 0.0))


def finished(trials: Sequence[Tried]) -> list[Tried]:
    """Those that will not go on."""
    return [one for one in trials if one.end not in ("interrupted", "running", "waiting")]


def line(one: Tried, trials: Sequence[Tried], metric: Metric, target: int) -> str:
    """A finished trial for people who watch."""
    done = len(finished(trials))
    value = "" if one.value is None else f" {NAMES[metric]} {one.value:.4f}"
    own = " (the present settings)" if one.present else ""
    first = next(iter(ranked(trials, metric)), None)
    best = f"; best {first.value:.4f} in trial {first.number}" if first else ""
    epochs = f"{one.epochs} epoch{'' if one.epochs == 1 else 's'}"
    return f"{done} of {target}: trial {one.number}{own} {one.end} after {epochs}{value}{best}"


def caveats(trials: Sequence[Tried], metric: Metric, videos: int) -> list[str]:
    """What a reader of the best figure has to know, in whole sentences.

    Args:
        trials: of the study.
        metric: by which they were compared.
        videos: that they were validated on.
    """
    first, *rest = ranked(trials, metric)
    told = [
        f"The best of {len(finished(trials))} trials on the same {videos} validation videos: its figure is "
        "optimistic, because it chose the settings. Test videos were not looked at; they decide once, in "
        "`unmask run`."
    ]
    ties = [one for one in rest if one.value == first.value]
    if ties:
        told.append(
            f"{len(ties)} more trial{'s are' if len(ties) > 1 else ' is'} as good: these videos do not tell "
            "them apart, and the first one is named."
        )
    own = next((one for one in trials if one.present and one.end == "complete"), None)
    if own is None:
        told.append("No complete trial is of the present settings, so what was gained is not known.")
    return told
