"""What becomes of a video: a clip of face crops, or the reason why there is none."""

from dataclasses import asdict, dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from components.faces.policy import Count, Line, Share, Status
from components.faces.video import VideoInfo

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Clip:
    """One face through a video: `T` crops of `S` px. Boxes and landmarks are px of the upright video.

    A frame that does not show the face is filled with the crop of the nearest one that does, so that
    a clip always has the policy's length; `face_share` keeps the truth.
    """

    crops: NDArray[np.uint8]  # (T, S, S, 3) RGB
    boxes: NDArray[np.float32]  # (T, 4) x1, y1, x2, y2
    scores: NDArray[np.float32]  # (T,) of the detector
    landmarks: NDArray[np.float32]  # (T, 5, 2) eyes, nose, corners of the mouth
    times: NDArray[np.float64]  # (T,) seconds
    frames: int  # sampled from the video
    face_share: float  # of these, showing the face
    tracks: int  # faces told apart
    box_side: float  # median, px
    info: VideoInfo

    def parts(self) -> tuple[dict[str, Any], Arrays]:
        """The clip as numbers that JSON can hold, and arrays."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        arrays = {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
        numbers = {name: value for name, value in values.items() if name not in arrays}
        return numbers | {"info": asdict(self.info)}, arrays

    @classmethod
    def from_parts(cls, numbers: dict[str, Any], arrays: Arrays) -> Self:
        """The inverse of `parts`."""
        return cls(**{**numbers, **arrays, "info": VideoInfo(**numbers["info"])})


@dataclass(frozen=True)
class Failure:
    """Why a video has no clip; `reason` is one line that does not name the file."""

    status: Status
    reason: Line
    frames: Count = 0
    face_share: Share = 0.0
    tracks: Count = 0


class GivenUp(Failure):
    """A failure of this attempt rather than of the video: another one may go better."""
