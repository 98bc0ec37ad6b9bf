"""A few frames of every kind of video, on one sheet: what a person sees at once and no figure tells."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from components.drawing import FAINT, FAKE, INK, REAL, drawn
from components.ingest.statistics.bins import Row
from components.ingest.statistics.figures import shortened_name

MAX_STILLS, MAX_STRIPS, MAX_PER_STRIP = 48, 16, 6

SIDE, GREY_HEIGHT, GAP, TITLE, CAPTION = 160, 90, 14, 40, 34  # px, before the page's density
PITCH, DENSITY = SIDE + GAP, 100

StillOrReason = NDArray[np.uint8] | str
"""RGB (H, W, 3), or why there is none."""


@dataclass(frozen=True)
class StillStrip:
    """Videos of one label and method that stand for all of them."""

    label: str
    method: str
    videos: int
    shown: tuple[Row, ...]

    @property
    def title(self) -> str:
        name = "genuine" if self.method == "none" else shortened_name(self.method, 60)
        return f"{self.label}: {name}   ({self.videos:,} video{'s' * (self.videos != 1)})"


def choose_strips(rows: Sequence[Row]) -> list[StillStrip]:
    """Chooses at most `MAX_STILLS` videos that stand in a split, equally many of each label and method.

    Chance comes from the contents, so that the same data give the same sheet, and a video more changes
    little. Everyone is shown once before anyone is shown twice.
    """
    kinds: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        if row["split"] and row["label"]:
            kinds[row["label"], row["method"]].append(row)
    frequent = sorted(kinds, key=lambda kind: (-len(kinds[kind]), kind))[:MAX_STRIPS]
    places = min(MAX_PER_STRIP, MAX_STILLS // max(len(frequent), 1))
    order = sorted(frequent, key=lambda kind: (kind[0] != "real", kind))
    return [StillStrip(*kind, len(kinds[kind]), tuple(_varied(kinds[kind], places))) for kind in order]


def _varied(rows: Sequence[Row], places: int) -> list[Row]:
    """Everyone once before anyone twice; among equals, the datasets in turn."""
    seen: Counter[tuple[str, ...]] = Counter()
    ranks: dict[str, tuple[int, int]] = {}
    for row in sorted(rows, key=_lot):
        people, dataset = ("people", *(row["identities"] or ())), ("dataset", row["dataset"])
        ranks[row["video_id"]] = (seen[people], seen[dataset])
        seen.update((people, dataset))
    return sorted(rows, key=lambda row: (*ranks[row["video_id"]], _lot(row)))[:places]


def _lot(row: Row) -> str:
    return hashlib.sha256(f"contact sheet {row['sha256']} {row['video_id']}".encode()).hexdigest()


def draw_contact_sheet(
    strips: Sequence[StillStrip], pictures: Mapping[str, StillOrReason], path: Path
) -> None:
    """Draws a row of frames per strip.

    Args:
        strips: from `choose_strips`.
        pictures: by video id, of at most `SIDE` px; a video without one is a grey tile with the reason.
        path: the PNG to write.
    """
    tiles = [[pictures.get(row["video_id"], "not looked at") for row in strip.shown] for strip in strips]
    heights = [max(map(_height, row)) for row in tiles]
    width = PITCH * max(max(map(len, tiles), default=1), 4) + GAP
    height = sum(heights) + (TITLE + CAPTION) * len(strips) + TITLE
    with drawn(path, width / DENSITY, height / DENSITY) as figure:
        figure.set_layout_engine("none")
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
        axes.axis("off")
        if not strips:
            axes.text(GAP, TITLE / 2, "No labelled video stands in a split.", va="center", color=FAINT)
        top = 0
        for strip, row, deepest in zip(strips, tiles, heights, strict=True):
            colour = REAL if strip.label == "real" else FAKE
            axes.text(GAP, top + TITLE - 7, strip.title, weight="bold", color=colour)
            for place, (video, picture) in enumerate(zip(strip.shown, row, strict=True)):
                _tile(axes, video, picture, GAP + PITCH * place, top + TITLE, deepest)
            top += TITLE + deepest + CAPTION


def _height(picture: StillOrReason) -> int:
    return GREY_HEIGHT if isinstance(picture, str) else min(picture.shape[0], SIDE)


def _tile(axes: Axes, row: Row, picture: StillOrReason, left: int, top: int, deepest: int) -> None:
    """A picture at the foot of its strip, with what it is below."""
    foot, size = top + deepest, dict[str, Any](fontsize=7, color=INK)
    if isinstance(picture, str):
        grey = np.full((GREY_HEIGHT, SIDE, 3), 226, np.uint8)
        _place(axes, grey, left, foot)
        text = fill(shortened_name(picture, 130), 30)
        axes.text(left + SIDE / 2, foot - GREY_HEIGHT / 2, text, ha="center", va="center", **size)
    else:
        _place(axes, picture, left, foot)
    name = shortened_name(row["video_id"].rsplit("/", 1)[-1], 27)
    axes.text(
        left, foot + 4, f"{name}\n{shortened_name(row['dataset'], 20)}, {row['split']}", va="top", **size
    )


def _place(axes: Axes, picture: NDArray[np.uint8], left: int, foot: int) -> None:
    height, width = (min(side, SIDE) for side in picture.shape[:2])
    axes.imshow(picture, extent=(left, left + width, foot, foot - height), aspect="auto")
