"""`ensemble` of params.yaml: which candidates are also evaluated together."""

from typing import Literal

from pydantic import Field

from components.params.section import Section


class EnsembleParams(Section):
    """Trained candidates whose logits are summed."""

    members: tuple[str, ...] = ()  # none: there is no ensemble
    how: Literal["weighted", "stacked"] = "weighted"
    folds: int = Field(default=5, ge=2)
