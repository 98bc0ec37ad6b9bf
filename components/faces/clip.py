"""What becomes of a video: the faces that are scored, a clip of each, or the reason why there are none."""

from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from components.sandbox.protocol import Arrays
from components.values import PlainLine, Share, WholeNumber
from components.video.info import VideoInfo
from components.video.limits import Status


class Origin(IntEnum):
    """Where a crop comes from."""

    REPEATED = 0  # the face does not show here; the crop of the nearest frame that shows it stands in
    DETECTED = 1
    INTERPOLATED = 2  # of this frame, at a box between those of its neighbours


@dataclass(frozen=True)
class Clip:
    """One face through a video: `T` crops of `S` px. Boxes and landmarks are px of the upright video."""

    crops: NDArray[np.uint8]  # (T, S, S, 3) RGB
    boxes: NDArray[np.float32]  # (T, 4) x1, y1, x2, y2
    scores: NDArray[np.float32]  # (T,) of the detector
    landmarks: NDArray[np.float32]  # (T, 5, 2) eyes, nose, corners of the mouth; NaN: not known
    origins: NDArray[np.uint8]  # (T,) of `Origin`
    face_share: float  # of the sampled frames, those in which the face was detected
    box_side: float  # median, px
    brightness: float  # of `components.video.colour`, as is what follows: mean over the crops
    colourfulness: float


NUMBERS = ("face_share", "box_side", "brightness", "colourfulness")
"""Numbers of a clip."""

PER_FACE = ("crops", "boxes", "scores", "landmarks", "origins")
"""Arrays of a clip, which `Faces.parts` stacks along a first axis."""


@dataclass(frozen=True)
class Faces:
    """The clips of a video, most prominent face first; all are of the same frames."""

    clips: tuple[Clip, ...]
    times: NDArray[np.float64]  # (T,) seconds
    frames: int  # different pictures sampled from the video; fewer than T where it has no more
    tracks: int  # faces told apart, scored or not
    fallback: Literal["center"] | None  # what was cut because no face was found
    info: VideoInfo

    @property
    def main(self) -> Clip:
        """The face that the video is about."""
        return self.clips[0]

    @property
    def face_share(self) -> float:
        """The share of frames that show the main face."""
        return self.main.face_share

    def parts(self) -> tuple[dict[str, Any], Arrays]:
        """The faces as numbers that JSON can hold, and arrays: `(K, T, …)` for `K` clips, `times` `(T,)`."""
        numbers = {
            "clips": [{name: getattr(clip, name) for name in NUMBERS} for clip in self.clips],
            "frames": self.frames,
            "tracks": self.tracks,
            "fallback": self.fallback,
            "info": asdict(self.info),
        }
        arrays = {name: np.stack([getattr(clip, name) for clip in self.clips]) for name in PER_FACE}
        return numbers, arrays | {"times": self.times}

    @classmethod
    def from_parts(cls, numbers: dict[str, Any], arrays: Arrays) -> Self:
        """Returns the inverse of `parts`."""
        clips = tuple(
            Clip(**{name: arrays[name][index] for name in PER_FACE}, **fields)
            for index, fields in enumerate(numbers["clips"])
        )
        info = VideoInfo(**numbers["info"])
        return cls(**{**numbers, "clips": clips, "info": info, "times": arrays["times"]})


@dataclass(frozen=True)
class Failure:
    """Why a video has no clip; `reason` is one line that does not name the file."""

    status: Status
    reason: PlainLine
    frames: WholeNumber = 0
    face_share: Share = 0.0
    tracks: WholeNumber = 0


class GivenUp(Failure):
    """A failure of this attempt rather than of the video: another one may go better."""


OUT_OF_MEMORY = Failure("too_large", "needs more memory than limits.memory_mb grants")
"""A video that cannot be handled within its limits."""
