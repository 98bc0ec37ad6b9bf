"""The look that all figures share. Drawn without pyplot: no global state, no display."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

REAL, FAKE, INK, FAINT = "#2a6f97", "#c8553d", "#22303c", "#8d99a6"
COLOURS = ("#2a6f97", "#e09f3e", "#7b5ea7", "#3a8f6b", "#c8553d", "#5c6b73")

STYLE: dict[Any, Any] = {
    "figure.dpi": 144,
    "figure.constrained_layout.use": True,
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e6eaee",
    "text.color": INK,
    "text.parse_math": False,  # names from the data may hold a "$"
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
}


@contextmanager
def drawn(path: Path, width: float, height: float) -> Iterator[Figure]:
    """Yields a styled figure that is saved, without a date or a version in it, when the block ends.

    Args:
        path: the PNG; its folder is made.
        width: inches.
        height: inches.
    """
    with mpl.rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a name in another script shows boxes
        figure = Figure(figsize=(width, height))
        yield figure
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, metadata={"Software": None})
