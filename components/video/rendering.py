"""From a decoded frame to the picture that a player shows: upright, of square pixels, not interlaced, in SDR.

A decoder hands out what is stored. Whatever is done about it here looks at that frame alone, so a picture is
the same whatever was decoded before it.
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from av.filter import Graph
from av.sidedata.sidedata import Type as SideData
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation
from numpy.typing import NDArray

from components.arrays import Image
from components.video.container import VideoFault
from components.video.dynamic_range import is_wide, to_sdr
from components.video.limits import Limits

MOST_STRETCH = 4
"""Pixels more than so many times as wide as high, or as high as wide, are a mistake of the file."""

LEAST_STRETCH = 0.01
"""Pixels closer to squares are left as they are: encoders write such a ratio to make up for odd sizes, and to
scale by a pixel or two would blur the picture for nothing."""

UNSPECIFIED, BT2020 = 2, 9
"""Matrices by which luma and chroma become RGB, by the numbers of ITU-T H.273."""

MATRICES = frozenset({0, 1, 4, 5, 6, 7, BT2020})
"""Those that FFmpeg knows. It takes an unspecified one for BT.601, and refuses all others."""


@dataclass(frozen=True)
class Orientation:
    """How a stored picture is turned to be shown: mirrored along its main diagonal first, then flipped."""

    transposed: bool = False
    flipped_x: bool = False
    flipped_y: bool = False

    def turn(self, image: Image) -> Image:
        """Returns a stored picture (H, W, 3) as it is shown, (W, H, 3) where it is transposed."""
        turned = image.transpose(1, 0, 2) if self.transposed else image
        if self.flipped_x:
            turned = turned[:, ::-1]
        if self.flipped_y:
            turned = turned[::-1]
        return np.ascontiguousarray(turned)


def orientation(frame: VideoFrame) -> Orientation:
    """Returns what the frame's display matrix says, to the nearest of four quarter turns, mirrored or not.

    A pixel at (x, y) is shown at (a x + c y, b x + d y), but for a shift (ISO/IEC 14496-12, 8.3.2). A matrix
    that would show the picture as a line or a point is none.
    """
    a, b, c, d = _display_matrix(frame)
    if a * d == b * c:
        return Orientation()
    if abs(b) + abs(c) > abs(a) + abs(d):
        return Orientation(transposed=True, flipped_x=c < 0, flipped_y=b < 0)
    return Orientation(flipped_x=a < 0, flipped_y=d < 0)


def _display_matrix(frame: VideoFrame) -> tuple[float, float, float, float]:
    """Its coefficients a, b, c and d, of any scale."""
    try:
        side_data: Any = frame.side_data  # its type leaves out most kinds
        matrix = side_data[SideData.DISPLAYMATRIX]
    except KeyError:
        return 1.0, 0.0, 0.0, 1.0
    except ValueError:  # PyAV lists no side data where it does not know the kind of some; the angle it knows
        angle = math.radians(frame.rotation)
        return math.cos(angle), -math.sin(angle), math.sin(angle), math.cos(angle)
    a, b, _, c, d = np.frombuffer(matrix, np.int32, 5).tolist()
    return a, b, c, d


def shown_size(frame: VideoFrame, aspect: Fraction | None, limits: Limits) -> tuple[int, int]:
    """Width and height of a frame as it is shown, in square pixels; its stored height is kept.

    Args:
        frame: as it was decoded.
        aspect: of its pixels, width by height; None or 0 where the file does not tell.
        limits: hold for the size shown as for the one stored.

    Raises:
        VideoFault: too large.
    """
    width, height = round(frame.width * _stretch(aspect)) or 1, frame.height
    if width * height > limits.max_pixels:
        size = f"{width}×{height} px in square pixels"
        raise VideoFault("too_large", f"{size} a frame; the limit is {limits.max_pixels} px")
    return (height, width) if orientation(frame).transposed else (width, height)


def _stretch(aspect: Fraction | None) -> Fraction:
    if not aspect or aspect < 0:
        return Fraction(1)
    ratio = max(aspect, 1 / aspect)
    return aspect if 1 + LEAST_STRETCH <= ratio <= MOST_STRETCH else Fraction(1)


def render_frame(frame: VideoFrame, width: int, height: int) -> Image:
    """Renders a frame as it is shown, RGB (height, width, 3)."""
    turn = orientation(frame)
    size = (height, width) if turn.transposed else (width, height)
    wide = is_wide(frame)
    replace_unknown_matrix(frame)
    if frame.interlaced_frame:
        frame = _deinterlaced(frame)
    if wide:
        return turn.turn(to_sdr(_pixels(frame, "rgb48le", size), frame.color_trc))
    return turn.turn(_pixels(frame, "rgb24", size))


def replace_unknown_matrix(frame: VideoFrame) -> None:
    """Takes a matrix that FFmpeg cannot convert for an unspecified one, which it can."""
    if frame.colorspace not in MATRICES:
        frame.colorspace = BT2020 if is_wide(frame) else UNSPECIFIED


def _pixels(frame: VideoFrame, kind: str, size: tuple[int, int]) -> NDArray[Any]:
    """Returns the stored picture as RGB (H, W, 3), scaled to a size (W, H)."""
    scaled = size != (frame.width, frame.height)
    smoothing = Interpolation.BICUBIC if scaled else Interpolation.BILINEAR
    return frame.to_ndarray(format=kind, width=size[0], height=size[1], interpolation=smoothing, threads=1)


def _deinterlaced(frame: VideoFrame) -> VideoFrame:
    """Returns the picture at the time of a frame's first field, by the Weston 3 field filter (BBC R&D).

    It is given this frame only, as its neighbours need not have been decoded: of the missing lines, low
    frequencies come from the first field, and high ones from the second.
    """
    graph = Graph()
    graph.threads = 1
    source = graph.add(
        "buffer",
        f"video_size={frame.width}x{frame.height}:pix_fmt={frame.format.name}:time_base=1/1:"
        f"colorspace={frame.colorspace}:range={frame.color_range}",
    )
    graph.link_nodes(source, graph.add("w3fdif", "mode=frame"), graph.add("buffersink")).configure()
    graph.vpush(frame)
    graph.vpush(None)
    return graph.vpull()
