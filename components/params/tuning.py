"""`tune` of params.yaml: what `unmask tune` tries, and how long."""

import math
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, PositiveInt, Tag, model_validator

from components.params.section import Section
from components.params.training import Metric

Scalar = None | bool | int | float | str


class Range(Section):
    """All numbers between two: whole ones where both are. In a file: `[low, high]` or `[low, high, log]`."""

    low: int | float
    high: int | float
    log: bool = False  # each order of magnitude is as likely as the next

    @model_validator(mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        match value:
            case [low, high]:
                return {"low": low, "high": high}
            case [low, high, "log"]:
                return {"low": low, "high": high, "log": True}
            case {"low": _, "high": _}:
                return value
        raise ValueError("use [least, most], [least, most, log] or {choices: [...]}")

    @model_validator(mode="after")
    def _drawable(self) -> "Range":
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ValueError("the least comes first, then the most")
        if self.log and self.low <= 0:
            raise ValueError("with log, the least is above 0")
        return self

    @property
    def whole(self) -> bool:
        """Only whole numbers."""
        return isinstance(self.low, int) and isinstance(self.high, int)


class Choices(Section):
    """Some values of any kind; whole sections, too."""

    choices: tuple[Any, ...] = Field(min_length=2)


def _kind(value: Any) -> str:
    return (
        "choices"
        if isinstance(value, Choices) or (isinstance(value, dict) and "choices" in value)
        else "range"
    )


Span = Annotated[
    Annotated[Range, Tag("range")] | Annotated[Choices, Tag("choices")],
    Discriminator(_kind),
]
"""What one setting may be."""


class Median(Section):
    """Ends a trial that never was as good as the median of the others is at its epoch."""

    name: Literal["median"] = "median"
    startup: int = Field(default=5, ge=0)  # trials that must be complete first
    warmup_epochs: int = Field(default=3, ge=0)  # of each trial, which nothing ends


class Hyperband(Section):
    """Many short trials, few long ones (https://arxiv.org/abs/1603.06560)."""

    name: Literal["hyperband"]
    least_epochs: PositiveInt = 3
    factor: int = Field(default=3, ge=2)  # one of so many goes on to so many times the epochs


class NoPruner(Section):
    """Every trial runs to its end."""

    name: Literal["none"]


Pruner = Annotated[Median | Hyperband | NoPruner, Field(discriminator="name")]


class TuneParams(Section):
    """How settings are searched for."""

    trials: PositiveInt = 30
    metric: Metric = "auc"
    epochs: PositiveInt | None = None  # most of a trial; none: as many as the candidate has
    seed: int = Field(default=5, ge=0, lt=2**32)
    random: int = Field(default=10, ge=0)  # trials that are drawn before TPE begins to choose
    pruner: Pruner = Median()
    space: dict[str, dict[str, Span]] = Field(default={})  # by candidate; none: what suits its network
