"""`unmask tune`: what it shows of a search."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from components.params import load_params
from components.params.tuning import Choices, Span
from components.project import Project
from components.tuning.report import header, report_folder, trials_table
from components.tuning.results import Tried, finished, line
from components.tuning.search import SearchOutcome, SearchPlan, apply, plan_search, search
from components.tuning.space import value_text
from components.tuning.work import OnTrial

SHOWN = 3
"""Trials in the table."""


def tune(project: Project, candidate: str, more: int | None, jobs: int, dry_run: bool, write: bool) -> None:
    """Searches for the settings of a candidate, and shows what was found.

    Args:
        project: the project folder.
        candidate: a key of `candidates` in params.yaml.
        more: so many trials beyond the finished ones; None is up to `tune.trials` in all.
        jobs: trials side by side.
        dry_run: only show what would be tried, and what has been.
        write: put the best settings into params.yaml.

    Raises:
        UnmaskError: a mistake in params.yaml, no clips yet, or another process that tunes the same.
    """
    planned = plan_search(project, load_params(project.params), candidate, more)
    console = Console()
    if dry_run:
        _show_plan(console, planned)
        return
    if planned.others and not planned.trials:
        console.print(
            f"A new study: settings, clips, code or space have changed since {planned.others[-1]}.",
            highlight=False,
            soft_wrap=True,
        )
    with _progress(planned, jobs) as on_trial:
        outcome = search(project, planned, on_trial, jobs)
    _show_outcome(console, project, planned, outcome)
    if write and outcome.found:
        written = apply(project, planned, outcome.trials)
        message = (
            f"{project.params}: written" if written else "the present settings are the best; nothing to write"
        )
        console.print(message)


@contextmanager
def _progress(planned: SearchPlan, jobs: int) -> Iterator[OnTrial]:
    """A line for each trial; with several side by side a bar, too. One alone has the bar of its training."""
    columns = (TextColumn("trials"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    bar = Progress(*columns, console=console, disable=jobs == 1 or not sys.stderr.isatty())
    task = bar.add_task("trials", total=planned.target, completed=len(finished(planned.trials)))

    def told(trial: Tried, trials: Sequence[Tried]) -> None:
        console.print(
            line(trial, trials, planned.tune.metric, planned.target), highlight=False, soft_wrap=True
        )
        bar.update(task, completed=len(finished(trials)))

    with bar:
        yield told


def _show_plan(console: Console, planned: SearchPlan) -> None:
    rows = Table("setting", "present", "tried")
    for key, span in planned.space.items():
        current = planned.present.get(key)
        rows.add_row(key, "outside" if key not in planned.present else value_text(current), _words(span))
    console.print(rows)
    done, tune = len(finished(planned.trials)), planned.tune
    console.print(
        f"study {planned.study}: {done} of {planned.target} trials done, up to {planned.settings.epochs} "
        f"epochs each, by validation {tune.metric}, pruner {tune.pruner.name}",
        highlight=False,
        soft_wrap=True,
    )
    if set(planned.present) != set(planned.space):
        console.print("The present settings are outside of the space, so no trial will be of them.")
    if planned.others:
        console.print(f"Cannot be gone on with: {', '.join(planned.others)}", highlight=False, soft_wrap=True)


def _show_outcome(console: Console, project: Project, planned: SearchPlan, outcome: SearchOutcome) -> None:
    metric = planned.tune.metric
    if not outcome.found:
        console.print("No trial is complete; see trials.csv. Lower optimizer.lr, or allow more trials.")
        return
    # Settings in columns would not fit a screen: each is a row, the trials are the columns.
    shown = [header(planned.space, metric), *trials_table(outcome.trials, planned.space, metric, SHOWN)]
    rows = Table(Column("trial", no_wrap=True), *[row[0] for row in shown[1:]])
    for values in list(zip(*shown, strict=True))[1:]:
        rows.add_row(*values)
    console.print(rows)
    folder = report_folder(project, planned.candidate)
    console.print(
        f"\n{(folder / 'best.yaml').read_text(encoding='utf-8')}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    console.print(
        f"{folder}: {', '.join(file.name for file in outcome.files)}", highlight=False, soft_wrap=True
    )


def _words(span: Span) -> str:
    if isinstance(span, Choices):
        return "\n".join(map(value_text, span.choices))
    return f"{span.low} to {span.high}{', log' if span.log else ''}"
