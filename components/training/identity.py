"""The digest that names a training: everything that decides its outcome, and nothing else."""

from collections.abc import Sequence
from importlib.metadata import version

import cv2

from components.fingerprint import digest, fingerprint
from components.params import CandidateParams
from components.training.videos import Video

PACKAGES = ("torch", "torchvision", "timm", "lightning", "numpy")
"""What networks, draws, augmentation and steps are made with; asked for their versions without an import."""


def training_digest(name: str, settings: CandidateParams, videos: Sequence[Video]) -> str:
    """Returns sixteen hex digits: the same digest on the same kind of machine is the same candidate.

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
        "code": fingerprint("components.stages.train"),
        "packages": {package: version(package) for package in PACKAGES} | {"opencv": cv2.__version__},
    }
    return digest(content, length=16)
