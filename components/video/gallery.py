"""The different pictures among those that are taken of a video.

Pictures are compared as 64 × 64 grey means, by the largest difference of one of them. One that is held is
seldom bit for bit the same: it is refined, and each keyframe begins it anew.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from components.video.rendering import replace_unknown_matrix
from components.video.sampling import MAX_FRAMES

T = TypeVar("T")

COMPARED_SIDE = 64
"""Of the small picture by which one is compared, px."""

STILL = 2
"""Grey levels of 255 by which frames of one picture differ at most, but for keyframes. Of some dozen talking
heads no two of 16 frames were so alike, and never more than six frames in a row."""

SETTLED = 8
"""The same once a picture has been held for long: a keyframe's may look a little different."""

COARSE = 8
"""Side of a picture that is smaller still, by which most comparisons end."""

Small = NDArray[np.int16]

NOTHING: Small = np.full((COMPARED_SIDE, COMPARED_SIDE), -SETTLED - 1, np.int16)
"""Is like no picture."""


class PictureComparison:
    """Shrinks frames to what is compared of them."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def small(self, frame: VideoFrame) -> Small:
        """Returns a frame as grey means, (SIDE, SIDE)."""
        replace_unknown_matrix(frame)
        shrunk = self._reformatter.reformat(
            frame, COMPARED_SIDE, COMPARED_SIDE, "gray8", interpolation="AREA", threads=1
        )
        return shrunk.to_ndarray().astype(np.int16)


def apart(first: Small, second: Small) -> int:
    """Returns the largest difference of two pictures, grey levels."""
    return int(np.abs(first - second).max())


Refused = Literal["alike", "same", "none", "copies"]


class Repeated(Exception):  # noqa: N818  not an error: there is another way
    """A picture was taken more than once."""


class Album:
    """The last pictures that were seen, to be searched for one that looks the same.

    Args:
        most: of them that are kept.
    """

    def __init__(self, most: int) -> None:
        self._fine = np.empty((most, COMPARED_SIDE, COMPARED_SIDE), np.int16)
        self._coarse = np.empty((most, COARSE, COARSE), np.float32)
        self._times = np.empty(most)
        self.count = 0

    def add(self, small: Small, time: float) -> None:
        """Keeps a picture that is shown from a time on."""
        place = self.count % len(self._times)
        self._fine[place], self._coarse[place], self._times[place] = small, _coarse(small), time
        self.count += 1

    def holds(self, small: Small, until: float, most: int) -> bool:
        """Tells whether a picture of a time or before it differs by so many grey levels at most."""
        kept = slice(min(self.count, len(self._times)))
        alike = np.abs(self._coarse[kept] - _coarse(small)).max(axis=(1, 2)) <= most
        near = self._fine[kept][alike & (self._times[kept] <= until)]
        return bool((np.abs(near - small).max(axis=(1, 2)) <= most).any())


def _coarse(small: Small) -> NDArray[np.float32]:
    side = COMPARED_SIDE // COARSE
    blocks = small.reshape(COARSE, side, COARSE, side)
    return np.asarray(blocks.mean(axis=(1, 3)), np.float32)


class Gallery:
    """The pictures that were taken of a video, each once but for frames that follow one another closely.

    Args:
        hold: seconds for which a picture may stand.
        refused: `alike` refuses what seems to be held or is there already, `same` what is there already;
            with `none` that is passed over, with `copies` only what is there to the bit, as something is
            known to move.
    """

    def __init__(self, hold: float, refused: Refused) -> None:
        self._hold, self.refused = hold, refused
        self._comparison = PictureComparison()
        self.clear()

    def admit(self, frame: VideoFrame, time: float) -> bool:
        """Tells whether a frame is another picture than those before; it is shown from a time in seconds.

        Raises:
            Repeated: where that is to be refused.
        """
        small = self._comparison.small(frame)
        if self._there(small, time):
            self.refuse()
            return False
        self._different += self.refused == "copies" or not self._album.holds(small, time, 0)
        self._album.add(small, time)
        self._last, self._time = small, time
        return True

    def refuse(self) -> None:
        """Raises Repeated where a picture that is held is refused."""
        if self.refused in {"alike", "same"}:
            raise Repeated

    def _there(self, small: Small, time: float) -> bool:
        most = 0 if self.refused == "copies" else STILL
        if self._album.holds(small, time - self._hold, most):  # no sooner: a rate may have been doubled
            return True
        held = time - self._time > self._hold and apart(small, self._last) <= SETTLED
        return held and self.refused == "alike"

    def __len__(self) -> int:
        """Returns how many are different; a frame that merely comes twice in a row is none."""
        return self._different

    def clear(self) -> None:
        """Forgets all pictures."""
        self._album, self._different = Album(MAX_FRAMES), 0
        self._last, self._time = NOTHING, -math.inf


@dataclass
class Once(Generic[T]):
    """Visits the frames that are taken, but for those that show what was seen before.

    Attributes:
        visit: a frame and its time in seconds.
        restart: what was visited is void.
        gallery: the pictures that were visited.
        wanted: frames that the policy asks for.
    """

    visit: Callable[[VideoFrame, float], T]
    restart: Callable[[], None]
    gallery: Gallery
    wanted: int = 0

    def __call__(self, frame: VideoFrame, time: float, count: int) -> list[T]:
        """Visits a frame that is taken so many times; what the visit returned, as often.

        Raises:
            Repeated: as `Gallery.admit`.
        """
        return [self.visit(frame, time)] * count if self.gallery.admit(frame, time) else []

    def again(self) -> None:
        """Begins anew."""
        self.gallery.clear()
        self.restart()
