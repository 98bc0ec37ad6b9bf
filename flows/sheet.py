"""A picture of what the pipeline sees in videos: sampled frames with boxes, and the crops that are scored.

Drawn with Pillow, pixel for pixel: figures of a hundred pictures take matplotlib minutes.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path

import numpy as np
from matplotlib import get_data_path
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from components.drawing import COLOURS, FAINT, FAKE, INK
from components.errors import DataError
from components.faces.clip import Clip, Faces, Failure, Origin
from components.faces.look import Look, Sighted, sampled_frames
from components.files import replacing
from flows.faces import Viewed, look_line, ranks

WIDTH, EDGE, GAP = 1680, 36, 8
"""Of a sheet, of its empty edge and between its pictures, px."""

TILE, SMALL_TILE, MANY = (396, 300), (261, 300), 20
"""Width and height of a frame, px, at most; and the same of more than so many frames."""

MOST_VIDEOS = 24
"""On a sheet: their pictures are held until it is drawn, and it grows by about a screen with each."""

CAPTION = 22
"""Height of the line below a picture, px."""

CROPS_PER_ROW, MOST_CROPS = 16, 48
MARKS = {Origin.DETECTED: "", Origin.INTERPOLATED: "between", Origin.REPEATED: "repeated"}
PAPER, DIM = "#ffffff", 0.6

Picture = Image.Image
DrawnBox = tuple[float, float, float, float]


@contextmanager
def reserved(path: Path, videos: int) -> Iterator[Path]:
    """A new file beside a sheet, which takes its place at the end; where work fails, nothing is left of it.

    Args:
        path: of the sheet.
        videos: how many it is to show.

    Raises:
        DataError: too many videos, no .png, or a place where no file can be written.
    """
    if videos > MOST_VIDEOS:
        raise DataError(
            f"--sheet: {videos} videos, at most {MOST_VIDEOS} fit; name fewer, or leave --sheet out"
        )
    with _told(path):
        folder_there = path.is_dir()
        made = [folder for folder in path.parents if not folder.exists()]
    if folder_there:
        raise DataError(f"--sheet {path}: is a folder; name a file")
    if path.suffix.lower() != ".png":
        raise DataError(f"--sheet {path}: unknown picture format {path.suffix!r}; use .png")
    try:
        with ExitStack() as stack:
            with _told(path):
                partial = stack.enter_context(replacing(path))
                partial.touch()
            yield partial
            with _told(path):
                stack.close()
    except BaseException:
        with suppress(OSError):  # others may use it
            for folder in made:
                folder.rmdir()
        raise


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(f"--sheet {path}: {error.strerror}; name another folder") from error


def write_sheet(path: Path, videos: Sequence[Viewed]) -> None:
    """Draws videos one below the other.

    Raises:
        DataError: the file cannot be written.
    """
    sheet = stacked([block for video in videos for block in _video(video)])
    with _told(path):
        sheet.save(path, "PNG")


def stacked(blocks: Sequence[Picture]) -> Picture:
    """Returns pictures of one width, one below the other."""
    sheet = Image.new("RGB", (WIDTH, sum(block.height for block in blocks) + EDGE), PAPER)
    top = 0
    for block in blocks:
        sheet.paste(block, (0, top))
        top += block.height
    return sheet


def _video(video: Viewed) -> Iterator[Picture]:
    outcome = video.found
    result = outcome if isinstance(outcome, Failure) else outcome.result
    yield _line(video.name, 26, INK, above=EDGE, bold=True)
    if isinstance(result, Failure):
        yield _line(f"{result.status}: {result.reason}", 18, FAKE)
    if isinstance(outcome, Look):
        yield _line(look_line(outcome), 17, FAINT)
        yield _frames(outcome)
        if isinstance(result, Faces):
            yield from _clips(outcome, result)


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
    """Returns the font of all figures, which matplotlib carries."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(get_data_path(), "fonts", "ttf", name)), size)


def _colour(rank: int) -> str:
    return COLOURS[rank % len(COLOURS)]


def _frames(look: Look) -> Picture:
    """Returns the sampled frames in order of time, with a box around every face."""
    count, height, width = look.pictures.shape[:3]
    columns = _columns(count, width / height)
    size = _tile((WIDTH - 2 * EDGE + GAP) / columns - GAP, width / height)
    tiles = [
        _frame(look, frame, Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))
        for frame, picture in zip(sampled_frames(len(look.times)), look.pictures, strict=True)
    ]
    return _grid(tiles, columns, above=14)


