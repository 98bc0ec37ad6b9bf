"""A picture of what the pipeline sees in videos: sampled frames with boxes, and the crops that are scored.

Drawn with Pillow, pixel for pixel: figures of a hundred pictures take matplotlib minutes.
"""

import io
import math
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from matplotlib import get_data_path
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from components.drawing import COLOURS, FAINT, FAKE, INK
from components.errors import DataError
from components.faces.clip import Clip, Faces, Failure, Origin
from components.faces.look import Look, Sighted, shown
from flows.faces import Viewed, ranks, told

WIDTH, EDGE, GAP = 1680, 36, 8
"""Of a sheet, of its empty edge and between its pictures, px."""

TILE, SMALL_TILE, MANY = (396, 300), (194, 200), 20
"""Width and height of a frame, px, at most; and the same of more than so many frames."""

CROPS_PER_ROW, MOST_CROPS = 16, 48
MARKS = {Origin.DETECTED: "", Origin.INTERPOLATED: "between", Origin.REPEATED: "repeated"}
PAPER, DIM = "#ffffff", 0.6

Picture = Image.Image
Box = tuple[float, float, float, float]


def check_sheet(path: Path) -> None:
    """Refuse a file that cannot be written, before any video is opened.

    Raises:
        DataError: it is no .png, or its folder cannot be made.
    """
    if path.is_dir():
        raise DataError(f"--sheet {path}: is a folder; name a file")
    if path.suffix.lower() != ".png":
        raise DataError(f"--sheet {path}: unknown picture format {path.suffix!r}; use .png")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"--sheet {path}: {error.strerror}; name another folder") from error


def write_sheet(path: Path, videos: Sequence[Viewed]) -> None:
    """Draw videos one below the other.

    Raises:
        DataError: the file cannot be written.
    """
    buffer = io.BytesIO()
    stacked([block for video in videos for block in _video(video)]).save(buffer, "PNG")
    try:
        path.write_bytes(buffer.getvalue())
    except OSError as error:
        raise DataError(f"--sheet {path}: {error.strerror}; name another file") from error


def stacked(blocks: Sequence[Picture]) -> Picture:
    """Pictures of one width, one below the other."""
    sheet = Image.new("RGB", (WIDTH, sum(block.height for block in blocks) + EDGE), PAPER)
    top = 0
    for block in blocks:
        sheet.paste(block, (0, top))
        top += block.height
    return sheet


def _video(video: Viewed) -> Iterator[Picture]:
    found = video.found
    result = found if isinstance(found, Failure) else found.result
    yield _line(video.name, 26, INK, above=EDGE, bold=True)
    if isinstance(result, Failure):
        yield _line(f"{result.status}: {result.reason}", 18, FAKE)
    if isinstance(found, Look):
        yield _line(told(found), 17, FAINT)
        yield _frames(found)
        if isinstance(result, Faces):
            yield from _clips(found, result)


def _line(text: str, size: int, colour: str, above: int = 6, bold: bool = False) -> Picture:
    block = Image.new("RGB", (WIDTH, above + round(size * 1.5)), PAPER)
    draw, font = ImageDraw.Draw(block), _font(size, bold)
    line = " ".join(text.split())
    while draw.textlength(line, font) > WIDTH - 2 * EDGE:
        line = f"…{line[len(line) // 20 + 2 :]}"
    draw.text((EDGE, above), line, colour, font)
    return block


