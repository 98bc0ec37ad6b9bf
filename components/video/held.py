"""A face that stands still while something else moves, as where a clock runs over a picture that is held.

The picture as a whole then always shows something new, but the face does not. That is noticed where it looks
the same in two pictures that were taken; then it counts once, wherever else in the video it is shown.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from components.arrays import Image
from components.video.gallery import Refused
from components.video.info import VideoInfo
from components.video.limits import Limits
from components.video.pauses import BRIEFEST, Pauses, find_pauses
from components.video.rendering import render_frame
from components.video.repeats import Repeats, check_pictures, decode_times

FACE_SIDE = 16
"""Of the small picture by which a face is compared, px: slight noise is averaged out, moving lips are not."""

SAME_GREY = 2
"""Grey levels of 255 by which one face differs at most. Of the sixteen pictures that were taken of a talking
head no two were so alike, in none of a hundred videos."""

CONTRAST = 8
"""Grey levels by which those of a face vary at least (standard deviation): in the dark all look alike."""

ROUNDS = 3
"""Times that faces which stand still are looked for, as each time others may be found."""

PixelBox = tuple[int, int, int, int]


Held: TypeAlias = Callable[[], "list[HeldFace]"]
"""Tells the faces that looked the same in several of the frames that were taken."""


@dataclass(frozen=True, eq=False)
class HeldFace:
    """A face as it looks in one picture, and where."""

    box: PixelBox  # x1, y1, x2, y2, px of the picture as it is shown
    small: NDArray[np.int16]  # (SIDE, SIDE) grey means

    @classmethod
    def of(cls, image: Image, box: NDArray[np.float32]) -> "HeldFace | None":
        """Returns the face in a box of a picture; None where there is too little to be seen of it."""
        height, width = image.shape[:2]
        x1, y1, x2, y2 = map(round, np.clip(box, 0, [width, height] * 2).tolist())
        if x1 >= x2 or y1 >= y2:
            return None
        small = _shrink(image, (x1, y1, x2, y2))
        return cls((x1, y1, x2, y2), small) if small.std() >= CONTRAST else None

    def is_in(self, image: Image) -> bool:
        """Tells whether another picture of the same size shows the same at the same place."""
        return int(np.abs(_shrink(image, self.box) - self.small).max()) <= SAME_GREY


def _shrink(image: Image, box: PixelBox) -> NDArray[np.int16]:
    x1, y1, x2, y2 = box
    face = VideoFrame.from_ndarray(np.ascontiguousarray(image[y1:y2, x1:x2]), "rgb24")
    return (
        face.reformat(FACE_SIDE, FACE_SIDE, "gray8", interpolation="AREA", threads=1)
        .to_ndarray()
        .astype(np.int16)
    )


class Watch:
    """Looks, in one sampled frame after another, whether the largest face is the same for long.

    Attributes:
        held: faces that are.
    """

    def __init__(self) -> None:
        self._last: HeldFace | None = None
        self._since = 0.0
        self.held: list[HeldFace] = []

    def see(self, image: Image, boxes: NDArray[np.float32], time: float) -> None:
        """Takes the next frame, the faces that were found in it, and its time in seconds."""
        if self._last is not None and self._last.is_in(image):
            if time - self._since > BRIEFEST and self._last not in self.held[-1:]:
                self.held.append(self._last)
            return
        sides = boxes[:, 2:] - boxes[:, :2]
        self._last = HeldFace.of(image, boxes[sides.prod(axis=1).argmax()]) if len(boxes) else None
        self._since = time


class SameFaces:
    """Tells which frames show a face, or a picture, that was shown before.

    Args:
        faces: that are looked for.
        info: of the video.
    """

    moves = False

    def __init__(self, faces: Sequence[HeldFace], info: VideoInfo) -> None:
        self._faces, self._size = faces, (info.width, info.height)
        self._pictures = Repeats()
        self._seen: set[int] = set()
        self._again: list[bool] = []

    def take(self, frame: VideoFrame) -> None:
        """Takes the next frame."""
        self._pictures.take(frame)
        self._again.append(self.is_again(render_frame(frame, *self._size)))

    def is_again(self, image: Image) -> bool:
        """Tells whether a picture shows one of the faces that one before it showed."""
        shown = {number for number, face in enumerate(self._faces) if face.is_in(image)}
        again = bool(shown & self._seen)
        self._seen |= shown
        return again

    @property
    def repeated(self) -> list[bool]:
        """Tells for each frame so far whether it shows nothing new."""
        return list(map(any, zip(self._pictures.repeated, self._pictures.known, self._again, strict=True)))

    known = repeated


def face_pauses(
    path: Path, info: VideoInfo, limits: Limits, held: Held, pixels: int
) -> Iterator[tuple[Pauses, Refused]]:
    """Yields pauses in which a face stands still, as long as one does in what was taken.

    Args:
        path: the video.
        info: what `probe` told of it.
        limits: what the video may cost.
        held: asked anew each time, when frames have been taken by the pauses that were told before.
        pixels: that may be decoded in all; nothing is told of a video that has more.

    Raises:
        VideoFault: fewer than `limits.min_frames` pictures are left.
    """
    for faces in growing(held, pixels // (info.frames * info.width * info.height)):
        pauses = find_pauses(decode_times(path, info, limits, SameFaces(faces, info)))
        if not pauses.starts:
            return
        check_pictures(pauses.frames, limits.min_frames, info)
        yield pauses, "none"


def growing(held: Held, rounds: int) -> Iterator[list[HeldFace]]:
    """Yields all faces that have been found so far, as long as there are new ones."""
    faces: list[HeldFace] = []
    for _ in range(min(rounds, ROUNDS)):
        new = held()
        if not new:
            return
        faces = [*faces, *new]
        yield faces
