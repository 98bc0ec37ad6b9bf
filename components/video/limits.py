"""What one untrusted video may cost, and what may become of it."""

from typing import Literal

from pydantic import Field

from components.values import Frozen


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
