"""What one untrusted video may cost, what may become of it, and the kinds of values that tell of it."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Amount = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
WholeNumber = Annotated[int, Field(ge=0, lt=2**63)]
Size = Annotated[int, Field(ge=1, lt=2**31)]
"""Of a picture, px."""
PlainLine = Annotated[str, Field(max_length=1000, pattern=r"^\P{C}*$")]
"""One line without control characters."""


class Frozen(BaseModel):
    """A validated, immutable value that refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Limits(Frozen):
    """What one untrusted video may cost before it is given up."""

    min_frames: int = Field(
        8, ge=1, description="fewer frames that show different pictures: status too_short"
    )
    max_bytes: int = Field(4 * 1024**3, ge=1, description="larger files: status too_large")
    max_pixels: int = Field(8192 * 4320, ge=1, description="more pixels a frame: status too_large")
    max_seconds: float = Field(4 * 3600.0, gt=0, description="longer videos: status too_large")
    wall_seconds: float = Field(
        120.0, gt=0, description="wall clock for one video, then its worker is killed"
    )
    memory_mb: int = Field(4096, ge=512, description="address space of a decoding worker, MiB")


Status = Literal["ok", "no_face", "undecodable", "too_short", "too_large"]
"""What became of a video. Only `ok` carries a score."""
