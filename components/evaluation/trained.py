"""What a candidate's training has written down: its size, and how well it knew what it learnt from."""

import csv
import json
from dataclasses import dataclass, field
from pathlib import Path

from components.evaluation.results import Figures, rounded
from components.project import Project

SIZES = ("parameters", "trainable_parameters")

TRAINING_FIGURES = (*SIZES, "train_accuracy", "accuracy_gap")


@dataclass(frozen=True)
class Trained:
    """Nothing of it is there for a candidate that was not trained here.

    Attributes:
        epoch: the one that gave the weights, as history.csv counts.
        figures: those of `TRAINING_FIGURES` that are known; `accuracy_gap` is by how much that epoch's
            accuracy in training is above its accuracy in validation.
    """

    epoch: int | None = None
    figures: Figures = field(default_factory=dict)


def read_trained(project: Project, name: str) -> Trained:
    """Reads it from `candidate.json` and `history.csv`, if they are there."""
    path = project.candidate(name) / "candidate.json"
    if not path.is_file():
        return Trained()
    content = json.loads(path.read_text(encoding="utf-8"))
    figures: Figures = {key: content[key] for key in SIZES if key in content}
    epoch = int(content["best_epoch"])
    return Trained(epoch, figures | _accuracy(project.history(name), epoch))


def _accuracy(history: Path, epoch: int) -> Figures:
    """Returns the accuracies of one epoch; nothing where the history does not tell."""
    if not history.is_file():
        return {}
    with history.open(encoding="utf-8", newline="") as file:
        row = next((row for row in csv.DictReader(file) if row["epoch"] == str(epoch)), {})
    if "train_accuracy" not in row:
        return {}
    train, val = (float(row[f"{split}_accuracy"] or "nan") for split in ("train", "val"))
    return {"train_accuracy": rounded(train), "accuracy_gap": rounded(train - val)}
