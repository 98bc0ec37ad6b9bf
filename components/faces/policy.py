"""What a face clip is: the settings that, with the code's version, decide every pixel of it."""

import hashlib
import json
from typing import Literal, Self

from pydantic import Field, model_validator

from components.detectors.settings import DetectorPolicy, MtcnnPolicy
from components.values import Frozen, Share
from components.video.sampling import Even, Sampling

CROP_VERSION = 4
"""Raised by hand whenever code in this room changes the pixels that a policy yields."""

MAX_FACES = 16
"""Faces of a frame that are looked at, best first; bounds what a crowd can cost."""

FARTHEST = 1e6
"""Px from a picture's corner that a face may be; larger numbers are no places."""

MAX_CROP_BYTES = 2**30
"""Of all crops of a video. A worker holds up to three copies of them as it assembles clips, next to a decoder
and a detector, in `limits.memory_mb` of address space; its parent holds one."""


class CropPolicy(Frozen):
    """How a video becomes clips of square RGB crops of `size` px, one clip for each face that is scored."""

    sampling: Sampling = Even()
    size: int = Field(96, ge=32, le=1024, description="side of a crop, px")
    margin: float = Field(0.3, ge=0.0, le=2.0, description="added around the face box, share of its side")
    align: Literal["none", "landmarks"] = Field("none", description="turn and scale faces onto one template")
    border: Literal["edge", "mirror", "black"] = Field("edge", description="what lies beyond the frame")
    smoothing: float = Field(
        0.05, ge=0.0, le=1.0, description="boxes are averaged over about this long, seconds"
    )
    tracks: Literal["main", "all"] = Field("main", description="which of several faces are scored")
    min_face_share: Share = Field(0.25, description="share of frames that must show the face")
    min_score: Share = Field(0.9, description="mean score of further faces with `tracks: all`, at least")
    fallback: Literal["none", "center"] = Field("none", description="what is cut where no face is found")
    detector: DetectorPolicy = MtcnnPolicy()

    @property
    def max_clips(self) -> int:
        """The most clips of one video."""
        return MAX_FACES if self.tracks == "all" else 1

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        frames = self.sampling.lengths[1]
        needed = self.max_clips * frames * 3 * self.size**2
        if needed > MAX_CROP_BYTES:
            raise ValueError(
                f"tracks {self.tracks}, sampling, size: {self.max_clips} × {frames} crops of {self.size} px "
                f"are {needed / 2**20:.0f} MiB, at most {MAX_CROP_BYTES // 2**20}; lower one of them"
            )
        return self

    @property
    def digest(self) -> str:
        """Twelve hex digits that name this policy together with the code's version.

        Where a detector's model file lies is left out: what is in it, the name of a clip tells.
        """
        policy = self.model_dump(mode="json", exclude={"detector": {"model"}})
        content = json.dumps([CROP_VERSION, policy], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:12]
