"""Is the sample fair? Single features must not tell forged clips from genuine ones.

A sample that file size or sharpness alone gives away teaches a detector nothing about forgeries. Everything
here is measured on the encoded files, as a detector would meet them.
"""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from components.arrays import Floats64
from components.detectors.mtcnn import Mtcnn
from components.detectors.settings import MtcnnPolicy
from sample.scene import RenderedFrame

Box = tuple[int, int, int, int]
Detect = Callable[[RenderedFrame], Box | None]
"""Finds the face in an RGB frame: left, top, right, bottom, px; None where there is none."""

BOUNDS = {
    "file_size": 0.60,
    "brightness": 0.60,
    "sharpness": 0.60,
    "frame_difference": 0.60,
    "face_size": 0.60,
    "face_sharpness": 0.70,
    "inner_sharpness": 0.70,
    "sharpness_ratio": 0.70,
}
"""The largest folded AUC that each feature may reach by itself."""

STEP = 3
"""Faces are looked for in every third frame."""
_THUMBNAIL = (16, 16)


@dataclass(frozen=True)
class ClipLook:
    """What simple features see of one clip."""

    label: str
    method: str
    people: tuple[str, ...]  # the target first
    features: dict[str, float]
    frame_thumbnail: Floats64  # (768,) the mean frame at 16×16
    face_thumbnail: Floats64  # (768,) the mean face box at 16×16
    faces: int  # frames in which a face was found
    searched: int  # frames in which one was looked for


def face_finder(networks: Path) -> Detect:
    """Finds faces with the pipeline's own detector, from the folder of its networks."""
    mtcnn = Mtcnn(networks, MtcnnPolicy())

    def find(frame: RenderedFrame) -> Box | None:
        boxes = mtcnn.detect(frame).boxes
        if not len(boxes):
            return None
        left, top, right, bottom = (round(float(side)) for side in boxes[0])
        return left, top, right, bottom

    return find


def folded_auc(forged: NDArray[np.bool_], values: Floats64) -> float:
    """Returns the area under the ROC curve, whichever way the feature points: 0.5 to 1."""
    auc = float(roc_auc_score(forged, values))
    return max(auc, 1 - auc)


def look_at_clips(folder: Path, detect: Detect) -> Iterator[ClipLook]:
    """Measures each clip of a sample, in the manifest's order."""
    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield _look_at_clip(folder, row, detect)


def feature_aucs(looks: list[ClipLook]) -> dict[str, float]:
    """Returns the folded AUC of each single feature over all clips."""
    forged = np.array([look.label == "fake" for look in looks])
    return {name: _feature_auc(forged, np.array([look.features[name] for look in looks])) for name in BOUNDS}


def _feature_auc(forged: NDArray[np.bool_], values: Floats64) -> float:
    """The folded AUC over the clips that have this feature: one without a face has no face's features."""
    present = np.isfinite(values)
    return folded_auc(forged[present], values[present])


def thumbnail_aucs(looks: list[ClipLook]) -> dict[str, float]:
    """Returns the AUC of logistic regressions on thumbnails, on people they were not fitted on."""
    forged = np.array([look.label == "fake" for look in looks])
    # Those who swap faces with each other stay together: every target's group is named in its forged clip.
    group = {look.people[0]: min(look.people) for look in looks if look.label == "fake"}
    groups = [group[look.people[0]] for look in looks]
    views = {
        "frame": [look.frame_thumbnail for look in looks],
        "face": [look.face_thumbnail for look in looks],
    }
    return {name: _linear_auc(np.stack(pixels), forged, groups) for name, pixels in views.items()}


def _linear_auc(pixels: Floats64, forged: NDArray[np.bool_], groups: list[str]) -> float:
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
    chances = cross_val_predict(
        model, pixels, forged, groups=groups, cv=GroupKFold(6), method="predict_proba"
    )
    return folded_auc(forged, chances[:, 1])


def _look_at_clip(folder: Path, row: dict[str, str], detect: Detect) -> ClipLook:
    path = folder / row["path"]
    frames = list(_frames(path))
    searched = frames[::STEP]
    faces = [(frame, box) for frame in searched if (box := detect(frame)) is not None]
    return ClipLook(
        label=row["label"],
        method=row["method"],
        people=tuple(row["identity"].split(";")),
        features={"file_size": float(path.stat().st_size)} | _frame_features(frames) | _face_features(faces),
        frame_thumbnail=_thumbnail(frames),
        face_thumbnail=_thumbnail([_cut(frame, box) for frame, box in faces]),
        faces=len(faces),
        searched=len(searched),
    )


def _frames(path: Path) -> Iterator[RenderedFrame]:
    video = cv2.VideoCapture(str(path))
    while True:
        more, frame = video.read()
        if not more:
            return
        yield np.ascontiguousarray(frame[..., ::-1])


def _frame_features(frames: list[RenderedFrame]) -> dict[str, float]:
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32) for frame in frames]
    changes = [np.abs(later - earlier).mean() for earlier, later in pairwise(grey)]
    return {
        "brightness": float(np.mean(grey)),
        "sharpness": float(np.mean([sharpness(picture) for picture in grey])),
        "frame_difference": float(np.mean(changes)),
    }


def _face_features(faces: list[tuple[RenderedFrame, Box]]) -> dict[str, float]:
    if not faces:
        return dict.fromkeys(("face_size", "face_sharpness", "inner_sharpness", "sharpness_ratio"), np.nan)
    grey = [cv2.cvtColor(_cut(frame, box), cv2.COLOR_RGB2GRAY) for frame, box in faces]
    whole = float(np.mean([sharpness(face) for face in grey]))
    inner = float(np.mean([sharpness(_middle(face)) for face in grey]))
    sides = [np.sqrt((box[2] - box[0]) * (box[3] - box[1])) for _, box in faces]
    return {
        "face_size": float(np.median(sides)),
        "face_sharpness": whole,
        "inner_sharpness": inner,
        "sharpness_ratio": inner / whole,
    }


def sharpness(grey: RenderedFrame) -> float:
    """Variance of the Laplacian of a grey picture (H, W)."""
    return float(cv2.Laplacian(grey, cv2.CV_32F).var())


def _cut(frame: RenderedFrame, box: Box) -> RenderedFrame:
    left, top, right, bottom = box
    return frame[max(top, 0) : bottom, max(left, 0) : right]


def _middle(picture: RenderedFrame) -> RenderedFrame:
    """Returns the middle of a picture, 60 % of each side."""
    height, width = picture.shape[:2]
    return picture[height // 5 : height - height // 5, width // 5 : width - width // 5]


def _thumbnail(pictures: list[RenderedFrame]) -> Floats64:
    if not pictures:
        return np.zeros(3 * _THUMBNAIL[0] * _THUMBNAIL[1])
    small = [cv2.resize(picture, _THUMBNAIL, interpolation=cv2.INTER_AREA) for picture in pictures]
    return np.asarray(np.mean(small, axis=0).ravel(), np.float64)
