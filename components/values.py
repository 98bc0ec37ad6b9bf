"""The base of all documents and settings, and the kinds of numbers and text that these hold."""

from typing import Annotated

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
