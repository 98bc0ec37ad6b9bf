"""Which detections of sampled frames are the same face. Pure: nothing here looks at a picture."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from components.arrays import Floats32
from components.detectors.boxes import overlap, overlaps
from components.detectors.detections import Detections
from components.faces.appearance import unlikeness

MATCH_REACH = 1.5
"""How far from where it is expected a face may be, in sides of its box, when time has passed.

Samples lie up to seconds apart, so boxes of one face seldom overlap; people side by side are about two
sides apart.
"""

AT_ONCE, SPEED = 0.5, 2.0
"""The same where no time has passed, and how much more it may be each second."""

FAMILIAR = 2.0
"""By which factor a face may be further away that looks just the same."""

GROWTH = 2.0
"""By which factor its side may have changed."""

SAME_LOOK = 0.45
"""How unlike (`appearance.unlikeness`) the same face may look.

Wide enough for another pose and for light that changes: people are told apart by who is the more alike
(`COST_WEIGHTS`), and by this only where one of them is missing.
"""

DOUBT = 1.25
"""How far away and how unlike a face may be together, each as a share of what it may be alone."""

COST_WEIGHTS = (1, 1, 4, 1)
"""Of distance, growth, unlikeness and lack of overlap, when it is open who is who.

Looks count most, as place and size say little where two people cross, or where seconds lie between samples.
"""

STEADY = 1.0
"""Seconds for which a face is expected to go on as it moved; longer steps do not tell how it moves."""

ADAPTED = 0.25
"""Share of the newest look in a track's."""

MAX_LIVE = 128
"""Tracks that may go on, those seen last; bounds what a flood of false alarms costs."""


@dataclass(frozen=True)
class Sighting:
    """One face in one sampled frame."""

    frame: int  # index among the sampled frames
    detection: int  # index among that frame's detections
    time: float  # seconds
    box: Floats32  # (4,) x1, y1, x2, y2
    landmarks: Floats32  # (5, 2)
    score: float

    @property
    def side(self) -> float:
        return float(max(self.box[2] - self.box[0], self.box[3] - self.box[1]))

    @property
    def centre(self) -> Floats32:
        return (self.box[:2] + self.box[2:]) / np.float32(2)


@dataclass(eq=False)
class Track:
    """The sightings of one face, in order of time, at most one in a frame."""

    sightings: list[Sighting]
    look: Floats32  # (LENGTH,)
    velocity: Floats32 = field(default_factory=lambda: np.zeros(2, np.float32))  # px/s

    @property
    def last(self) -> Sighting:
        return self.sightings[-1]

    @property
    def prominence(self) -> float:
        """How much the video is about this face: large, and there for long.

        Presence counts twice, in the sum and as a factor, so that one large false alarm does not outweigh a
        small face that is always there.
        """
        return len(self.sightings) * sum(face.side**2 * face.score for face in self.sightings)

    @property
    def mean_score(self) -> float:
        """The detector's mean score."""
        return sum(face.score for face in self.sightings) / len(self.sightings)

    def add(self, face: Sighting, look: Floats32, clear: bool) -> None:
        """Go on with a face; only a clear view of it, which no other face overlaps, changes the look."""
        passed = face.time - self.last.time
        if 0 < passed <= STEADY:
            velocity = (face.centre - self.last.centre) / np.float32(passed)
            share = np.float32(1.0 if len(self.sightings) == 1 else 0.5)
            self.velocity = self.velocity + (velocity - self.velocity) * share
        else:
            self.velocity = np.zeros(2, np.float32)
        if clear:
            self.look = (1 - ADAPTED) * self.look + ADAPTED * look
        self.sightings.append(face)


class Tracker:
    """Joins detections to tracks, frame by frame; a track may be missed for some frames and go on."""

    def __init__(self) -> None:
        self.tracks: list[Track] = []
        self.live: list[Track] = []  # those that may go on, seen last first

    def update(self, frame: int, time: float, detections: Detections, looks: Floats32) -> list[Track]:
        """Takes the next frame.

        Args:
            frame: its index.
            time: seconds, not before the last frame's.
            detections: in it.
            looks: (N, LENGTH) of these faces.

        Returns:
            The track of each detection, all different.
        """
        faces = sightings(frame, time, detections)
        clear = (overlaps(detections.boxes, detections.boxes) > 0).sum(axis=1) <= 1
        owners = match(costs(self.live, faces, looks))
        joined = [
            self._extended(owner, face, looks[index], bool(clear[index]))
            for index, (owner, face) in enumerate(zip(owners, faces, strict=True))
        ]
        waiting = [track for track in self.live if track.last.frame != frame]
        self.live = (joined + waiting)[:MAX_LIVE]
        return joined

    def _extended(self, owner: int | None, face: Sighting, look: Floats32, clear: bool) -> Track:
        if owner is None:
            track = Track([face], look)
            self.tracks.append(track)
        else:
            track = self.live[owner]
            track.add(face, look, clear)
        return track


