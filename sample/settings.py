"""What a sample dataset is made of."""

from pydantic import BaseModel, ConfigDict, Field


class SampleSettings(BaseModel):
    """Size and seed of a sample. The same settings give byte-identical files on one machine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    people: int = Field(72, ge=2, description="each has one genuine and one forged clip")
    frames: int = Field(24, ge=2, description="frames of a clip")
    width: int = Field(320, ge=160, le=1920, multiple_of=2, description="px")
    height: int = Field(240, ge=120, le=1080, multiple_of=2, description="px")
    fps: int = Field(25, ge=1, le=120)
    seed: int = Field(2026, ge=0)
    workers: int = Field(0, ge=0, description="processes that render; 0 is one for each core")
