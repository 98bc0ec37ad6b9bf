"""Figures of what the data are."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter, StrMethodFormatter

from components.arrays import Floats64
from components.datasets.layouts.base import LABELS, SPLITS
from components.drawing import COLOURS, FAINT, FAKE, INK, REAL, drawn
from components.ingest.statistics.bins import UNITS, FileProperty
from components.ingest.statistics.results import FormatStatistics, LabelCounts, Statistics

SPLIT_NAMES = {"train": "training", "val": "validation", "test": "test"}
BAR, GAP = 0.32, 1.5  # inches: of a bar with its surroundings, of title and axis
MAX_BARS = 40


def draw_balance(statistics: Statistics, path: Path) -> None:
    """Draws real against fake: a bar per split, and per split of each dataset where there are several."""
    every = list(_balance_bars(statistics))
    bars = every[:MAX_BARS]
    with drawn(path, 8.2, GAP + BAR * len(bars)) as figure:
        axes = figure.add_subplot()
        places = np.arange(len(bars))
        reals = np.array([held.real / max(held.real + held.fake, 1) for _, held in bars])
        fakes = np.array([held.fake / max(held.real + held.fake, 1) for _, held in bars])
        axes.barh(places, reals, color=REAL, height=0.72, label="real")
        axes.barh(places, fakes, left=reals, color=FAKE, height=0.72, label="fake")
        axes.set_yticks(places, [name for name, _ in bars])
        _write_beside(axes, [_counts(held) for _, held in bars], np.ones(len(bars)))
        axes.set(
            title=_title("Real and fake by split", len(every)), xlim=(0, 1), xlabel="share of labelled videos"
        )
        axes.xaxis.set_major_formatter(PercentFormatter(1.0))
        _finish_bars(axes, columns=2)


def _balance_bars(statistics: Statistics) -> Iterator[tuple[str, LabelCounts]]:
    """Yields the splits; then each dataset's own, if there are several datasets."""
    several = len(statistics.cells) > 1
    for split, held in statistics.splits.items():
        yield f"all, {SPLIT_NAMES[split]}" if several else SPLIT_NAMES[split], held
    if several:
        for dataset, splits in statistics.cells.items():
            for split, held in splits.items():
                yield f"{shortened_name(dataset)}, {SPLIT_NAMES[split]}", held


def _counts(held: LabelCounts) -> str:
    share = held.fake_share
    text = "no labelled videos" if share is None else f"{held.real:,} real, {held.fake:,} fake ({share:.0%})"
    return text if held.real and held.fake else f"{text}  – one class only" if share is not None else text


def draw_methods(statistics: Statistics, path: Path) -> None:
    """Draws the videos by method, with the splits side by side in one bar."""
    methods = statistics.methods[:MAX_BARS]
    with drawn(path, 8.2, GAP + BAR * len(methods)) as figure:
        axes = figure.add_subplot()
        places, done = np.arange(len(methods)), np.zeros(len(methods))
        for split, colour in zip(SPLITS, (COLOURS[5], COLOURS[1], COLOURS[2]), strict=True):
            videos = np.array([getattr(method, split) for method in methods], dtype=float)
            axes.barh(places, videos, left=done, color=colour, height=0.72, label=SPLIT_NAMES[split])
            done += videos
        names = [
            "genuine"
            if method.label == "real" and method.method == "none"
            else f"{method.label}: {shortened_name(method.method)}"
            for method in methods
        ]
        axes.set_yticks(places, names)
        longest = max(float(done.max(initial=0)), 1.0)
        _write_beside(axes, [f"{method.videos:,}" for method in methods], done / longest)
        axes.set(
            title=_title("Videos by method", len(statistics.methods)), xlabel="videos", xlim=(0, longest)
        )
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        _finish_bars(axes, columns=3)


def _title(title: str, bars: int) -> str:
    return title if bars <= MAX_BARS else f"{title} (the first {MAX_BARS} of {bars})"


def _write_beside(axes: Axes, texts: Sequence[str], ends: Floats64) -> None:
    """A text at the end of each bar; `ends` are shares of the axes' width."""
    for place, (text, end) in enumerate(zip(texts, ends, strict=True)):
        axes.annotate(
            text, (float(end), place), xycoords=("axes fraction", "data"), xytext=(6, 0),
            textcoords="offset points", va="center", fontsize=8.5, color=INK,
        )  # fmt: skip


def _finish_bars(axes: Axes, columns: int) -> None:
    axes.margins(y=0.01)
    axes.invert_yaxis()  # first bar on top
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=columns, borderaxespad=0.2)


def draw_formats(statistics: Statistics, path: Path) -> None:
    """Draws how the files of both classes differ: what a detector could learn in place of faces."""
    with drawn(path, 11.6, 7.2) as figure:
        grid = list(figure.subplots(2, 3).flat)
        for axes, (name, details) in zip(grid, statistics.formats.items(), strict=False):
            _histogram(axes, name, details)
        key = grid[-1]
        key.axis("off")
        handles, names = grid[0].get_legend_handles_labels()
        key.legend(handles, names, loc="upper left", fontsize=10)
        key.text(0.03, 0.74, LEGEND_NOTE, transform=key.transAxes, va="top", fontsize=9, linespacing=1.5)


LEGEND_NOTE = """Bars of one colour sum to 100 %: classes compare
however many more fakes there are.

“Alone”: how often one property of the file, without
a look at any face, tells real from fake. The rule is
learnt on training videos and held against all others,
both classes weighing the same. 50 % is chance; far
above it, a detector may learn the file format
in place of the forgery."""


def _histogram(axes: Axes, name: FileProperty, details: FormatStatistics) -> None:
    places = np.arange(len(details.bins))
    for label, offset, colour in zip(LABELS, (-0.2, 0.2), (REAL, FAKE), strict=True):
        videos = np.array([getattr(place, label) for place in details.bins], dtype=float)
        axes.bar(places + offset, videos / max(videos.sum(), 1), width=0.4, color=colour, label=label)
    axes.set_xticks(
        places, [shortened_name(place.bin, 12) for place in details.bins], rotation=35, ha="right"
    )
    axes.tick_params(axis="x", length=0, labelsize=8.5)
    room = max(4 - len(places), 0) / 2  # a single bin is no wall of colour
    axes.set_xlim(-0.6 - room, len(places) - 0.4 + room)
    axes.set(xlabel="px, shorter side" if name == "resolution" else UNITS[name], ylabel="share of the class")
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.grid(visible=False, axis="x")
    axes.set_title(_titles(name))
    axes.set_title(_alone(details), loc="right", fontsize=9, fontweight="normal", color=FAINT)


def _titles(name: FileProperty) -> str:
    return {"fps": "Frame rate", "bitrate": "Bit rate"}.get(name, name.capitalize())


def _alone(details: FormatStatistics) -> str:
    if details.shortcut is None:
        return ""
    return f"alone: {details.shortcut.accuracy:.0%} ± {details.shortcut.margin:.0%}"


def shortened_name(name: str, limit: int = 28) -> str:
    """Returns a name with its middle left out, where it is too long for its place."""
    half = (limit - 1) // 2
    return name if len(name) <= limit else f"{name[:half]}…{name[-half:]}"