def sightings(frame: int, time: float, detections: Detections) -> list[Sighting]:
    """Returns the detections of a frame, one by one."""
    rows = zip(detections.boxes, detections.landmarks, detections.scores, strict=True)
    return [
        Sighting(frame, index, time, box, points, float(score))
        for index, (box, points, score) in enumerate(rows)
    ]


def costs(tracks: Sequence[Track], faces: Sequence[Sighting], looks: Floats32) -> Floats32:
    """Returns how unlikely it is that each track goes on with each face: (M, N), 0 to 1; 1 is impossible."""
    if not tracks or not faces:
        return np.ones((len(tracks), len(faces)), np.float32)
    new = np.stack([face.box for face in faces])
    passed = np.array([faces[0].time - track.last.time for track in tracks], np.float32).clip(min=0)
    expected = _expected(tracks, passed, new)
    unlike = unlikeness(np.stack([track.look for track in tracks]), looks) / SAME_LOOK
    growth = np.abs(np.log(_sides(expected) / _sides(new))) / np.log(GROWTH)
    distance = _missed(expected, new) / _reach(passed, unlike)
    terms = np.stack([distance, growth, unlike, 1 - overlap(expected, new)])
    possible = (terms <= 1).all(axis=0) & (distance + unlike <= DOUBT)
    mean = np.tensordot(COST_WEIGHTS, terms, axes=1) / sum(COST_WEIGHTS)
    return np.where(possible, mean, 1).astype(np.float32)


def _missed(expected: Floats32, new: Floats32) -> Floats32:
    """Returns the distances (M, N), in sides, from the expected boxes (M, N, 4) to the new ones (N, 4)."""
    distances = np.linalg.norm(_centres(new) - _centres(expected), axis=-1)
    return np.asarray(distances / np.maximum(_sides(expected), _sides(new)), np.float32)


def _reach(passed: Floats32, unlike: Floats32) -> Floats32:
    """Returns how far away faces (M, N) may be, in sides, the more so the more alike they look."""
    familiar = 1 + (FAMILIAR - 1) * (1 - 2 * unlike).clip(0, 1)
    return np.asarray(np.minimum(MATCH_REACH, AT_ONCE + SPEED * passed)[:, None] * familiar, np.float32)


def _expected(tracks: Sequence[Track], passed: Floats32, new: Floats32) -> Floats32:
    """Returns where each track's box is expected for each of the new boxes (N, 4): (M, N, 4).

    A face may be anywhere between where it was and where it would be had it gone on as it moved; of that way,
    the point that is closest to the new box.
    """
    boxes = np.stack([track.last.box for track in tracks])
    way = np.stack([track.velocity for track in tracks]) * passed.clip(max=STEADY)[:, None]
    length = np.linalg.norm(way, axis=1, keepdims=True)
    way *= np.minimum(1, MATCH_REACH * _sides(boxes)[:, None] / np.maximum(length, 1e-6))
    wanted = _centres(new) - _centres(boxes)[:, None]  # (M, N, 2)
    share = (wanted * way[:, None]).sum(axis=2) / np.maximum((way**2).sum(axis=1), 1e-6)[:, None]
    steps = share.clip(0, 1)[..., None] * way[:, None]
    return np.asarray(boxes[:, None] + np.tile(steps, 2), np.float32)


def match(costs: Floats32) -> list[int | None]:
    """Which row (M) goes with each column (N) so that the sum of costs is least; None where all cost 1.

    Assignment is a transport problem with one unit on either side, which is what OpenCV's `EMD` solves:
    exactly, in microseconds. SciPy's solver would cost every worker 0.4 s and 48 MB to import.
    """
    rows, columns = costs.shape
    if not rows or not columns or (costs >= 1).all():
        return [None] * columns
    ones = np.ones((max(rows, columns), 1), np.float32)
    _, _, flow = cv2.EMD(ones[:rows], ones[:columns], cv2.DIST_USER, cost=np.ascontiguousarray(costs))
    owners = np.where(costs < 1, flow, 0)
    return [int(column.argmax()) if column.max() > 0.5 else None for column in owners.T]


def _centres(boxes: Floats32) -> Floats32:
    return (boxes[..., :2] + boxes[..., 2:]) / np.float32(2)


def _sides(boxes: Floats32) -> Floats32:
    return np.asarray((boxes[..., 2:] - boxes[..., :2]).max(axis=-1).clip(min=1), np.float32)
