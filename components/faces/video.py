"""What a video is, and exactly the frames of it that were asked for.

Decoding is PyAV's, sequential and on one thread, so that frame `i` is the `i`-th frame of a full
decode on every machine.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray
from pydantic import FiniteFloat

from components.faces.container import VideoFault, count_packets, decode, opened
from components.faces.policy import Count, Limits, Line, Status

Image = NDArray[np.uint8]
T = TypeVar("T")


@dataclass(frozen=True)
class VideoInfo:
    """What a video says about itself; its size is that of the upright picture."""

    frames: Count
    fps: FiniteFloat
    width: Count
    height: Count
    duration: FiniteFloat  # seconds
    codec: Line
    bytes: Count


@dataclass(frozen=True)
class Frame:
    """A decoded frame: upright RGB (H, W, 3), and its time in seconds."""

    image: Image
    time: float


def probe(path: Path, limits: Limits) -> VideoInfo:
    """Read the header, hold it against the limits, then decode one frame as a proof.

    Nothing is allocated for a picture before the file's size, its dimensions and its duration have passed.

    Raises:
        VideoFault: the file is not a video that can be decoded, or it breaks a limit.
    """
    with opened(path, limits) as (container, stream):
        fps = float(stream.average_rate or stream.guessed_rate or 0)
        duration = _header_duration(container, stream)
        _check_header(stream, duration, limits)
        frames = stream.frames or count_packets(container, stream)
    duration = duration or (frames / fps if fps else 0.0)
    if duration > limits.max_seconds:
        raise VideoFault("too_large", f"{duration:.0f} s long; the limit is {limits.max_seconds:.0f} s")
    if frames < limits.min_frames:
        raise VideoFault("too_short", f"{frames} frames; at least {limits.min_frames} are needed")
    with opened(path, limits) as (container, stream):
        first = next(decode(container, stream), None)
        if first is None:
            raise VideoFault("undecodable", "no frame can be decoded; the file is cut short or damaged")
        width, height = first.width, first.height
        if _quarter_turns(first) % 2:
            width, height = height, width
        return VideoInfo(frames, fps, width, height, duration, stream.codec.name, path.stat().st_size)


def sample_frames(path: Path, count: int, limits: Limits) -> tuple[list[Image], list[float]]:
    """Decode `count` evenly spaced frames, fewer where the video has fewer.

    Returns:
        The frames, RGB (H, W, 3), and their times in seconds. For long lists prefer `map_frames`,
        which holds one frame at a time.

    Raises:
        VideoFault: as `probe`, or too few frames can be decoded.
    """
    frames = map_frames(path, probe(path, limits), count, limits, lambda frame: frame)
    return [frame.image for frame in frames], [frame.time for frame in frames]


def map_frames(
    path: Path, info: VideoInfo, count: int, limits: Limits, visit: Callable[[Frame], T]
) -> list[T]:
    """Apply `visit` to `count` evenly spaced frames in time order, with one frame in memory at a time.

    A header may promise more frames than the file holds. Then the frames that can be decoded are
    counted and sampled afresh, so that the samples are evenly spaced all the same.

    Raises:
        VideoFault: fewer than `limits.min_frames` frames can be decoded.
    """
    wanted = evenly_spaced(info.frames, count)
    results, decodable = _visit_frames(path, wanted, info.fps, limits, visit)
    if len(results) == len(wanted):
        return results
    if decodable < limits.min_frames:
        status: Status = "too_short" if decodable else "undecodable"
        raise VideoFault(status, f"only {decodable} of {info.frames} frames can be decoded")
    return _visit_frames(path, evenly_spaced(decodable, count), info.fps, limits, visit)[0]


def evenly_spaced(total: int, count: int) -> list[int]:
    """The middles of `count` equal parts of `range(total)`; all of it where `total` is less.

    Middles rather than ends: the first and last frames of a video are often black or a title.
    """
    if total <= count:
        return list(range(total))
    return [(2 * part + 1) * total // (2 * count) for part in range(count)]


def _visit_frames(
    path: Path, wanted: list[int], fps: float, limits: Limits, visit: Callable[[Frame], T]
) -> tuple[list[T], int]:
    """Results for the wanted frames that exist, and how many frames were decoded for that."""
    results: list[T] = []
    decoded = 0
    with opened(path, limits) as (container, stream):
        for index, frame in enumerate(decode(container, stream)):
            decoded = index + 1
            if index != wanted[len(results)]:
                continue
            results.append(visit(Frame(upright(frame), _time(frame, index, fps))))
            if len(results) == len(wanted):
                break
    return results, decoded


def _header_duration(container: InputContainer, stream: VideoStream) -> float:
    """Seconds; 0 where the header does not tell, or tells less than nothing."""
    if stream.duration and stream.time_base:
        return max(0.0, float(stream.duration * stream.time_base))
    return max(0.0, (container.duration or 0) / av.time_base)


def _check_header(stream: VideoStream, duration: float, limits: Limits) -> None:
    if stream.width * stream.height > limits.max_pixels:
        size = f"{stream.width}×{stream.height} px"
        raise VideoFault("too_large", f"{size} a frame; the limit is {limits.max_pixels} px")
    if not math.isfinite(duration) or duration > limits.max_seconds:
        raise VideoFault("too_large", f"{duration:.0f} s long; the limit is {limits.max_seconds:.0f} s")


def _quarter_turns(frame: VideoFrame) -> int:
    """Counter-clockwise quarter turns that bring the picture upright."""
    return round(frame.rotation / 90) % 4


def upright(frame: VideoFrame) -> Image:
    """A frame as RGB (H, W, 3), turned as the video says that it is to be shown."""
    image = frame.to_ndarray(format="rgb24", threads=1).astype(np.uint8, copy=False)
    turns = _quarter_turns(frame)
    return np.ascontiguousarray(np.rot90(image, turns)) if turns else image


def _time(frame: VideoFrame, index: int, fps: float) -> float:
    if frame.pts is not None and frame.time_base is not None:
        return float(frame.pts * frame.time_base)
    return index / fps if fps else 0.0
