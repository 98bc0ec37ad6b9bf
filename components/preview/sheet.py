"""A sheet of pictures in strips, each pixel as it is: what JPEG or noise did would be lost in resampling."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill
from typing import Any

import cv2
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from components.drawing import FAINT, FAKE, INK, REAL, drawn
from components.errors import DataError

DENSITY = 144
"""Of all figures, px per inch."""

LEAST_SIDE, MOST_SIDE = 112, 256
"""Of a picture on the sheet, px: smaller ones are shown larger, by a whole number; larger ones are shrunk."""

EDGE, GAP = 32, 8
"""Of the sheet's empty rim, and between pictures, px."""

HEADING, TITLE, SMALL, CAPTION = 12, 9, 7, 6
"""Sizes of type, points."""

Pictures = NDArray[np.uint8]


@dataclass(frozen=True)
class Strip:
    """Columns of pictures side by side, such as the frames of one clip in several draws."""

    title: str  # none: it goes on from the strip above
    forged: bool | None  # which decides the title's colour
    captions: Sequence[str]  # one for each column
    columns: Sequence[Pictures]  # each uint8 (R, S, S, 3) RGB; R and S may differ

    @property
    def rows(self) -> int:
        return max(len(column) for column in self.columns)


def check_suffix(path: Path) -> None:
    """Refuses a `path` to which no sheet can be written.

    Raises:
        DataError: it is a folder, or no .png.
    """
    if path.is_dir():
        raise DataError(f"--out {path}: is a folder; name a file")
    if path.suffix.lower() != ".png":
        raise DataError(f"--out {path}: unknown picture format {path.suffix!r}; use .png")


def draw_sheet(strips: Sequence[Strip], title: str, below: str, path: Path) -> None:
    """Draws strips one below the other, under a title and a line of small print.

    Raises:
        DataError: the file cannot be written.
    """
    side = _side(max(column.shape[1] for strip in strips for column in strip.columns))
    width = 2 * EDGE + max(len(strip.columns) for strip in strips) * (side + GAP) - GAP
    small = fill(below, width // 8)
    tops = (
        np.cumsum([_line(HEADING) + _height(small, SMALL), *(_depth(strip, side) for strip in strips)]) + EDGE
    )
    paper = np.full((int(tops[-1]) + EDGE, width, 3), 255, np.uint8)
    try:
        with drawn(path, width / DENSITY, len(paper) / DENSITY) as figure:
            figure.set_layout_engine("none")
            _write(figure, EDGE, EDGE, title, HEADING, INK, bold=True)
            _write(figure, EDGE, EDGE + _line(HEADING), small, SMALL, FAINT)
            for strip, top in zip(strips, tops[:-1].tolist(), strict=True):
                _draw_strip(figure, paper, strip, side, top)
            figure.figimage(paper, origin="upper")
    except OSError as error:
        raise DataError(f"--out {path}: {error.strerror}; name another folder") from error


def _side(stored: int) -> int:
    """Returns the side of a picture on the sheet, px."""
    return min(MOST_SIDE, stored * max(1, -(-LEAST_SIDE // stored)))


def _line(size: int) -> int:
    """Returns the distance from one line of type to the next, px."""
    return round(size * DENSITY / 72 * 1.4)


def _height(text: str, size: int) -> int:
    return _line(size) * len(text.splitlines())


def _head(strip: Strip) -> tuple[int, int]:
    """Heights of a strip's title with the space above it, and of its captions, px."""
    captions = max(_height(caption, CAPTION) for caption in strip.captions)
    return (_line(TITLE) + 2 * GAP if strip.title else GAP), captions


def _depth(strip: Strip, side: int) -> int:
    return sum(_head(strip)) + strip.rows * (side + GAP)


def _draw_strip(figure: Figure, paper: Pictures, strip: Strip, side: int, top: int) -> None:
    title, captions = _head(strip)
    colour = INK if strip.forged is None else FAKE if strip.forged else REAL
    _write(figure, EDGE, top + 2 * GAP, strip.title, TITLE, colour, bold=True)
    for place, (caption, column) in enumerate(zip(strip.captions, strip.columns, strict=True)):
        left = EDGE + place * (side + GAP)
        _write(figure, left, top + title, caption, CAPTION, INK)
        for row, picture in enumerate(column):
            above = top + title + captions + row * (side + GAP)
            paper[above : above + side, left : left + side] = _scaled(picture, side)


def _scaled(picture: Pictures, side: int) -> Pictures:
    """Returns a picture at the size of the sheet; where that is a multiple of its own, pixel for pixel."""
    size = len(picture)
    how = cv2.INTER_NEAREST if side % size == 0 else cv2.INTER_AREA if side < size else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (side, side), interpolation=how), np.uint8)


def _write(
    figure: Figure, left: int, top: int, text: str, size: int, colour: str, bold: bool = False
) -> None:
    """Lines of text whose upper left corner is at a pixel of the sheet."""
    width, height = figure.get_size_inches() * DENSITY
    style: dict[str, Any] = {"size": size, "color": colour, "weight": "bold" if bold else "normal"}
    for number, line in enumerate(text.splitlines()):
        foot = top + number * _line(size) + size * DENSITY / 72
        figure.text(left / width, 1 - foot / height, line, **style)
