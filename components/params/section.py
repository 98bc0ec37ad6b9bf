"""What every section of params.yaml refuses; `faces` and `limits` are of `components.faces`."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import ConfigDict, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import InitErrorDetails, PydanticCustomError

from components.values import Frozen


class Section(Frozen):
    """A part of params.yaml: numbers are finite, and true is no number."""

    model_config = ConfigDict(allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _no_true_for_a_number(cls, content: Any) -> Any:
        # pydantic takes true for 1, and YAML takes yes and on for true.
        values = content if isinstance(content, dict) else {}
        wrong = [key for key, field in cls.model_fields.items() if _true_for_a_number(values.get(key), field)]
        if wrong:
            error = PydanticCustomError("true_for_a_number", "use a number")
            details = [InitErrorDetails(type=error, loc=(key,), input=values[key]) for key in wrong]
            raise ValidationError.from_exception_data(cls.__name__, details)
        return content


def _true_for_a_number(value: Any, field: FieldInfo) -> bool:
    # Of the items of a list, or the values of a section, all that is said of them is looked at.
    kinds = set(_kinds(field.annotation, within=isinstance(value, list | dict)))
    values = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
    return any(isinstance(item, bool) for item in values) and _numbers_alone(kinds)


def _numbers_alone(kinds: set[Any]) -> bool:
    return bool not in kinds and bool(kinds & {int, float})


def _kinds(annotation: Any, within: bool) -> Iterator[Any]:
    """Yields the types that a value may be of; `within` also those of its items."""
    if get_origin(annotation) is Literal:
        yield from map(type, get_args(annotation))
    elif get_origin(annotation) is Annotated:
        yield from _kinds(get_args(annotation)[0], within)
    elif get_origin(annotation) in (tuple, list, dict) and not within:
        yield annotation
    elif arguments := get_args(annotation):
        for inner in arguments:
            yield from _kinds(inner, within)
    else:
        yield annotation
