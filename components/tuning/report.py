"""What a search leaves behind: `reports/tune/CANDIDATE/`."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import optuna
import yaml

from components.params import Metric
from components.project import Project
from components.tuning.figures import draw_history, draw_importances, importances
from components.tuning.results import NAMES, Tried, caveats, ranked
from components.tuning.space import Space, round_suggested, settings_of, value_text

REPORT_FIGURES = ("history.png", "importance.png")
MEASURED_PREFIXES = ("train_", "val_")


def report_folder(project: Project, candidate: str) -> Path:
    """Returns where a search's report stands."""
    return project.reports / "tune" / candidate


def write_study_report(
    folder: Path,
    candidate: str,
    study: optuna.Study,
    trials: Sequence[Tried],
    space: Space,
    metric: Metric,
    videos: int,
) -> list[Path]:
    """Writes trials.csv and, where a trial is complete, best.yaml and the figures.

    Returns:
        What was written. Files of an earlier search that this one has no answer to yet are removed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("best.yaml", *REPORT_FIGURES):
        (folder / name).unlink(missing_ok=True)
    _write_trials(folder / "trials.csv", trials, space)
    if not ranked(trials, metric):
        return [folder / "trials.csv"]
    text = best_yaml(candidate, trials, space, metric, videos)
    (folder / "best.yaml").write_text(text, encoding="utf-8")
    draw_history(folder / "history.png", trials, metric)
    shares = importances(study)
    if shares:
        draw_importances(folder / "importance.png", shares, trials, metric)
    return sorted(folder.iterdir())


def best_sections(candidate: str, trials: Sequence[Tried], space: Space, metric: Metric) -> dict[str, Any]:
    """What the best trial changes, as sections of params.yaml; nothing where it is the present settings'."""
    best = ranked(trials, metric)[0]
    return {} if best.present else {"candidates": {candidate: settings_of(space, best.suggested)}}


def best_yaml(candidate: str, trials: Sequence[Tried], space: Space, metric: Metric, videos: int) -> str:
    """Returns the same as text for params.yaml, with comments that say how far it can be trusted."""
    best = ranked(trials, metric)[0]
    present = next((trial for trial in trials if trial.present and trial.value is not None), None)
    against = f"; with the present settings {present.value:.4f}" if present and present is not best else ""
    remarks = [
        f"unmask tune {candidate}: trial {best.number}, validation {NAMES[metric]} {best.value:.4f} in epoch "
        f"{best.best['epoch']:.0f}{against}.",
        *caveats(trials, metric, videos),
    ]
    sections = best_sections(candidate, trials, space, metric)
    if not sections:
        return _comments([*remarks, "Nothing was better than the present settings."])
    return _comments(remarks) + yaml.dump(
        sections, Dumper=_Dumper, sort_keys=False, default_flow_style=None, width=110
    )


def trials_table(trials: Sequence[Tried], space: Space, metric: Metric, most: int) -> list[list[str]]:
    """The best trials and that of the present settings, for people; columns as `header` names them."""
    best = ranked(trials, metric)
    shown = [trial for place, trial in enumerate(best) if place < most or trial.present]
    return [
        [
            f"{trial.number}{' (present)' if trial.present else ''}",
            f"{trial.value:.4f}",
            f"{trial.best['epoch']:.0f} of {trial.epochs}",
            *(value_text(trial.suggested[key]) for key in space),
        ]
        for trial in shown
    ]


def header(space: Space, metric: Metric) -> list[str]:
    """Returns the header of `trials_table`."""
    return ["trial", f"val {NAMES[metric]}", "epoch", *space]


class _Dumper(yaml.SafeDumper):
    """Writes numbers so that YAML 1.1 takes them for numbers: 1.0e-06, not 1e-06."""


def _float(dumper: yaml.SafeDumper, value: float) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:float", _number(value))


def _number(value: float) -> str:
    digits, exponent, power = repr(value).partition("e")
    return f"{digits if '.' in digits else f'{digits}.0'}{exponent}{power}"


_Dumper.add_representer(float, _float)


def _comments(sentences: Sequence[str]) -> str:
    return "".join(f"# {sentence}\n" for sentence in sentences)


def _write_trials(path: Path, trials: Sequence[Tried], space: Space) -> None:
    measured = sorted({key for trial in trials for key in trial.best if key.startswith(MEASURED_PREFIXES)})
    columns = ["trial", "end", "value", "best_epoch", "epochs", "seconds", "present", *measured, *space]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(_row(trial, space) for trial in trials)


def _row(trial: Tried, space: Space) -> Mapping[str, Any]:
    measured = {key: value for key, value in trial.best.items() if key.startswith(MEASURED_PREFIXES)}
    return {
        "trial": trial.number,
        "end": trial.end,
        "value": trial.value,
        "best_epoch": trial.best.get("epoch"),
        "epochs": trial.epochs,
        "seconds": trial.seconds,
        "present": trial.present,
        **measured,
        **{key: round_suggested(space[key], value) for key, value in trial.suggested.items()},
    }
