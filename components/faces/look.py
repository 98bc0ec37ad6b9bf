"""What the pipeline sees in a video, for a person to look at: every face of every sampled frame."""

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from components.arrays import Floats32
from components.detectors.detections import Detector
from components.faces.clip import Faces, Failure
from components.faces.policy import MAX_FACES, CropPolicy
from components.faces.reply import check_places, check_times, read_faces_reply, refusing
from components.sandbox.protocol import Arrays, Header
from components.values import Amount, Frozen, WholeNumber
from components.video.frames import Frame
from components.video.info import VideoInfo
from components.video.limits import Limits
from components.video.sampling import MAX_FRAMES
from components.video.source import map_frames, probe

LOOK_SIDE = 480
"""Of a picture, px; a quarter of that area where more than `MOST_PICTURES` frames are sampled."""

MOST_PICTURES = 64
"""That are shown of a video; where more frames are sampled, these are spread over them."""

LOOK_BYTES = 3 * MOST_PICTURES * LOOK_SIDE**2 + 8 * MAX_FRAMES + 4 * 17 * MAX_FACES * MAX_FRAMES
"""Of the largest arrays of a look, next to its faces."""


@dataclass(frozen=True)
class Sighted:
    """One face in one sampled frame. Box and landmarks are px of the upright video."""

    frame: int
    track: int  # a number for each face told apart, from 0 in order of appearance
    box: Floats32  # (4,) x1, y1, x2, y2
    score: float
    landmarks: Floats32  # (5, 2); NaN: not known


@dataclass(frozen=True)
class Look:
    """What became of a video, and all that was seen on the way there."""

    result: Faces | Failure
    info: VideoInfo
    times: NDArray[np.float64]  # (N,) of the sampled frames, seconds
    pictures: NDArray[np.uint8]  # (P, H, W, 3) RGB, of the frames that `shown` names
    sighted: tuple[Sighted, ...]  # in order of time
    scored: tuple[int, ...]  # tracks, in the order of the result's clips
    cpu: float  # seconds
    wall: float  # seconds

    def parts(self) -> tuple[Header, Arrays]:
        """Returns the look as numbers that JSON can hold, and arrays."""
        numbers = {
            "info": asdict(self.info),
            "scored": self.scored,
            "cpu": self.cpu,
            "wall": self.wall,
        }
        rows = [
            np.hstack([face.frame, face.track, face.box, face.score, face.landmarks.ravel()])
            for face in self.sighted
        ]
        seen = np.array(rows, np.float32).reshape(-1, 17)
        pictures: Arrays = {"pictures": self.pictures, "seen": seen, "seen_times": self.times}
        if isinstance(self.result, Failure):
            return {"look": numbers, "failure": asdict(self.result)}, pictures
        faces, arrays = self.result.parts()
        return {"look": numbers, "faces": faces}, pictures | arrays


