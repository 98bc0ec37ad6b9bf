"""The rules of the gate: bounds of any figure that `evaluate` writes of the winner on test videos."""

from typing import Annotated, Any, Self

from pydantic import AfterValidator, NonNegativeFloat, model_validator

from components.metric_names import METRICS, SHARES, TEST_METRICS, UNBOUNDED
from components.params.section import Section

EXAMPLE = "write {min: 0.8}, {max: 0.2} or both"


class Bounds(Section):
    """A rule of the gate: the smallest and the largest value that pass; None is no bound."""

    min: NonNegativeFloat | None = None
    max: NonNegativeFloat | None = None

    @model_validator(mode="before")
    @classmethod
    def _is_section(cls, content: Any) -> Any:
        if isinstance(content, int | float) and not isinstance(content, bool):
            raise ValueError(f"{content} is no rule; write {{min: {content}}}")
        if content is None:
            raise ValueError(f"an empty rule; {EXAMPLE}")
        return content

    @model_validator(mode="after")
    def _can_hold(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError(f"an empty rule; {EXAMPLE}")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min = {self.min} is above max = {self.max}; no value holds")
        return self


def _of_known_metrics(rules: dict[str, Bounds]) -> dict[str, Bounds]:
    choices = f"use {', '.join((*METRICS, *SHARES))}, or a metric's {METRICS[0]}_low or {METRICS[0]}_high"
    if not rules:
        raise ValueError(f"no rule; {choices}")
    for name, bounds in rules.items():
        if name not in TEST_METRICS:
            raise ValueError(f"no figure {name!r}; {choices}")
        greatest = max(bounds.min or 0.0, bounds.max or 0.0)
        if greatest > 1.0 and not name.startswith(UNBOUNDED):
            raise ValueError(f"{name}: {greatest} is out of range; this figure lies between 0 and 1")
    return rules


GateRules = Annotated[dict[str, Bounds], AfterValidator(_of_known_metrics)]
"""The section `gate` of params.yaml: bounds by the name of the figure."""