def _columns(count: int, aspect: float) -> int:
    """Returns how many pictures stand side by side, so that none is too large and the rows are about full."""
    width, height = TILE if count <= MANY else SMALL_TILE
    least = (WIDTH - 2 * EDGE + GAP) / (min(width, height * aspect) + GAP)
    rows = -(-count // math.floor(least))
    return max(-(-count // rows), math.ceil(least * 0.75))


def _tile(width: float, aspect: float) -> tuple[int, int]:
    return int(width), max(1, int(width / aspect))


def _frame(look: Look, frame: int, picture: Picture) -> Picture:
    """Returns a sampled frame with its boxes, and its time below it."""
    draw = ImageDraw.Draw(picture)
    scale = np.array([picture.width / look.info.width, picture.height / look.info.height], np.float32)
    rank = ranks(look)
    here = [face for face in look.sighted if face.frame == frame]
    for face in sorted(here, key=lambda face: -rank[face.track]):  # the main face last, on top
        _face(picture, face, rank[face.track], scale, face.track in look.scored)
    for track, box in _between(look, frame):
        _dashed(draw, _scaled(box, scale), _colour(rank[track]))
    tile = Image.new("RGB", (picture.width, picture.height + CAPTION), PAPER)
    tile.paste(picture)
    ImageDraw.Draw(tile).text((0, picture.height + 3), f"{look.times[frame]:.2f} s", INK, _font(13))
    return tile


def _face(picture: Picture, face: Sighted, rank: int, scale: NDArray[np.float32], scored: bool) -> None:
    colour, draw = _colour(rank), ImageDraw.Draw(picture)
    large = picture.width > SMALL_TILE[0] * 1.2
    box = _scaled(face.box, scale)
    draw.rectangle(box, outline=colour, width=(3 if large else 2) if scored else 1)
    dot = 1 if box[2] - box[0] < 100 else 2
    for x, y in face.landmarks[np.isfinite(face.landmarks).all(axis=1)] * scale:
        draw.ellipse((x - dot, y - dot, x + dot, y + dot), PAPER, outline=colour if dot > 1 else None)
    _tag(picture, box, str(rank + 1), colour, 14 if large else 10)


def _scaled(box: NDArray[np.float32], scale: NDArray[np.float32]) -> DrawnBox:
    """Returns a box in px of a tile, its corners in order; what is far away from the tile is not drawn."""
    first, second = (np.clip(corner * scale, -WIDTH, 2 * WIDTH) for corner in (box[:2], box[2:]))
    return (*map(float, np.minimum(first, second)), *map(float, np.maximum(first, second)))  # type: ignore[return-value]


def _tag(picture: Picture, box: DrawnBox, text: str, colour: str, size: int) -> None:
    """White text on a coloured patch: above a box, else below or beside it, else in its corner."""
    draw, font = ImageDraw.Draw(picture), _font(size, True)
    width, height = draw.textlength(text, font) + size * 0.6, size * 1.4
    left, top, right, bottom = box
    places = [(left, top - height), (left, bottom), (left - width, top), (right, top)]
    fitting = (
        (x, y) for x, y in places if 0 <= x <= picture.width - width and 0 <= y <= picture.height - height
    )
    x, y = next(fitting, (max(0.0, left), max(0.0, top)))
    draw.rectangle((x, y, x + width, y + height), fill=colour)
    draw.text((x + width / 2, y + height / 2), text, PAPER, font, anchor="mm")


def _between(look: Look, frame: int) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Yields the scored tracks that the detector missed in a frame, and the box that was filled in."""
    if isinstance(look.result, Faces):
        places = np.flatnonzero(look.result.times == look.times[frame])[:1]
        for track, clip in zip(look.scored, look.result.clips, strict=False):
            for place in places:
                if clip.origins[place] == Origin.INTERPOLATED:
                    yield track, clip.boxes[place]


def _dashed(draw: ImageDraw.ImageDraw, box: DrawnBox, colour: str) -> None:
    left, top, right, bottom = (round(side) for side in box)
    for x in range(left, right, 12):
        for y in (top, bottom):
            draw.line((x, y, min(x + 6, right), y), colour, 3)
    for y in range(top, bottom, 12):
        for x in (left, right):
            draw.line((x, y, x, min(y + 6, bottom)), colour, 3)


def _clips(look: Look, faces: Faces) -> Iterator[Picture]:
    """Yields the crops of each face that is scored."""
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
    """Returns how many crops are of which origin; the words of the marks, explained."""
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
    tile = Image.new("RGB", (side, side + CAPTION), PAPER)
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
    """Returns pictures of one size in rows."""
    width, height = (side + GAP for side in tiles[0].size)
    block = Image.new("RGB", (WIDTH, above - (-len(tiles) // columns) * height), PAPER)
    for index, tile in enumerate(tiles):
        block.paste(tile, (EDGE + index % columns * width, above + index // columns * height))
    return block
