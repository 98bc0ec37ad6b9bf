"""The videos that a candidate trains on and is judged by: those with a face clip."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from components.errors import TrainingError
from components.project import Project
from components.tables import MANIFEST, read_faces, read_table

LABELS = {"real": 0, "fake": 1}

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Video:
    """One video with a face clip."""

    video_id: str
    group: str
    split: str
    label: int  # 1 is fake
    method: str
    clip: str  # file in the clip store


def read_videos(project: Project, crop_digest: str) -> list[Video]:
    """All videos of the project that can be used.

    Args:
        project: where the tables are.
        crop_digest: of the crop policy in params.yaml.

    Raises:
        StageError: a table is not there yet, or the clips are of another crop digest.
        TrainingError: training or validation has no clip of a class.
    """
    videos = join(read_table(project.manifest, MANIFEST), read_faces(project.faces, crop_digest))
    for split in ("train", "val"):
        for label, number in LABELS.items():
            if not of_split(videos, split, number):
                raise TrainingError(
                    f"{project.faces}: not one {label} video of split {split} has a face clip; "
                    "add videos, or change ingest's shares in params.yaml"
                )
    return videos


def join(manifest: Iterable[Row], faces: Iterable[Row]) -> list[Video]:
    """The videos that have both a split and a clip, by id: the order of the tables decides nothing.

    What fell back to the middle of the frame shows no usable face: it is judged, but not learnt from.
    """
    cut = {row["video_id"]: row for row in faces if row["status"] == "ok"}
    videos = [
        Video(
            video_id=row["video_id"],
            group=row["group"],
            split=row["split"],
            label=LABELS[row["label"]],
            method=row["method"],
            clip=cut[row["video_id"]]["clip"],
        )
        for row in manifest
        if row["status"] == "ok" and row["video_id"] in cut and _takes_part(row, cut[row["video_id"]])
    ]
    return sorted(videos, key=lambda video: video.video_id)


def _takes_part(row: Row, face: Row) -> bool:
    return row["split"] is not None and (row["split"] != "train" or face["fallback"] is None)


def of_split(videos: Iterable[Video], split: str, label: int | None = None) -> list[Video]:
    """The videos of one split, of one class if a label is given."""
    return [video for video in videos if video.split == split and label in (None, video.label)]
