from pathlib import Path

import pyarrow as pa
import pytest

from components.errors import DataError, StageError
from components.tables import FACES, PREDICTIONS, read_table, write_table

ROW = {"video_id": "a", "group": "g", "split": "val", "label": 1, "method": "swap", "logit": 0.5}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "new" / "table.parquet"
    write_table([ROW], PREDICTIONS, path)
    assert read_table(path, PREDICTIONS) == [ROW]
    assert [file.name for file in path.parent.iterdir()] == ["table.parquet"]


def test_a_failed_write_leaves_the_old_table(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    write_table([ROW], PREDICTIONS, path)
    with pytest.raises(pa.ArrowException):
        write_table([ROW | {"logit": "no number"}], PREDICTIONS, path)
    assert read_table(path, PREDICTIONS) == [ROW]


def test_what_cannot_be_read_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    with pytest.raises(StageError, match="dvc repro"):
        read_table(path, PREDICTIONS)
    path.write_text("text", encoding="utf-8")
    with pytest.raises(DataError, match="not a Parquet table"):
        read_table(path, PREDICTIONS)
    write_table([ROW], PREDICTIONS, path)
    with pytest.raises(DataError, match="columns"):
        read_table(path, FACES)
