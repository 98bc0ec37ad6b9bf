"""Which detections of sparsely sampled frames are the same face. Pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

REACH = 1.5
"""How far a face may have moved between two samples, in sides of its box.

Samples lie up to seconds apart, so boxes of one face seldom overlap; people side by side are about two
sides apart.
"""

GROWTH = 2.0
"""By which factor its side may have changed."""


@dataclass(frozen=True)
class Sighting:
    """One face in one sampled frame."""

    frame: int  # index among the sampled frames
    detection: int  # index among that frame's detections
    box: Floats  # (4,) x1, y1, x2, y2
    score: float

    @property
    def side(self) -> float:
        return float(max(self.box[2] - self.box[0], self.box[3] - self.box[1]))

    @property
    def centre(self) -> Floats:
        return (self.box[:2] + self.box[2:]) / np.float32(2)


Track = list[Sighting]


def sightings(boxes: Sequence[Floats], scores: Sequence[Floats]) -> list[list[Sighting]]:
    """Frames of detections, (N, 4) and (N,), as frames of sightings."""
    return [
        [
            Sighting(frame, index, box, float(score))
            for index, (box, score) in enumerate(zip(*found, strict=True))
        ]
        for frame, found in enumerate(zip(boxes, scores, strict=True))
    ]


def link(frames: Sequence[Sequence[Sighting]]) -> list[Track]:
    """Join sightings to tracks: in each frame the closest pairs first, the rest begin tracks of their own."""
    tracks: list[Track] = []
    for found in frames:
        pairs = [
            (gap(track[-1], face), t, f) for t, track in enumerate(tracks) for f, face in enumerate(found)
        ]
        taken_tracks: set[int] = set()
        taken_faces: set[int] = set()
        for cost, t, f in sorted(pairs):
            if cost <= 1.0 and t not in taken_tracks and f not in taken_faces:
                tracks[t].append(found[f])
                taken_tracks.add(t)
                taken_faces.add(f)
        tracks.extend([face] for f, face in enumerate(found) if f not in taken_faces)
    return tracks


def gap(last: Sighting, face: Sighting) -> float:
    """How unlike two sightings are; above 1 they cannot be the same face."""
    sides = sorted((max(last.side, 1.0), max(face.side, 1.0)))
    distance = float(np.linalg.norm(face.centre - last.centre)) / (REACH * sides[1])
    growth = np.log(sides[1] / sides[0]) / np.log(GROWTH)
    return max(distance, float(growth))


def main_track(tracks: Sequence[Track]) -> Track:
    """The face that the video is about: large, and there for long.

    Presence counts twice, in the sum and as a factor, so that one large false alarm does not outweigh a
    small face that is always there.
    """
    return max(tracks, key=lambda track: len(track) * sum(face.side**2 * face.score for face in track))
