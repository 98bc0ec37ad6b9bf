"""The digest that names a training: everything that decides its outcome, and nothing else."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import torch

from components.params import CandidateParams, TrainingParams
from components.training.videos import Video

SOURCES = ("models/*.py", "training/*.py", "pooling.py")
"""The files of this package that decide what a training yields."""


def training_digest(
    name: str, candidate: CandidateParams, training: TrainingParams, videos: Sequence[Video]
) -> str:
    """Sixteen hex digits: the same digest on the same kind of machine is the same candidate.

    Args:
        name: of the candidate.
        candidate: its own settings.
        training: settings that all share.
        videos: their clips' names stand for the pixels, being made of content and crop policy.
    """
    content = {
        "name": name,
        "candidate": candidate.model_dump(mode="json"),
        "training": training.model_dump(mode="json"),
        "videos": [(video.video_id, video.split, video.label, video.clip) for video in videos],
        "source": _source(Path(__file__).parents[1]),
        "torch": torch.__version__,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _source(package: Path) -> dict[str, str]:
    files = sorted(file for pattern in SOURCES for file in package.glob(pattern))
    return {
        file.relative_to(package).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files
    }
