from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from mlflow.types import DataType

from components import scores
from components.scores import FaceScore, VideoScore, example, model_columns
from components.tracking.registry import _signature
from serving.api.schemas import SCORE_RESPONSES
from serving.registered_model import COLUMNS
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
    assert COLUMNS[name] == pandas
    assert {column.name: column.type for column in _signature().outputs}[name] == mlflow


def test_every_field_is_a_column_everywhere() -> None:
    fields = set(VideoScore.model_fields)
    assert set(SCORES.names) - fields == {"bytes", "mtime_ns"}
    assert fields <= set(SCORES.names)
    answered = [column.name for column in _signature().outputs]
    assert answered == list(COLUMNS) == list(model_columns())
    assert fields - set(answered) == {"seconds", "model_version"}


def test_rows_written_before_are_still_read() -> None:
    """`read_table` takes other names, or another order, for the table of another version."""
    first, last = ["path", "model_version", "verdict"], ["faces", "bytes", "mtime_ns", "seconds"]
    assert (SCORES.names[:3], SCORES.names[-4:]) == (first, last)


def test_a_new_field_needs_no_other_place(monkeypatch: pytest.MonkeyPatch) -> None:
    class Longer(VideoScore):
        quality: float | None = scores.Field(description="of the picture", examples=[0.5])
        cuts: tuple[int, ...] = scores.Field(examples=[[1, 2]])

    monkeypatch.setattr(scores, "VideoScore", Longer)
    assert columns(Longer)["quality"] == pa.float64()
    assert columns(Longer)["cuts"] == pa.list_(pa.int64())
    told: dict[str, Any] = {column.name: column for column in _signature().outputs}
    assert (told["quality"].type, told["quality"].required) == (DataType.double, False)
    assert (told["cuts"].type, told["cuts"].required) == (DataType.string, True)
    Longer.model_validate(example(Longer))


def test_examples_are_answers() -> None:
    content = SCORE_RESPONSES[200]["content"]["application/json"]["examples"]
    rows = [VideoScore.model_validate(one["value"]).row() for one in content.values()]
    pa.Table.from_pylist(rows, SCORES)
    assert not pd.DataFrame(rows)["faces"].isna().any()
