"""What a run says of the data that its candidate was trained on, from the tables of the project."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow.parquet as pq
from mlflow.entities import Dataset, DatasetInput, InputTag

from components.project import Project

DIGEST_COLUMNS = ["dataset", "split", "label", "sha256"]
DIGEST_LENGTH = 36
"""The most that MLflow takes for a dataset's."""


@dataclass(frozen=True)
class TrainingData:
    """Videos by dataset and split, and the policy by which their faces were cut."""

    digest: str  # of all videos and their splits
    crop: str
    counts: dict[str, int]  # by `split.label`
    datasets: tuple["Source", ...]


@dataclass(frozen=True)
class Source:
    """A dataset, as it stands in the manifest."""

    name: str
    digest: str
    counts: dict[str, int]

    def as_input(self) -> DatasetInput:
        """Returns what MLflow shows as an input of the run."""
        dataset = Dataset(
            name=self.name,
            digest=self.digest[:DIGEST_LENGTH],
            source_type="local",
            source=json.dumps({"uri": f"data/{self.name}" if self.name != "data" else "data"}),
            profile=json.dumps(self.counts),
        )
        return DatasetInput(dataset=dataset, tags=[InputTag("mlflow.data.context", "training")])


def read_training_data(project: Project) -> TrainingData | None:
    """Returns the data that training uses, or None where a table is missing."""
    if not (project.manifest.exists() and project.faces.exists()):
        return None
    rows = [
        row for row in pq.read_table(project.manifest, columns=DIGEST_COLUMNS).to_pylist() if row["split"]
    ]
    crops = pq.read_table(project.faces, columns=["crop_digest"])["crop_digest"]
    names = sorted({row["dataset"] for row in rows})
    return TrainingData(
        digest=_digest(rows),
        crop=str(crops[0]) if len(crops) else "",
        counts=_counts(rows),
        datasets=tuple(_source(name, [row for row in rows if row["dataset"] == name]) for name in names),
    )


def _source(name: str, rows: list[dict[str, str]]) -> Source:
    return Source(name, _digest(rows), _counts(rows))


def _counts(rows: Iterable[dict[str, str]]) -> dict[str, int]:
    return dict(sorted(Counter(f"{row['split']}.{row['label']}" for row in rows).items()))


def _digest(rows: Iterable[dict[str, str]]) -> str:
    content = sorted((row["sha256"] or "", row["split"], row["label"] or "") for row in rows)
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
