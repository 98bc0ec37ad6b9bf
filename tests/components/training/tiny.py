"""A training of a moment: a network of some dozens of weights, and clips of noise.

With what a resumed training could get wrong: dropout, batch norm, a shuffled order, drawn frames.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from components.models import Candidate
from components.models.base import Outputs, mean_over_frames
from components.params import CandidateParams, load_params
from components.params.augmentation import AugmentationParams
from components.params.training import EarlyStopping, Optimizer
from components.training.dataset import ClipDataset
from components.training.videos import Video

ROOT = Path(__file__).parents[3]
SIZE = 8


class Tiny(Candidate):
    """The mean colours of each quarter, one hidden layer."""

    embedding_size = 6

    def __init__(self, norm: bool = True, dropout: float = 0.2) -> None:
        super().__init__()
        self.hidden = nn.Sequential(nn.Linear(12, 6), nn.BatchNorm1d(6) if norm else nn.Identity(), nn.Tanh())
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(6, 2))

    def embed(self, frames: Tensor) -> Tensor:
        quarters = torch.nn.functional.adaptive_avg_pool2d(frames, 2).flatten(1)
        hidden: Tensor = self.hidden(3 * quarters)
        return hidden

    def classify(self, features: Tensor, mask: Tensor | None = None) -> Outputs:
        embedding = mean_over_frames(features, mask)
        return Outputs(self.head(embedding), embedding)


class Noise:
    """A store whose fakes have a redder corner."""

    def shape(self, name: str) -> tuple[int, ...]:
        return (1, 6, SIZE, SIZE, 3)

    def read_crops(
        self, name: str, frames: Sequence[int] | None = None, clips: int | None = None
    ) -> NDArray[np.uint8]:
        generator = np.random.default_rng([ord(letter) for letter in name])
        crops = generator.integers(0, 200, self.shape(name), dtype=np.uint8)
        if "fake" in name:
            crops[..., :3, :3, 0] += 50
        return crops if frames is None else crops[:, list(frames)]

    def read_geometry(self, name: str) -> tuple[Any, Any]:
        raise NotImplementedError


def clips(count: int, split: str = "train") -> ClipDataset:
    """As many clips, fakes and genuine ones in turn."""
    kinds = [("real", "fake")[number % 2] for number in range(count)]
    videos = [
        Video(f"{split}{number}", "g", split, number % 2, kind, f"{kind}-{split}{number}")
        for number, kind in enumerate(kinds)
    ]
    return ClipDataset(videos, Noise())


def settings(**others: Any) -> CandidateParams:
    """Four epochs, nothing augmented."""
    shipped = load_params(ROOT / "params.yaml").candidates["simple_cnn"]
    told: dict[str, Any] = {
        "epochs": 4,
        "batch_size": 4,
        "frames": 3,
        "num_threads": 1,
        "optimizer": Optimizer(name="adamw", lr=0.02, weight_decay=0.01),
        "early_stopping": EarlyStopping(metric="loss", patience=50),
        "augmentation": AugmentationParams(flip=0.0, brightness=0.0, contrast=0.0, shift=0.0),
    }
    return shipped.model_copy(update=told | others)
