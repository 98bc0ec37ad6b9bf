"""What a worker may answer. It has handled untrusted bytes, so every value is checked before it is used."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter

from components.arrays import Floats32
from components.faces.clip import Faces, Failure, Origin
from components.faces.policy import FARTHEST, CropPolicy
from components.sandbox.protocol import Arrays, Header, ProtocolError
from components.values import Frozen, Share, WholeNumber
from components.video.colour import MOST_COLOURFUL
from components.video.examine import Examined
from components.video.info import VideoInfo
from components.video.still import STILL_SIDE, Still

ArrayLayout = dict[str, tuple[np.dtype[Any], tuple[int, ...]]]


STILL_BYTES = STILL_SIDE * STILL_SIDE * 3
"""Of the largest still."""


# Made once: that takes longer than a hundred checks.
_INFO = TypeAdapter(VideoInfo)
_EXAMINED = TypeAdapter(Examined)
_FAILURE = TypeAdapter(Failure)


class ClipNumbers(Frozen):
    """The numbers of a `Clip`."""

    face_share: Share
    box_side: float = Field(ge=0.0, le=2 * FARTHEST)
    brightness: Share
    colourfulness: float = Field(ge=0.0, le=MOST_COLOURFUL)


class FacesNumbers(Frozen):
    """The numbers of `Faces.parts`."""

    clips: tuple[ClipNumbers, ...] = Field(min_length=1)
    frames: WholeNumber
    tracks: WholeNumber
    fallback: Literal["center"] | None
    info: VideoInfo


def layout(policy: CropPolicy, clips: int, length: int) -> ArrayLayout:
    """Returns type and shape of each array of a video's faces: `clips` of them, each of `length` frames."""
    size = policy.size
    return {
        "crops": (np.dtype(np.uint8), (clips, length, size, size, 3)),
        "boxes": (np.dtype(np.float32), (clips, length, 4)),
        "scores": (np.dtype(np.float32), (clips, length)),
        "landmarks": (np.dtype(np.float32), (clips, length, 5, 2)),
        "origins": (np.dtype(np.uint8), (clips, length)),
        "times": (np.dtype(np.float64), (length,)),
    }


def faces_bytes(policy: CropPolicy) -> int:
    """Returns bytes of the largest arrays that a video's faces can have."""
    largest = layout(policy, policy.max_clips, policy.sampling.lengths[1])
    return sum(int(np.prod(shape)) * dtype.itemsize for dtype, shape in largest.values())


def read_info(header: Header) -> VideoInfo | Failure:
    """Returns the answer to `probe`.

    Raises:
        ProtocolError: it is not an answer that a sound worker could have given.
    """
    with refusing():
        if "failure" in header:
            return _failure(header)
        return _INFO.validate_python(header["info"])


def read_examined(header: Header) -> Examined | Failure:
    """Returns the answer to `examine`.

    Raises:
        ProtocolError: it is not an answer that a sound worker could have given.
    """
    with refusing():
        if "failure" in header:
            return _failure(header)
        return _EXAMINED.validate_python(header["examined"])


def read_still(header: Header, arrays: Arrays) -> Still | Failure:
    """Returns the answer to `still`.

    Raises:
        ProtocolError: it is not an answer that a sound worker could have given.
    """
    with refusing():
        if "failure" in header:
            return _failure(header)
        image = arrays["still"]
        height, width, channels = image.shape
        sides = range(1, STILL_SIDE + 1)
        if image.dtype != np.uint8 or channels != 3 or height not in sides or width not in sides:
            raise ValueError("not a small picture")
        return Still(image)


def read_faces_reply(header: Header, arrays: Arrays, policy: CropPolicy) -> Faces | Failure:
    """Returns the answer to `extract`.

    Raises:
        ProtocolError: it is not an answer that a sound worker could have given under this policy.
    """
    with refusing():
        if "failure" in header:
            return _failure(header)
        numbers = FacesNumbers.model_validate(header["faces"])
        (length,), (shortest, longest) = arrays["times"].shape, policy.sampling.lengths
        if not shortest <= length <= longest or len(numbers.clips) > policy.max_clips:
            raise ValueError("more or fewer frames or faces than the policy's")
        expected = layout(policy, len(numbers.clips), length)
        if {name: (array.dtype, array.shape) for name, array in arrays.items()} != expected:
            raise ValueError("arrays of another shape than the policy's")
        _check_numbers(numbers, policy, length)
        _check_values(arrays)
        return Faces.from_parts(numbers.model_dump(), arrays)


def _check_numbers(numbers: FacesNumbers, policy: CropPolicy, length: int) -> None:
    if numbers.frames not in range(1, length + 1):
        raise ValueError("a clip that is shorter than what was sampled for it, or of nothing")
    if numbers.fallback not in (None, policy.fallback):
        raise ValueError("a fallback that the policy does not allow")
    if numbers.fallback and len(numbers.clips) > 1:
        raise ValueError("several faces where none was found")


def _check_values(arrays: Arrays) -> None:
    if not np.isfinite(arrays["scores"]).all():
        raise ValueError("no numbers")
    check_times(arrays["times"])
    check_places(arrays["boxes"], arrays["landmarks"])
    if not np.isin(arrays["origins"], list(Origin)).all():
        raise ValueError("crops that come from nowhere")


def check_times(times: NDArray[np.float64]) -> None:
    """Raises ValueError unless times (N,) are seconds from a start, not descending."""
    if not np.isfinite(times).all() or (times < 0).any() or (np.diff(times) < 0).any():
        raise ValueError("no times of frames in their order")


def check_places(boxes: Floats32, landmarks: Floats32) -> None:
    """Raises ValueError unless boxes (…, 4) and landmarks (…, 5, 2) can be those of faces in a picture."""
    if not (np.abs(boxes) <= FARTHEST).all() or (boxes[..., :2] > boxes[..., 2:]).any():
        raise ValueError("no boxes")
    if (np.abs(landmarks) > FARTHEST).any():
        raise ValueError("no places")  # not a number: not known


def _failure(header: Header) -> Failure:
    failure = _FAILURE.validate_python(header["failure"])
    if failure.status == "ok":
        raise ValueError("a failure that is none")
    return failure


@contextmanager
def refusing() -> Iterator[None]:
    """Whatever fails inside means that a worker's answer is none."""
    try:
        yield
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ProtocolError(type(error).__name__) from error  # nothing of what the worker says is repeated
