"""From a video file to clips of face crops: sample, detect, track, crop, and assemble."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.arrays import Image, Indices
from components.detectors.detections import Detector
from components.faces.clip import Clip, Faces, Failure, Origin
from components.faces.cutter import CutFace, Cutter, central_square
from components.faces.policy import CropPolicy
from components.faces.smooth import Placed
from components.faces.track import Track
from components.video.colour import brightness, colourfulness
from components.video.container import VideoFault
from components.video.info import VideoInfo
from components.video.limits import Limits
from components.video.sampling import Consecutive, Sampling
from components.video.source import map_frames, probe

FINE_SIDE = 64
"""Px of a crop's side from which on its light and colour are measured sparsely."""


def extract(path: Path, policy: CropPolicy, limits: Limits, detector: Detector) -> Faces | Failure:
    """Cuts the faces of a video, or says why there are none."""
    cutter = Cutter(policy, detector)
    try:
        info = probe(path, limits)
        cutter.finish(
            map_frames(path, info, policy.sampling, limits, cutter.visit, cutter.restart, cutter.held)
        )
    except VideoFault as fault:
        return Failure(fault.status, fault.reason)
    return assemble(cutter, policy, info)


def assemble(cutter: Cutter, policy: CropPolicy, info: VideoInfo) -> Faces | Failure:
    """Returns the clips of the faces that are scored, or of the middle of the frame, or why there is none."""
    scored = scored_tracks(cutter, policy)
    if not scored and policy.fallback == "none":
        return _no_face(cutter, policy)
    shown = frames_shown(policy.sampling, cutter.taken)
    places = places_of(policy.sampling, cutter.taken)
    clips = [_face(track, cutter, shown, places) for track in scored] or [_middle(cutter, info, shown)]
    return Faces(
        clips=tuple(clips),
        times=np.array(cutter.times)[shown],
        frames=len(cutter.times),
        tracks=len(cutter.tracks),
        fallback=None if scored else "center",
        info=info,
    )


def scored_tracks(cutter: Cutter, policy: CropPolicy) -> list[Track]:
    """Returns the faces that the policy asks for and that show for long enough, most prominent first.

    Of several faces the highest score is the video's, so hands and ornaments, of which a detector is less
    sure, had better not be among them. The main face is scored in any case.
    """
    lasting = filter(cutter.lasts, cutter.cuts)
    ranked = sorted(lasting, key=lambda track: track.prominence, reverse=True)
    others = [track for track in ranked[1:] if track.mean_score >= policy.min_score]
    return [*ranked[:1], *others][: policy.max_clips]


def _no_face(cutter: Cutter, policy: CropPolicy) -> Failure:
    frames, tracks = len(cutter.times), cutter.tracks
    if not tracks:
        return Failure("no_face", f"no face in any of {frames} frames", frames=frames)
    seen = max(len(track.sightings) for track in tracks)
    reason = f"the face shows in {seen} of {frames} frames, {policy.min_face_share:.0%} are needed"
    return Failure("no_face", reason, frames=frames, face_share=seen / frames, tracks=len(tracks))


def _face(track: Track, cutter: Cutter, shown: Indices, places: Indices) -> Clip:
    cuts = cutter.cuts[track]
    present = np.array(sorted(cuts))
    stand_ins = nearest(present, shown, np.array(cutter.times), places)
    chosen = [cuts[int(frame)] for frame in stand_ins]
    origins = [
        cut.face.origin if frame == wanted else Origin.REPEATED
        for cut, frame, wanted in zip(chosen, stand_ins, shown, strict=True)
    ]
    return _clip(
        chosen,
        origins,
        face_share=len(track.sightings) / len(cutter.times),
        box_side=float(np.median([face.side for face in track.sightings])),
    )


def _middle(cutter: Cutter, info: VideoInfo, shown: Indices) -> Clip:
    """Returns the central square of each frame, where no face is scored."""
    box = central_square(info.width, info.height)
    face = Placed(box, np.full((5, 2), np.nan, np.float32), 0.0, Origin.DETECTED)
    cuts = [CutFace(face, cutter.centres[frame]) for frame in shown]
    origins = [Origin.DETECTED] * len(cuts)
    return _clip(cuts, origins, face_share=0.0, box_side=float(box[2] - box[0]))


def _clip(cuts: Sequence[CutFace], origins: Sequence[Origin], face_share: float, box_side: float) -> Clip:
    sparse = [sparsely(cut.crop) for cut in cuts]
    return Clip(
        crops=np.stack([cut.crop for cut in cuts]),
        boxes=np.stack([cut.face.box for cut in cuts]),
        scores=np.array([cut.face.score for cut in cuts], np.float32),
        landmarks=np.stack([cut.face.landmarks for cut in cuts]),
        origins=np.array(origins, np.uint8),
        face_share=face_share,
        box_side=box_side,
        brightness=float(np.mean([brightness(crop) for crop in sparse])),
        colourfulness=float(np.mean([colourfulness(crop) for crop in sparse])),
    )


def sparsely(crop: Image) -> Image:
    """Returns every so many pixels of a crop, at least `FINE_SIDE` to a side: for figures of all of it."""
    step = max(1, len(crop) // FINE_SIDE)
    return crop[::step, ::step]


def frames_shown(sampling: Sampling, taken: Indices) -> Indices:
    """The frames of a clip, (T,), as many as the policy asks for: those of a short video more than once."""
    least, most = sampling.lengths
    length = min(max(len(taken), least), most)
    return taken[np.arange(length) * len(taken) // length]


def places_of(sampling: Sampling, taken: Indices) -> Indices:
    """Returns at which of the policy's places each frame was taken first, (N,); 0 if all is one place."""
    if isinstance(sampling, Consecutive) and len(taken) == sampling.lengths[1]:
        return np.unique(taken, return_index=True)[1] // sampling.frames
    return np.zeros(len(np.unique(taken)), np.intp)


def nearest(present: Indices, wanted: Indices, times: NDArray[np.float64], places: Indices) -> Indices:
    """Returns the frame that stands in for each of the wanted ones: the nearest in time that shows the face.

    A frame at another place stands in only where no frame at its own place shows the face.

    Args:
        present: frames that show the face, ascending.
        wanted: (T,) frames.
        times: (N,) of all frames, seconds.
        places: (N,) of all frames.

    Returns:
        (T,) of `present`; the earlier where two are as near.
    """
    distances = np.abs(times[present] - times[wanted, None])  # (T, len(present))
    elsewhere = places[present] != places[wanted, None]
    far = 1.0 + times.max() - times.min()
    return np.asarray(present[(distances + far * elsewhere).argmin(axis=1)])
