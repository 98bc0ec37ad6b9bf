"""What every section of params.yaml refuses."""

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import ConfigDict, model_validator

from components.faces.limits import Frozen


class Section(Frozen):
    """A part of params.yaml: numbers are finite, and true is no number."""

    model_config = ConfigDict(allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _no_true_for_a_number(cls, content: Any) -> Any:
        # pydantic takes true for 1, and YAML takes yes and on for true.
        for key, value in content.items() if isinstance(content, dict) else ():
            kinds = set(_kinds(cls.model_fields[key].annotation)) if key in cls.model_fields else set()
            if isinstance(value, bool) and bool not in kinds and kinds & {int, float}:
                raise ValueError(f"{key} = {str(value).lower()}: use a number")
        return content


def _kinds(annotation: Any) -> Iterator[Any]:
    """All types that an annotation is made of."""
    yield annotation
    for inner in get_args(annotation):
        yield from _kinds(inner)
