"""The table of scores that `unmask batch` and `unmask score --output` write."""

from types import NoneType
from typing import Any, Literal, get_args, get_origin

import pyarrow as pa

from components.scores import VideoScore
from components.values import Frozen

_KINDS = {str: pa.string(), float: pa.float64(), int: pa.int64(), bool: pa.bool_()}


def columns(model: type[Frozen]) -> dict[str, pa.DataType]:
    """The columns that hold a document of this kind."""
    return {name: _arrow(field.annotation) for name, field in model.model_fields.items()}


def _arrow(annotation: Any) -> pa.DataType:
    if annotation in _KINDS:
        return _KINDS[annotation]
    if isinstance(annotation, type) and issubclass(annotation, Frozen):
        return pa.struct(list(columns(annotation).items()))
    if get_origin(annotation) is Literal:
        return pa.string()
    inner = next(kind for kind in get_args(annotation) if kind is not NoneType)
    return pa.list_(_arrow(inner)) if get_origin(annotation) is tuple else _arrow(inner)


def _scores() -> pa.Schema:
    """The columns of a score with those of its file, in the order in which they were always written."""
    said = columns(VideoScore)
    first = {name: said.pop(name) for name in ("path", "model_version")}
    seconds = {"seconds": said.pop("seconds")}
    return pa.schema(list((first | said | {"bytes": pa.int64(), "mtime_ns": pa.int64()} | seconds).items()))


SCORES = _scores()
"""Rows as `VideoScore.row` makes them; `bytes` and `mtime_ns` tell whether a file is still the same."""
