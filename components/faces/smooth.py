"""Boxes and landmarks along a track: averaged over time, and filled in between neighbours that agree."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.arrays import Floats32
from components.detectors.boxes import overlap
from components.faces.clip import Origin
from components.faces.track import Sighting

KERNEL_SIGMAS = 3.0
"""Samples further away than this many sigmas weigh nothing."""

LONGEST_GAP = 2.0
"""Seconds between two sightings, at most, between which a box is filled in.

People who talk stay about where they are for longer, but another shot may have come and gone meanwhile.
"""

AGREEMENT = 0.5
"""Intersection over union of two boxes between which one is filled in, at least."""


@dataclass(frozen=True)
class Placed:
    """Where a face is in a frame, whether the detector saw it there or not."""

    box: Floats32  # (4,)
    landmarks: Floats32  # (5, 2)
    score: float  # 0 where the detector did not see it
    origin: Origin


def placed(sightings: Sequence[Sighting], frame: int, time: float, sigma: float, reach: int) -> Placed | None:
    """Returns where a track's face is in a frame.

    Args:
        sightings: of the track, in order of time.
        frame: index among the sampled frames.
        time: of that frame, seconds.
        sigma: of the smoothing, seconds.
        reach: frames to either side that take part in smoothing; no longer gap is filled.

    Returns:
        None where the face was not seen, and cannot be filled in either.
    """
    recent = sightings[-2 * reach - 2 :]
    current = next((face for face in recent if face.frame == frame), None) or _filled(
        recent, frame, time, reach
    )
    if current is None:
        return None
    near = [face for face in recent if 0 < abs(face.frame - frame) <= reach] + [current]
    times = np.array([face.time for face in near])
    box, landmarks = (
        smoothed(times, np.stack(values), time, sigma)
        for values in ([face.box for face in near], [face.landmarks for face in near])
    )
    if (box[:2] > box[2:]).any():  # a line through boxes that shrink fast may turn one inside out
        box = current.box
    origin = Origin.DETECTED if current.detection >= 0 else Origin.INTERPOLATED
    return Placed(box, landmarks, current.score, origin)


def _filled(sightings: Sequence[Sighting], frame: int, time: float, reach: int) -> Sighting | None:
    """Returns a face between the sightings before and after a frame, if these are close and agree."""
    before = next((face for face in reversed(sightings) if face.frame < frame), None)
    after = next((face for face in sightings if face.frame > frame), None)
    if before is None or after is None or after.frame - before.frame - 1 > reach or not agree(before, after):
        return None
    passed = after.time - before.time
    share = np.float32((time - before.time) / passed if passed > 0 else 0.5)
    box = before.box + (after.box - before.box) * share
    landmarks = before.landmarks + (after.landmarks - before.landmarks) * share
    return Sighting(frame, -1, time, box, landmarks, 0.0)


def agree(before: Sighting, after: Sighting) -> bool:
    """Tells whether what lies between two sightings of a face may be filled in.

    Boxes at either side of a gap may belong to another shot, or to a face that went away and came back.
    """
    near = after.time - before.time <= LONGEST_GAP
    return near and bool(overlap(before.box, after.box) >= AGREEMENT)


def smoothed(times: NDArray[np.float64], values: Floats32, at: float, sigma: float) -> Floats32:
    """Returns the value at a moment of the line that fits the values around it best.

    A line rather than a mean (Cleveland, 1979, https://doi.org/10.1080/01621459.1979.10481038): a face that
    moves steadily stays where it is, also at the ends of a track. The weights are a Gaussian's over time, so
    values that lie further apart than `KERNEL_SIGMAS` sigmas are left as they are.

    Args:
        times: (N,) seconds; one of them is `at`.
        values: (N, …) at those times.
        at: seconds.
        sigma: of the weights, seconds; 0 leaves the values as they are.
    """
    nearest: Floats32 = values[int(np.abs(times - at).argmin())]
    near = np.abs(times - at) <= KERNEL_SIGMAS * sigma
    if near.sum() < 3 or not np.isfinite(nearest).all():  # a line through two points meets both
        return nearest
    near &= np.isfinite(values.reshape(len(values), -1)).all(axis=1)
    weights = np.exp(-(((times[near] - at) / sigma) ** 2) / 2)
    weights /= weights.sum()
    offsets = times[near] - at
    offsets_mean = weights @ offsets
    rows = values[near].reshape(len(offsets), -1).astype(np.float64)
    mean = weights @ rows
    leaning = weights * (offsets - offsets_mean)
    variance = leaning @ offsets
    slope = leaning @ rows / variance if variance > 0 else np.zeros_like(mean)
    return np.asarray((mean - slope * offsets_mean).reshape(nearest.shape), np.float32)
