"""The clips of a project, as a training reads them."""

from collections.abc import Sequence

from components.faces.policy import CropPolicy
from components.faces.store import ClipStore
from components.params import TrainingParams
from components.project import Project
from components.training.dataset import ClipDataset
from components.training.decoded import DecodedClips
from components.training.videos import Video, of_split

ORDER = ("train", "val", "test")
"""Which clips are kept decoded where there is not room for all: those that are read most often."""


def clip_store(project: Project, settings: TrainingParams, videos: Sequence[Video]) -> DecodedClips:
    """Returns where clips come from, compressed or decoded."""
    names = [video.clip for video in sorted(videos, key=lambda video: ORDER.index(video.split))]
    return DecodedClips(ClipStore(project.clips), project.decoded, names, settings.decoded_gb * 1e9)


def learning_clips(
    project: Project, policy: CropPolicy, settings: TrainingParams, videos: Sequence[Video]
) -> tuple[ClipDataset, ClipDataset]:
    """Training and validation clips.

    Args:
        project: where the clips are.
        policy: by which they were cut.
        settings: of the candidate that learns.
        videos: of all splits.
    """
    store = clip_store(project, settings, videos)
    train = ClipDataset(of_split(videos, "train"), store, 1, policy)  # `DrawnClips` says why one face
    return train, ClipDataset(of_split(videos, "val"), store)