def sampled_frames(frames: int) -> list[int]:
    """Returns which of the sampled frames a look has pictures of."""
    count = min(frames, MOST_PICTURES)
    return [index * frames // count for index in range(count)]


def look(path: Path, policy: CropPolicy, limits: Limits, detector: Detector) -> Look:
    """Do what `extract` does, and keep what was seen.

    Raises:
        VideoFault: the video has no frames to look at.
    """
    # Only here: whoever reads looks needs neither OpenCV nor what finds faces.
    from components.faces.cutter import Cutter  # noqa: PLC0415
    from components.faces.extract import assemble, scored_tracks  # noqa: PLC0415

    cpu, wall = time.process_time(), time.perf_counter()
    cutter = Cutter(policy, detector)
    pictures: list[NDArray[np.uint8]] = []
    drawing = 0.0

    def visit(frame: Frame) -> int:
        nonlocal drawing
        index = cutter.visit(frame)
        start = time.process_time()
        del pictures[index:]  # sampling may begin anew
        pictures.append(_shrunk(frame.image, policy.sampling.lengths[1]))
        drawing += time.process_time() - start
        return index

    info = probe(path, limits)
    cutter.finish(map_frames(path, info, policy.sampling, limits, visit, cutter.restart, cutter.held))
    result = assemble(cutter, policy, info)
    numbers = {track: number for number, track in enumerate(cutter.tracks)}
    sighted = [
        Sighted(face.frame, number, face.box, face.score, face.landmarks)
        for track, number in numbers.items()
        for face in track.sightings
    ]
    return Look(
        result=result,
        info=info,
        times=np.array(cutter.times),
        pictures=np.stack([pictures[index] for index in sampled_frames(len(pictures))]),
        sighted=tuple(sorted(sighted, key=lambda face: face.frame)),
        scored=tuple(numbers[track] for track in scored_tracks(cutter, policy)),
        cpu=time.process_time() - cpu - drawing,
        wall=time.perf_counter() - wall - drawing,
    )


def _shrunk(image: NDArray[np.uint8], most: int) -> NDArray[np.uint8]:
    from PIL import Image as Picture  # noqa: PLC0415  only workers that look pay for it

    side = LOOK_SIDE if most <= MOST_PICTURES else LOOK_SIDE // 2
    picture = Picture.fromarray(image)
    picture.thumbnail((side, side))
    return np.asarray(picture)


class LookNumbers(Frozen):
    """The numbers of `Look.parts`."""

    info: VideoInfo
    scored: tuple[WholeNumber, ...] = Field(max_length=MAX_FACES)
    cpu: Amount
    wall: Amount


def read_look(header: Header, arrays: Arrays, policy: CropPolicy) -> Look | Failure:
    """Returns the answer to `look`.

    Raises:
        ProtocolError: it is not an answer that a sound worker could have given under this policy.
    """
    fields = {name: arrays.pop(name) for name in ("pictures", "seen", "seen_times") if name in arrays}
    result = read_faces_reply(header, arrays, policy)
    if isinstance(result, Failure) and "look" not in header:
        return result
    with refusing():
        numbers = LookNumbers.model_validate(header["look"])
        times, pictures, seen = fields["seen_times"], fields["pictures"], fields["seen"]
        if len(times) not in range(1, policy.sampling.lengths[1] + 1):
            raise ValueError("more or fewer frames than the policy's")
        _check(times, np.float64, (len(times),))
        check_times(times)
        _check(pictures, np.uint8, (len(sampled_frames(len(times))), *pictures.shape[1:3], 3))
        _check(seen, np.float32, (len(seen), 17))
        if min(pictures.shape) < 1 or max(pictures.shape[1:3]) > LOOK_SIDE:
            raise ValueError("not small pictures")
        sighted = tuple(_sighted(seen, len(times)))
        if not {face.track for face in sighted}.issuperset(numbers.scored):
            raise ValueError("scored faces that were not seen")
        own_numbers = {name: getattr(numbers, name) for name in LookNumbers.model_fields}
        return Look(result=result, times=times, pictures=pictures, sighted=sighted, **own_numbers)


def _check(array: NDArray[Any], dtype: type, shape: tuple[int, ...]) -> None:
    if array.dtype != dtype or array.shape != shape or not np.isfinite(array[..., :7]).all():
        raise ValueError("an array of another shape, or of no numbers")


def _sighted(seen: Floats32, frames: int) -> Iterator[Sighted]:
    """Yields the rows of the array `seen`, whose numbers may be anything."""
    check_places(seen[:, 2:6], seen[:, 7:].reshape(-1, 5, 2))
    for row in seen:
        frame, track = int(row[0]), int(row[1])
        if frame not in range(frames) or track not in range(len(seen)):
            raise ValueError("a face in a frame that was not sampled, or of no track")
        yield Sighted(frame, track, row[2:6], float(row[6]), row[7:].reshape(5, 2))
