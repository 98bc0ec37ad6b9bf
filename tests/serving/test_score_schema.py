from typing import Any, Literal

import pandas as pd
import pyarrow as pa
import pytest
from mlflow.types import DataType
from pydantic import Field, create_model

from components import scores
from components.scores import FaceScore, VideoScore, example, model_columns
from components.tracking.registry import _signature
from serving.api.schemas import SCORE_RESPONSES
from serving.registered_model import SCORE_COLUMNS
from serving.score_table import SCORES, columns

KINDS: dict[str, tuple[pa.DataType, str, DataType]] = {
    "probability": (pa.float64(), "float64", DataType.double),
    "frames": (pa.int64(), "int64", DataType.long),
    "status": (pa.string(), "str", DataType.string),
    "fallback": (pa.string(), "str", DataType.string),
    "faces": (pa.list_(pa.struct(list(columns(FaceScore).items()))), "str", DataType.string),
}
"""How a field of each kind stands in Parquet, in pandas and in MLflow's signature."""


@pytest.mark.parametrize("name", KINDS)
def test_a_field_is_of_the_same_kind_everywhere(name: str) -> None:
    arrow, pandas, mlflow = KINDS[name]
    assert SCORES.field(name).type == arrow
    assert SCORE_COLUMNS[name] == pandas
    assert {column.name: column.type for column in _signature().outputs}[name] == mlflow


def test_every_field_is_a_column_everywhere() -> None:
    fields = set(VideoScore.model_fields)
    assert set(SCORES.names) - fields == {"bytes", "mtime_ns"}
    assert fields <= set(SCORES.names)
    answered = [column.name for column in _signature().outputs]
    assert answered == list(SCORE_COLUMNS) == list(model_columns())
    assert fields - set(answered) == {"seconds", "model_version"}


def test_rows_written_before_are_still_read() -> None:
    """`read_table` takes other names, or another order, for the table of another version."""
    first, last = ["path", "model_version", "verdict"], ["faces", "bytes", "mtime_ns", "seconds"]
    assert (SCORES.names[:3], SCORES.names[-4:]) == (first, last)


NEW: dict[str, tuple[Any, Any, pa.DataType, DataType, bool]] = {
    "quality": (float | None, 0.5, pa.float64(), DataType.double, False),
    "shots": (int | None, 3, pa.int64(), DataType.double, False),  # pandas has no integer that is null
    "upright": (bool, True, pa.bool_(), DataType.boolean, True),
    "cuts": (tuple[int, ...], [1, 2], pa.list_(pa.int64()), DataType.string, True),
    "light": (Literal["day", "night"], "day", pa.string(), DataType.string, True),
}
"""Fields that a score may come to have: type, example, and what they are in Parquet and for MLflow."""


@pytest.mark.parametrize("name", NEW)
def test_a_new_field_needs_no_other_place(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    annotation, value, arrow, mlflow, required = NEW[name]
    added: dict[str, Any] = {name: (annotation, Field(examples=[value]))}
    longer = create_model("Longer", __base__=VideoScore, **added)
    monkeypatch.setattr(scores, "VideoScore", longer)
    assert columns(longer)[name] == arrow
    (column,) = (column for column in _signature().outputs if column.name == name)
    assert (column.type, column.required) == (mlflow, required)
    assert longer.model_validate(example(longer)).model_dump(mode="json")[name] == value


def test_examples_are_answers() -> None:
    content = SCORE_RESPONSES[200]["content"]["application/json"]["examples"]
    rows = [VideoScore.model_validate(one["value"]).row() for one in content.values()]
    pa.Table.from_pylist(rows, SCORES)
    assert not pd.DataFrame(rows)["faces"].isna().any()
