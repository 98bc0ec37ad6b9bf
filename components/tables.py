"""The tables that stages hand to one another: their columns, and how they are written and read."""

import csv
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from components.errors import DataError, StageError
from components.files import replacing

BATCH_ROWS = 8192


class ColumnsError(DataError):
    """A table has other columns than this version of unmask writes."""


MANIFEST = pa.schema(
    [
        ("video_id", pa.string()),  # path inside data/, without the suffix: "real/p003_a"
        ("path", pa.string()),  # relative to the project: "data/real/p003_a.mp4"
        ("dataset", pa.string()),  # folder inside data/ that it came with; "data" for data/ itself
        ("label", pa.string()),  # "real" | "fake"; null if untold: such a video is never trained on
        ("method", pa.string()),  # forgery method; "none" for genuine videos, "unknown" if untold
        ("identities", pa.list_(pa.string())),  # who is in it; a swap names two; "unnamed:<stem>" if untold
        ("sources", pa.list_(pa.string())),  # recordings that it is, or was made from
        ("group", pa.string()),  # connected component of people, sources and content
        ("split", pa.string()),  # "train" | "val" | "test"; null for what takes no part
        ("prescribed", pa.string()),  # what the dataset's own list says: a split, "trainval", or null
        ("excluded", pa.string()),  # why a sound video takes no part: components.splits.assignment.Excluded
        ("frames", pa.int64()),
        ("fps", pa.float64()),
        ("width", pa.int64()),
        ("height", pa.int64()),
        ("bytes", pa.int64()),
        ("duration", pa.float64()),  # seconds
        ("codec", pa.string()),
        ("sha256", pa.string()),
        ("fingerprint", pa.string()),  # perceptual hash of sampled frames, hex; null if it would say nothing
        ("near_duplicate", pa.string()),  # first video of those that look the same; null if none does
        ("status", pa.string()),  # components.video.limits.Status, never "no_face" here
        ("reason", pa.string()),  # one line where status is not ok
    ]
)

FACES = pa.schema(
    [
        ("video_id", pa.string()),
        ("status", pa.string()),  # components.video.limits.Status
        ("reason", pa.string()),
        ("frames", pa.int64()),  # frames sampled
        ("face_share", pa.float64()),  # share of them in which the main face was detected
        ("tracks", pa.int64()),  # faces told apart in the video
        ("clips", pa.int64()),  # of them, those that are scored
        ("fallback", pa.string()),  # "center" where that was cut for want of a usable face
        ("box_side", pa.float64()),  # median side of the main face's box, px of the original video
        ("brightness", pa.float64()),  # of the main face's crops, as a share of white
        ("colourfulness", pa.float64()),  # of the same: components.video.colour.colourfulness
        ("clip", pa.string()),  # file inside artifacts/clips; null where status is not ok
        ("crop_digest", pa.string()),  # CropPolicy.digest
    ]
)

PREDICTIONS = pa.schema(
    [
        ("video_id", pa.string()),
        ("group", pa.string()),
        ("split", pa.string()),  # "val" | "test"
        ("label", pa.int8()),  # 1 is fake
        ("method", pa.string()),
        ("logit", pa.float64()),  # fake logit minus real logit, before calibration
    ]
)


def to_table(rows: Iterable[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    """Rows as columns, a few thousand at a time: a hundred thousand dictionaries at once are heavy."""
    remaining = iter(rows)
    batches = iter(lambda: list(islice(remaining, BATCH_ROWS)), [])
    return pa.Table.from_batches([pa.RecordBatch.from_pylist(batch, schema) for batch in batches], schema)


def iterate(table: pa.Table) -> Iterator[dict[str, Any]]:
    """Yields the rows of a table, of which few exist at a time."""
    for batch in table.to_batches(max_chunksize=BATCH_ROWS):
        yield from batch.to_pylist()


def write_table(rows: Iterable[dict[str, Any]] | pa.Table, schema: pa.Schema, path: Path) -> None:
    """Writes rows as Parquet in one step: readers see the old file or the new one, never half."""
    table = rows if isinstance(rows, pa.Table) else to_table(rows, schema)
    with replacing(path) as partial:
        pq.write_table(table, partial)


def write_csv(rows: Iterable[dict[str, Any]], schema: pa.Schema, path: Path) -> None:
    """Writes rows as CSV in one step; lists become JSON text, null an empty cell."""
    with replacing(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, schema.names)
        writer.writeheader()
        writer.writerows({name: as_text(value) for name, value in row.items()} for row in rows)


def as_text(value: Any) -> Any:
    """Returns a value of a row as a cell that CSV can hold."""
    return json.dumps(value) if isinstance(value, list) else value


def read_table(path: Path, schema: pa.Schema) -> list[dict[str, Any]]:
    """Reads a table that another stage wrote.

    Raises:
        StageError: the file is not there.
        ColumnsError: its columns are not those of `schema`.
        DataError: it is not Parquet.
    """
    if not path.is_file():
        raise StageError(f"{path}: not there yet; run the stage that makes it (dvc repro)")
    try:
        table: pa.Table = pq.read_table(path)
    except pa.ArrowException as error:
        raise DataError(f"{path}: not a Parquet table ({error}); delete it and run dvc repro") from error
    if table.schema.names != schema.names:
        raise ColumnsError(f"{path}: columns {table.schema.names} are not those expected; run dvc repro")
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def read_faces(path: Path, crop_digest: str) -> list[dict[str, Any]]:
    """Reads the FACES table and checks that its clips are cut as params.yaml says.

    Args:
        path: of the table.
        crop_digest: `CropPolicy.digest` of the parameters.

    Raises:
        StageError: the file is not there, or names clips of another crop digest.
        DataError: see `read_table`.
    """
    rows = read_table(path, FACES)
    other = next((row["crop_digest"] for row in rows if row["crop_digest"] != crop_digest), crop_digest)
    if other != crop_digest:
        raise StageError(
            f"{path}: of crop digest {other}, params.yaml makes {crop_digest}; run dvc repro faces"
        )
    return rows
