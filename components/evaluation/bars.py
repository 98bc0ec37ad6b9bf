"""Bars with intervals: the candidates side by side, and the winner's false alarms by slice."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes

from components.bundle import Interval
from components.drawing import FAINT, FAKE, INK, REAL, drawn
from components.evaluation.results import WITH_INTERVAL, CandidateResult, Evaluation
from components.metric_names import title

BAR = 0.34
"""Inches of height that a bar takes."""


def draw_candidates(evaluation: Evaluation, path: Path) -> None:
    """Draws AUC, F1 and accuracy of all candidates on test videos, the winner on top and in colour."""
    names = list(evaluation.candidates)
    with drawn(path, 10.0, 1.2 + BAR * len(names)) as figure:
        for axes, metric in zip(figure.subplots(1, 3, sharey=True), WITH_INTERVAL, strict=True):
            intervals = [_interval(result, metric) for result in evaluation.candidates.values()]
            colours = [REAL if name == evaluation.winner else FAINT for name in names]
            _bars(axes, names, intervals, colours)
            axes.set(xlim=(0.0, 1.0), xlabel=f"{title(metric)}, test videos")


def _interval(result: CandidateResult, metric: str) -> Interval | None:
    value, low, high = (result.test.get(f"{metric}{end}") for end in ("", "_low", "_high"))
    return None if value is None else Interval(value=value, low=low, high=high)


def draw_slices(evaluation: Evaluation, path: Path) -> None:
    """Draws the winner's rate of false alarms in each slice with enough genuine test videos."""
    shown = [part for part in evaluation.slices if part.false_alarm_rate]
    with drawn(path, 6.4, 1.4 + BAR * max(len(shown), 1)) as figure:
        axes = figure.add_subplot()
        names = [f"{part.property}, {part.span} ({part.genuine})" for part in shown]
        _bars(axes, names, [part.false_alarm_rate for part in shown], [FAKE] * len(shown))
        axes.set(xlim=(0.0, 1.0), xlabel="genuine test videos called fake (how many there are)")
        axes.set_title(f"False alarms of {evaluation.winner}" if shown else "Too few genuine test videos")


def _bars(
    axes: Axes, names: Sequence[str], intervals: Sequence[Interval | None], colours: Sequence[str]
) -> None:
    """Draws horizontal bars from the top down; nothing stands where a figure is not defined."""
    axes.barh(names, [interval.value if interval else 0.0 for interval in intervals], 0.62, color=colours)
    for place, interval in enumerate(intervals):
        if interval is None or interval.low is None or interval.high is None:
            continue
        axes.plot(
            [interval.low, interval.high], [place, place], color=INK, linewidth=1.6, marker="|", markersize=7
        )
    axes.grid(visible=False, axis="y")
    axes.set_ylim(len(names) - 0.5, -0.5)
