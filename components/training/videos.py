"""The videos that a candidate trains on and is evaluated on: those with a face clip."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from components.errors import ParamsError, TrainingError
from components.params import TrainingParams
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
    dataset: str = "data"  # that it came with


def read_videos(project: Project, crop_digest: str, learning: TrainingParams) -> list[Video]:
    """Returns all videos of the project that a candidate uses.

    Args:
        project: where the tables are.
        crop_digest: of the crop policy in params.yaml.
        learning: says whether forged videos are learnt from.

    Raises:
        StageError: a table is not there yet, or the clips are of another crop digest.
        TrainingError: training or validation has no clip of a class that it needs.
        ParamsError: `mix` names a dataset that no training video is of.
    """
    joined = join(read_table(project.manifest, MANIFEST), read_faces(project.faces, crop_digest))
    videos = [video for video in joined if _is_used(video, learning)]
    for split, label in needed(learning):
        if not of_split(videos, split, LABELS[label]):
            raise TrainingError(
                f"{project.faces}: not one {label} video of split {split} has a face clip; "
                "add videos, or change ingest's shares in params.yaml"
            )
    known = sorted({video.dataset for video in of_split(videos, "train")})
    if unknown := sorted(set(learning.mix) - set(known)):
        raise ParamsError(
            f"{project.params}: mix names {', '.join(unknown)}; training videos are of {', '.join(known)}"
        )
    return videos


def needed(learning: TrainingParams) -> list[tuple[str, str]]:
    """Splits and the labels they must have.

    Forgeries to learn can be made from genuine clips. What a detector is evaluated on must be real forgeries:
    the best epoch would otherwise be the one that tells self-blended clips best.
    """
    both = [(split, label) for split in ("train", "val") for label in LABELS]
    return [pair for pair in both if pair != ("train", "fake") or not learning.self_blended]


def _is_used(video: Video, learning: TrainingParams) -> bool:
    forged = video.split == "train" and video.label == LABELS["fake"]
    return not (forged and learning.learn_from == "genuine")


def join(manifest: Iterable[Row], faces: Iterable[Row]) -> list[Video]:
    """Returns the videos that have both a split and a clip, by id: the order of the tables decides nothing.

    What fell back to the middle of the frame shows no usable face: it is predicted, but not learnt from.
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
            dataset=row["dataset"],
        )
        for row in manifest
        if row["status"] == "ok" and row["video_id"] in cut and _takes_part(row, cut[row["video_id"]])
    ]
    return sorted(videos, key=lambda video: video.video_id)


def _takes_part(row: Row, face: Row) -> bool:
    return row["split"] is not None and (row["split"] != "train" or face["fallback"] is None)


def of_split(videos: Iterable[Video], split: str, label: int | None = None) -> list[Video]:
    """Returns the videos of one split, of one class if a label is given."""
    return [video for video in videos if video.split == split and label in (None, video.label)]
