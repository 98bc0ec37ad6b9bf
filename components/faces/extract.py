"""From a video file to a clip of face crops: sample, detect, track, crop."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.faces.clip import Clip, Faces, Failure, Origin
from components.faces.container import VideoFault
from components.faces.crop import crop_face
from components.faces.detections import Detections, Detector
from components.faces.policy import MAX_FACES, CropPolicy, Limits
from components.faces.track import Track, link, main_track, sightings
from components.faces.video import Frame, VideoInfo, map_frames, probe


@dataclass(frozen=True)
class Observation:
    """What is kept of a frame, so that one frame at a time is in memory."""

    time: float
    found: Detections
    crops: list[NDArray[np.uint8]]  # one per detection


def extract(path: Path, policy: CropPolicy, limits: Limits, detector: Detector) -> Faces | Failure:
    """Cut the clip of a video's main face, or say why there is none."""
    try:
        info = probe(path, limits)
        seen = map_frames(
            path, info, policy.sampling.lengths[1], limits, lambda frame: _observe(frame, policy, detector)
        )
    except VideoFault as fault:
        return Failure(fault.status, fault.reason)
    tracks = link(sightings([o.found.boxes for o in seen], [o.found.scores for o in seen]))
    if not tracks:
        return Failure("no_face", f"no face in any of {len(seen)} frames", frames=len(seen))
    track = main_track(tracks)
    share = len(track) / len(seen)
    if share < policy.min_face_share:
        reason = (
            f"the face shows in {len(track)} of {len(seen)} frames, {policy.min_face_share:.0%} are needed"
        )
        return Failure("no_face", reason, frames=len(seen), face_share=share, tracks=len(tracks))
    return _faces(seen, track, len(tracks), policy.sampling.lengths[1], info)


def _observe(frame: Frame, policy: CropPolicy, detector: Detector) -> Observation:
    all_faces = detector.detect(frame.image)
    found = Detections(
        all_faces.boxes[:MAX_FACES], all_faces.scores[:MAX_FACES], all_faces.landmarks[:MAX_FACES]
    )
    crops = [crop_face(frame.image, box, policy.size, policy.margin) for box in found.boxes]
    return Observation(frame.time, found, crops)


def _faces(seen: Sequence[Observation], track: Track, tracks: int, length: int, info: VideoInfo) -> Faces:
    chosen = [track[index] for index in fill([face.frame for face in track], len(seen), length)]
    frames = [seen[face.frame] for face in chosen]
    clip = Clip(
        crops=np.stack([o.crops[face.detection] for o, face in zip(frames, chosen, strict=True)]),
        boxes=np.stack([face.box for face in chosen]),
        scores=np.array([face.score for face in chosen], np.float32),
        landmarks=np.stack([o.found.landmarks[f.detection] for o, f in zip(frames, chosen, strict=True)]),
        origins=np.full(len(chosen), Origin.DETECTED, np.uint8),
        face_share=len(track) / len(seen),
        box_side=float(np.median([face.side for face in track])),
    )
    times = np.array([o.time for o in frames], np.float64)
    return Faces((clip,), times, frames=len(seen), tracks=tracks, fallback=None, info=info)


def fill(present: Sequence[int], sampled: int, length: int) -> list[int]:
    """Which of the frames with the face stands at each of a clip's places: the nearest one in time.

    Args:
        present: indices of the frames that show the face, ascending, out of `range(sampled)`.
        sampled: frames that were sampled; less than `length` where the video is short.
        length: frames of the clip.

    Returns:
        `length` ascending indices into `present`; the earlier frame where two are as near.
    """
    places = np.arange(length) * (sampled / length)
    distances = np.abs(np.asarray(present)[None] - places[:, None])  # (length, len(present))
    return [int(index) for index in distances.argmin(axis=1)]
