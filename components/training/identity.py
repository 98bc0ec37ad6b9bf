"""The digest that names a training: everything that decides its outcome, and nothing else."""

import hashlib
import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import cv2

from components.params import CandidateParams
from components.training.videos import Video

FACES = ("align.py", "compression.py", "crop.py", "in_crop.py", "policy.py", "store.py")
OTHERS = ("drawing.py", "parent.py", "pooling.py", "tables.py", *(f"faces/{name}" for name in FACES))
SOURCES = ("models/*.py", "models/weights/*", "training/*.py", *OTHERS)
"""The files of this package that decide what the stage writes: those on which it depends in dvc.yaml."""

PACKAGES = ("torch", "torchvision", "timm", "lightning", "numpy")
"""What networks, draws, augmentation and steps are made with; asked for their versions without an import."""


def training_digest(name: str, settings: CandidateParams, videos: Sequence[Video]) -> str:
    """Sixteen hex digits: the same digest on the same kind of machine is the same candidate.

    Args:
        name: of the candidate.
        settings: what it is, and how it learns.
        videos: their clips' names stand for the pixels, being made of content and crop policy.
    """
    content = {
        "name": name,
        "settings": settings.model_dump(mode="json", exclude={"workers", "decoded_gb"}),
        "videos": [
            (video.video_id, video.group, video.split, video.label, video.method, video.clip, video.dataset)
            for video in videos
        ],
        "source": _source(Path(__file__).parents[1]),
        "packages": {package: version(package) for package in PACKAGES} | {"opencv": cv2.__version__},
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _source(package: Path) -> dict[str, str]:
    files = sorted(file for pattern in SOURCES for file in package.glob(pattern))
    return {
        file.relative_to(package).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files
    }
