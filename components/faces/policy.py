"""What a face clip is: the settings that, with the code's version, decide every pixel of it."""

import hashlib
import json
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

CROP_VERSION = 1
"""Raised by hand whenever code in this room changes the pixels that a policy yields."""

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Count = Annotated[int, Field(ge=0, lt=2**63)]
Line = Annotated[str, Field(max_length=1000, pattern=r"^\P{C}*$")]
"""One line without control characters."""


class Frozen(BaseModel):
    """A validated, immutable value that refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class DetectorPolicy(Frozen):
    """MTCNN's settings (Zhang et al., 2016, https://arxiv.org/abs/1604.02878)."""

    min_face: int = Field(24, ge=12, description="smallest face, px at detection size")
    longest_side: int = Field(640, ge=64, description="frames are shrunk to this before detection, px")
    thresholds: tuple[Share, Share, Share] = (0.6, 0.7, 0.7)
    factor: float = Field(0.709, gt=0.1, lt=1.0, description="scale step of the image pyramid")


class CropPolicy(Frozen):
    """How a video becomes a clip of `frames` square RGB crops of `size` px."""

    frames: int = Field(8, ge=1, le=512, description="evenly spaced frames taken from a video")
    size: int = Field(96, ge=32, le=1024, description="side of a crop, px")
    margin: float = Field(0.3, ge=0.0, le=2.0, description="added around the face box, share of its side")
    min_face_share: Share = Field(0.25, description="share of frames that must show the face")
    detector: DetectorPolicy = DetectorPolicy()

    @property
    def digest(self) -> str:
        """Twelve hex digits that name this policy together with the code's version."""
        content = json.dumps([CROP_VERSION, self.model_dump(mode="json")], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:12]


class Limits(Frozen):
    """What one untrusted video may cost before it is given up."""

    min_frames: int = Field(8, ge=1, description="fewer decodable frames: status too_short")
    max_bytes: int = Field(4 * 1024**3, ge=1, description="larger files: status too_large")
    max_pixels: int = Field(8192 * 4320, ge=1, description="more pixels a frame: status too_large")
    max_seconds: float = Field(4 * 3600.0, gt=0, description="longer videos: status too_large")
    wall_seconds: float = Field(
        120.0, gt=0, description="wall clock for one video, then its worker is killed"
    )
    memory_mb: int = Field(4096, ge=512, description="address space of a decoding worker, MiB")


Status = Literal["ok", "no_face", "undecodable", "too_short", "too_large"]
"""What became of a video. Only `ok` carries a score."""
