"""One picture as a viewer shows it, opened by Pillow.

Pillow knows what FFmpeg leaves to viewers: Exif's orientation, CMYK, transparency and 16 bits.
"""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from components.video.container import VideoFault
from components.video.limits import Limits

if TYPE_CHECKING:
    from PIL.Image import Image as Picture
    from PIL.Image import Transpose

PICTURE_FORMATS = ("JPEG", "PNG", "BMP", "WEBP")
"""Those that Pillow may recognise."""

CODECS = {"JPEG": "mjpeg", "MPO": "mjpeg", "PNG": "png", "BMP": "bmp", "WEBP": "webp"}
"""What FFmpeg calls them; MPO is what Pillow makes of a JPEG that holds further views."""

BACKGROUND = (255, 255, 255, 255)
"""What shows through a picture's transparent parts."""

ORIENTATION = 0x0112
"""Exif's tag."""


def read_picture(path: Path, limits: Limits) -> tuple["Picture", str]:
    """Returns a picture as a viewer shows it, in RGB, and its codec.

    Nothing is decoded before its dimensions have passed.

    Raises:
        VideoFault: it is no picture, is damaged, moves, or breaks a limit.
        MemoryError: the worker's limit stands in the way of decoding.
    """
    from PIL import Image as Pillow  # noqa: PLC0415  workers that see only videos do not pay for it
    from PIL import UnidentifiedImageError  # noqa: PLC0415

    try:
        with Pillow.open(path, formats=PICTURE_FORMATS) as picture:
            _check_header(picture, limits)
            return _as_rgb(picture), CODECS[str(picture.format)]
    except (MemoryError, VideoFault):
        raise
    except Pillow.DecompressionBombError as error:
        raise VideoFault("too_large", f"a picture beyond the limit of {limits.max_pixels} px") from error
    except UnidentifiedImageError as error:
        raise VideoFault(
            "undecodable", "not a picture, whatever its name says; accepted are jpg, png, bmp and webp"
        ) from error
    except Exception as error:  # decoders of damaged files raise all there is
        if isinstance(error, OSError) and error.strerror:  # the system's; Pillow's own have none
            raise VideoFault("undecodable", f"cannot be read: {error.strerror}") from error
        raise VideoFault("undecodable", "the picture is cut short or damaged") from error


def _check_header(picture: "Picture", limits: Limits) -> None:
    if picture.width * picture.height > limits.max_pixels:
        size = f"{picture.width}×{picture.height} px"
        raise VideoFault("too_large", f"{size}; the limit is {limits.max_pixels} px")
    if picture.format != "MPO" and getattr(picture, "is_animated", False):
        raise VideoFault("undecodable", "the picture moves; make a video (mp4) of it")


def _as_rgb(picture: "Picture") -> "Picture":
    from PIL import Image as Pillow  # noqa: PLC0415

    turn = _turn(picture)
    if picture.mode.startswith("I"):  # 16 bits of grey, which Pillow would cut off at 255
        picture = Pillow.fromarray((np.asarray(picture).clip(0, 65535) >> 8).astype(np.uint8))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        picture = Pillow.alpha_composite(Pillow.new("RGBA", picture.size, BACKGROUND), picture)
    picture = picture.convert("RGB")
    return picture if turn is None else picture.transpose(turn)


def _turn(picture: "Picture") -> "Transpose | None":
    """Returns what brings a picture upright, if anything.

    Pillow's own `exif_transpose` also writes Exif anew, and fails where there is something odd in it.
    """
    from PIL.Image import Transpose  # noqa: PLC0415

    turns = (
        *(None, None, Transpose.FLIP_LEFT_RIGHT, Transpose.ROTATE_180, Transpose.FLIP_TOP_BOTTOM),
        *(Transpose.TRANSPOSE, Transpose.ROTATE_270, Transpose.TRANSVERSE, Transpose.ROTATE_90),
    )
    with suppress(Exception):  # a picture is shown although its Exif is damaged
        return turns[picture.getexif().get(ORIENTATION, 1)]
    return None
