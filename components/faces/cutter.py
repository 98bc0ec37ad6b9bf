"""Follows the faces through a video's sampled frames and cuts them out, with few frames in memory."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from components.arrays import Floats32, Image
from components.detectors.detections import Detections, Detector
from components.faces.align import on_template
from components.faces.appearance import LENGTH, looks
from components.faces.crop import around, crop_face, cut_face
from components.faces.policy import FARTHEST, MAX_FACES, CropPolicy
from components.faces.smooth import Placed, placed
from components.faces.track import Track, Tracker
from components.video.frames import Frame
from components.video.held import HeldFace, Watch

LOOK_AHEAD = 4
"""Frames that are seen before a frame is cut: so many to either side smooth its boxes, and no longer gap
is filled. At 25 frames a second that is all that a smoothing of 0.05 s asks for."""

CLOSE = 0.1
"""Seconds from the frame before, at most, for the detector to be told where the faces were."""

AFRESH = 8
"""Every so many frames the detector is not told, so that newcomers are found."""

ESTABLISHED = 3
"""Sightings from which on a face that is missing for a moment is looked for."""

CROPS_MEMORY = 128 * 2**20
"""Bytes of crops that are kept while it is open which faces will be scored, unless a clip needs more."""


@dataclass(frozen=True)
class CutFace:
    """A face in one sampled frame, and its picture."""

    face: Placed
    crop: Image  # (S, S, 3)


class Cutter:
    """Takes the sampled frames in order of time, then tells what was cut.

    Attributes:
        times: (N,) of the frames, seconds.
        taken: frames in the order in which the policy asks for them, one as often as it does.
        tracks: all faces told apart.
        cuts: of each track by frame; of tracks that are out of the running, none.
        centres: middles of the frames, where the policy falls back on these.
    """

    def __init__(self, policy: CropPolicy, detector: Detector) -> None:
        self._policy, self._detector = policy, detector
        self._margin = 0.0 if not policy.detector.looks else policy.margin
        self._room = _room(policy)
        self.restart()

    def restart(self) -> None:
        """Forgets all frames."""
        self._tracker = Tracker()
        self._window: deque[Image] = deque()
        self._watch = Watch()
        self._told = 0  # frames in a row for which the detector was told where the faces were
        self.times: list[float] = []
        self.taken = np.empty(0, np.intp)
        self.cuts: dict[Track, dict[int, CutFace]] = {}
        self.centres: list[Image] = []
        self._dropped: set[Track] = set()

    @property
    def tracks(self) -> list[Track]:
        """All faces told apart, in order of appearance."""
        return self._tracker.tracks

    def held(self) -> list[HeldFace]:
        """Returns faces that look the same in several of the frames."""
        return self._watch.held

    def visit(self, frame: Frame) -> int:
        """Takes the next frame and returns its index."""
        detections = _best(self._detector.detect(frame.image, self._near(frame.time)))
        self._tracker.update(len(self.times), frame.time, detections, self._looks(frame.image, detections))
        if self._policy.detector.looks:
            self._watch.see(frame.image, detections.boxes, frame.time)
        self.times.append(frame.time)
        self._window.append(frame.image)
        if self._policy.fallback == "center":
            middle = central_square(frame.image.shape[1], frame.image.shape[0])
            self.centres.append(crop_face(frame.image, middle, self._policy.size, 0.0))
        if len(self._window) > LOOK_AHEAD:
            self._cut_oldest()
        return len(self.times) - 1

    def finish(self, taken: Sequence[int] | None = None) -> None:
        """Cuts the frames that are still held.

        Args:
            taken: the frames that were sampled, in order of time, one as often as it was taken, as
                `map_frames` tells; None where that is each once.
        """
        self.taken = np.array(range(len(self.times)) if taken is None else taken, np.intp)
        while self._window:
            self._cut_oldest()

    def lasts(self, track: Track) -> bool:
        """Tells whether a face shows in as many of the frames so far as the policy asks for."""
        return len(track.sightings) / len(self.times) >= self._policy.min_face_share

    def _near(self, time: float) -> Floats32 | None:
        """Returns where the faces were a moment ago, if it was a moment ago."""
        boxes = [track.last.box for track in self._tracker.live if self._is_near(track)]
        if not boxes or time - self.times[-1] >= CLOSE or self._told >= AFRESH - 1:
            self._told = 0
            return None
        self._told += 1
        return np.stack(boxes)

    def _is_near(self, track: Track) -> bool:
        away = len(self.times) - 1 - track.last.frame
        return away == 0 or (away <= LOOK_AHEAD and len(track.sightings) >= ESTABLISHED)

    def _looks(self, image: Image, detections: Detections) -> Floats32:
        if not self._policy.detector.looks:  # another shot is no other face
            return np.zeros((len(detections.boxes), LENGTH), np.float32)
        return looks(image, detections.boxes)

    def _cut_oldest(self) -> None:
        frame = len(self.times) - len(self._window)
        image = self._window.popleft()
        for track in self._tracker.live:
            face = placed(track.sightings, frame, self.times[frame], self._policy.smoothing, LOOK_AHEAD)
            if face is not None and track not in self._dropped:
                self.cuts.setdefault(track, {})[frame] = CutFace(face, self._crop(image, face))
        self._make_room()

    def _crop(self, image: Image, face: Placed) -> Image:
        place, size = None, self._policy.size
        if self._policy.align == "landmarks":
            place = on_template(face.landmarks, face.box, size, self._margin)
        if place is None:
            place = around(face.box, size, self._margin)
        return cut_face(image, place, size, self._policy.border)

    def _make_room(self) -> None:
        """Gives up the faces least likely to be scored where the crops of all would fill the memory."""
        while sum(map(len, self.cuts.values())) > self._room and len(self.cuts) > self._policy.max_clips:
            least = min(self.cuts, key=lambda track: (self.lasts(track), track.prominence))
            self._dropped.add(least)
            del self.cuts[least]


def _room(policy: CropPolicy) -> int:
    """Returns how many crops may be kept."""
    return max(policy.max_clips * policy.sampling.lengths[1], CROPS_MEMORY // (3 * policy.size**2))


def _best(detections: Detections) -> Detections:
    """Returns the faces that are looked at: of those that have a place, which a network may fail to tell."""
    low, high = detections.boxes[:, :2], detections.boxes[:, 2:]
    within = (np.abs(detections.boxes) <= FARTHEST).all(axis=1) & np.isfinite(detections.scores)
    kept = detections.only(np.flatnonzero(within & (low <= high).all(axis=1))[:MAX_FACES])
    known = np.abs(kept.landmarks) <= FARTHEST
    return Detections(kept.boxes, kept.scores, np.where(known, kept.landmarks, np.float32(np.nan)))


def central_square(width: int, height: int) -> Floats32:
    """Returns the largest square in the middle of a frame."""
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    return np.array([left, top, left + side, top + side], np.float32)
