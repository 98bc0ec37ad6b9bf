"""Where everything lives in a project folder. Nothing is created by asking."""

from dataclasses import dataclass
from pathlib import Path

ENSEMBLE = "ensemble"
"""The candidate that is made of others."""


@dataclass(frozen=True)
class Project:
    """The files of one project, relative to its root."""

    root: Path = Path()

    @property
    def params(self) -> Path:
        return self.root / "params.yaml"

    @property
    def resolved(self) -> Path:
        """Every setting with its value, as stages read them."""
        return self.root / "params.resolved.yaml"

    @property
    def recipes(self) -> Path:
        """Folder of the settings of detectors of the field."""
        return self.root / "recipes"

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def artifacts(self) -> Path:
        return self.root / "artifacts"

    @property
    def manifest(self) -> Path:
        return self.artifacts / "manifest.parquet"

    @property
    def examined(self) -> Path:
        """What ingest has found out about each video; a cache, not an output of any stage."""
        return self.root / ".unmask" / "examined.sqlite"

    @property
    def splits(self) -> Path:
        """What the splits hold, in numbers."""
        return self.reports / "splits.json"

    @property
    def splits_lock(self) -> Path:
        """The split to which each person was assigned, by hash."""
        return self.reports / "splits.lock"

    @property
    def quarantine(self) -> Path:
        """The videos that cannot be used, and why."""
        return self.reports / "quarantine.csv"

    @property
    def faces(self) -> Path:
        return self.artifacts / "faces.parquet"

    @property
    def clips(self) -> Path:
        return self.artifacts / "clips"

    @property
    def decoded(self) -> Path:
        """Clips as they are read while training; a cache, not an output of any stage."""
        return self.root / ".unmask" / "decoded"

    @property
    def features(self) -> Path:
        """What frozen backbones see in clips; a cache, not an output of any stage."""
        return self.root / ".unmask" / "features"

    @property
    def detector(self) -> Path:
        """Folder of MTCNN's three networks: pnet.onnx, rnet.onnx, onet.onnx."""
        return self.artifacts / "detector"

    def candidate(self, name: str) -> Path:
        """Folder of a trained candidate: weights.safetensors, candidate.json, predictions.parquet."""
        # Beside the others: DVC lets no output lie inside what its stage depends on.
        return self.artifacts / name if name == ENSEMBLE else self.artifacts / "candidates" / name

    @property
    def winner(self) -> Path:
        return self.artifacts / "winner.json"

    @property
    def bundle(self) -> Path:
        return self.artifacts / "bundle"

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    @property
    def gate(self) -> Path:
        return self.reports / "gate.json"

    @property
    def evaluation(self) -> Path:
        return self.reports / "evaluation.json"

    def history(self, name: str) -> Path:
        """Returns a candidate's training curve: a row for each epoch, from 1."""
        return self.reports / "training" / name / "history.csv"

    def curves(self, name: str) -> Path:
        """Returns the same, drawn."""
        return self.reports / "training" / name / "curves.png"

    @property
    def scratch(self) -> Path:
        """Half-done work that a killed stage takes up again; not an output of any stage."""
        return self.root / ".unmask" / "scratch"