@cache
def _font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """The font of all figures, which matplotlib carries."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(get_data_path(), "fonts", "ttf", name)), size)


def _colour(rank: int) -> str:
    return COLOURS[rank % len(COLOURS)]


def _frames(look: Look) -> Picture:
    """The sampled frames in order of time, with a box around every face."""
    count, height, width = look.pictures.shape[:3]
    columns = _columns(count, width / height)
    size = _tile((WIDTH - 2 * EDGE + GAP) / columns - GAP, width / height)
    tiles = [
        _frame(look, frame, Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))
        for frame, picture in zip(shown(len(look.times)), look.pictures, strict=True)
    ]
    return _grid(tiles, columns, above=14)


def _columns(count: int, aspect: float) -> int:
    """How many pictures stand side by side, so that none is too large and the rows are about full."""
    width, height = TILE if count <= MANY else SMALL_TILE
    least = (WIDTH - 2 * EDGE + GAP) / (min(width, height * aspect) + GAP)
    rows = -(-count // math.floor(least))
    return max(-(-count // rows), math.ceil(least * 0.75))


def _tile(width: float, aspect: float) -> tuple[int, int]:
    return int(width), max(1, int(width / aspect))


def _frame(look: Look, frame: int, tile: Picture) -> Picture:
    draw = ImageDraw.Draw(tile)
    scale = np.array([tile.width / look.info.width, tile.height / look.info.height], np.float32)
    rank = ranks(look)
    here = [face for face in look.sighted if face.frame == frame]
    for face in sorted(here, key=lambda face: -rank[face.track]):  # the main face last, on top
        _face(draw, face, rank[face.track], scale, face.track in look.scored)
    for track, box in _between(look, frame):
        _dashed(draw, _scaled(box, scale), _colour(rank[track]))
    _tag(draw, (0, tile.height - 22), f"{look.times[frame]:.2f} s", INK)
    return tile


def _face(
    draw: ImageDraw.ImageDraw, face: Sighted, rank: int, scale: NDArray[np.float32], scored: bool
) -> None:
    colour = _colour(rank)
    left, top, right, bottom = _scaled(face.box, scale)
    draw.rectangle((left, top, right, bottom), outline=colour, width=3 if scored else 1)
    dot = 1 if right - left < 40 else 2
    for x, y in face.landmarks[np.isfinite(face.landmarks).all(axis=1)] * scale:
        draw.ellipse((x - dot, y - dot, x + dot, y + dot), PAPER, outline=colour if dot > 1 else None)
    _tag(draw, (left, max(0.0, top - 22)), str(rank + 1), colour)


def _scaled(box: NDArray[np.float32], scale: NDArray[np.float32]) -> Box:
    """A box in px of a tile, its corners in order; what is far away from the tile is not drawn."""
    one, other = (np.clip(corner * scale, -WIDTH, 2 * WIDTH) for corner in (box[:2], box[2:]))
    return (*map(float, np.minimum(one, other)), *map(float, np.maximum(one, other)))  # type: ignore[return-value]


def _tag(draw: ImageDraw.ImageDraw, corner: tuple[float, float], text: str, colour: str) -> None:
    """White text on a coloured patch."""
    left, top = corner
    width = draw.textlength(text, _font(14, True))
    draw.rectangle((left, top, left + width + 9, top + 21), fill=colour)
    draw.text((left + 5, top + 2), text, PAPER, _font(14, True))


def _between(look: Look, frame: int) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """The scored tracks that the detector missed in a frame, and the box that was filled in."""
    if isinstance(look.result, Faces):
        places = np.flatnonzero(look.result.times == look.times[frame])[:1]
        for track, clip in zip(look.scored, look.result.clips, strict=False):
            for place in places:
                if clip.origins[place] == Origin.INTERPOLATED:
                    yield track, clip.boxes[place]


def _dashed(draw: ImageDraw.ImageDraw, box: Box, colour: str) -> None:
    left, top, right, bottom = (round(side) for side in box)
    for x in range(left, right, 12):
        for y in (top, bottom):
            draw.line((x, y, min(x + 6, right), y), colour, 3)
    for y in range(top, bottom, 12):
        for x in (left, right):
            draw.line((x, y, x, min(y + 6, bottom)), colour, 3)


def _clips(look: Look, faces: Faces) -> Iterator[Picture]:
    """The crops of each face that is scored."""
    rank = ranks(look)
    for index, clip in enumerate(faces.clips):
        number = rank[look.scored[index]] if faces.fallback is None else None
        colour = FAINT if number is None else _colour(number)
        what = f"{len(clip.crops)} crops of {clip.crops.shape[1]} px"
        if number is None:
            what = f"middle of the frame, as no face is scored: {what}"
        else:
            what = f"face {number + 1}: {what}, {_counted(clip)}"
        yield _line(what, 17, colour, above=18, bold=True)
        chosen = np.unique(np.linspace(0, len(clip.crops) - 1, min(len(clip.crops), MOST_CROPS)).astype(int))
        tiles = [_crop(clip, place, float(faces.times[place]), colour) for place in chosen]
        yield _grid(tiles, CROPS_PER_ROW, above=4)


def _counted(clip: Clip) -> str:
    """How many crops are of which origin; the words of the marks, explained."""
    detected, between, repeated = (
        int((clip.origins == origin).sum())
        for origin in (Origin.DETECTED, Origin.INTERPOLATED, Origin.REPEATED)
    )
    parts = [f"{detected} where the face was found"]
    parts += [f"{between} between two that agree"] if between else []
    parts += [f"{repeated} repeated from the nearest frame that shows it"] if repeated else []
    return ", ".join(parts)


def _crop(clip: Clip, place: int, time: float, colour: str) -> Picture:
    side = (WIDTH - 2 * EDGE + GAP) // CROPS_PER_ROW - GAP
    origin = Origin(int(clip.origins[place]))
    crop = Image.fromarray(clip.crops[place]).resize((side, side), Image.Resampling.LANCZOS)
    if origin == Origin.REPEATED:
        crop = Image.blend(crop, Image.new("RGB", crop.size, PAPER), DIM)
    tile = Image.new("RGB", (side, side + 22), PAPER)
    tile.paste(crop)
    draw = ImageDraw.Draw(tile)
    if origin == Origin.DETECTED:
        draw.rectangle((0, 0, side - 1, side - 1), outline=colour, width=2)
    elif origin == Origin.INTERPOLATED:
        _dashed(draw, (1, 1, side - 2, side - 2), colour)
    draw.text((0, side + 3), f"{time:.2f} s", INK, _font(12))
    draw.text((side, side + 3), MARKS[origin], FAKE, _font(12), anchor="ra")
    return tile


def _grid(tiles: Sequence[Picture], columns: int, above: int) -> Picture:
    """Pictures of one size in rows."""
    width, height = (side + GAP for side in tiles[0].size)
    block = Image.new("RGB", (WIDTH, above - (-len(tiles) // columns) * height), PAPER)
    for index, tile in enumerate(tiles):
        block.paste(tile, (EDGE + index % columns * width, above + index // columns * height))
    return block
