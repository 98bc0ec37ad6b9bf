"""One small picture of a video, for a person to look at."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.video.container import VideoFault
from components.video.frames import Frame
from components.video.limits import Limits
from components.video.source import map_spread, probe

STILL_SIDE = 160
"""Of a still, px."""


@dataclass(frozen=True)
class Still:
    """The picture in the middle of a video, upright."""

    image: NDArray[np.uint8]  # (H, W, 3) RGB, the longer of H and W at most LONGEST_SIDE


def still(path: Path, limits: Limits) -> Still:
    """Takes the picture in the middle of a video.

    Raises:
        VideoFault: as `probe`, or that picture cannot be decoded.
    """
    stills = map_spread(path, probe(path, limits), 1, limits, _shrunk)
    if not stills:
        raise VideoFault("too_large", "the picture in its middle costs too much to decode")
    return Still(stills[0])


def _shrunk(frame: Frame) -> NDArray[np.uint8]:
    from PIL import Image as Picture  # noqa: PLC0415  only workers that make stills pay for it

    picture = Picture.fromarray(frame.image)
    picture.thumbnail((STILL_SIDE, STILL_SIDE))
    return np.asarray(picture)
