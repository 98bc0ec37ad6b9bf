"""What a video is, and exactly the frames of it that were asked for.

Frames are bit for bit those of a full decode by PyAV on one thread. Most are had for a small part of its cost
(`seek.Walk`); where that might not be exact, the whole video is decoded.
"""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

from components.faces.ahead import Inexact
from components.faces.container import VideoFault, decode, holds_more, opened, tally
from components.faces.limits import Amount, Count, Limits, Line, Size, Status
from components.faces.rendering import Image, render, shown_size
from components.faces.sampling import Chooser, Even, Sampling, chosen, moments
from components.faces.seek import Walk

T = TypeVar("T")

COUNTED = 64 * 2**20
"""Bytes of a file that is read through to count its frames, where its header does not tell."""

MAX_PIXELS = 5 * 10**9
"""Decoded at most for the few pictures of `map_spread`, 10 to 50 s of one core."""


@dataclass(frozen=True)
class VideoInfo:
    """What a video says about itself, as far as it is true; its size is that of the pictures shown."""

    frames: Count
    fps: Amount  # 0: untold
    width: Size
    height: Size
    duration: Amount  # seconds
    codec: Line
    bytes: Count


@dataclass(frozen=True)
class Frame:
    """A picture as it is shown, RGB (H, W, 3), and its time in seconds."""

    image: Image
    time: float


def probe(path: Path, limits: Limits) -> VideoInfo:
    """Read the header, hold it against the limits and the file, then decode one frame as a proof.

    Nothing is allocated for a picture before the file's size, its dimensions and its duration have passed.

    Raises:
        VideoFault: the file is not a video that can be decoded, or it breaks a limit.
    """
    with opened(path, limits) as (container, stream):
        fps = float(stream.average_rate or stream.guessed_rate or 0)
        duration = _header_duration(container, stream)
        _check_header(stream, duration, limits)
        frames = stream.frames or _estimated_frames(container, duration * fps)
        told = frames and not holds_more(container, stream, duration)
    if not told:
        with opened(path, limits) as (container, stream):
            frames, seconds = tally(container, stream)
            duration = seconds or (frames / fps if fps else duration)
    duration = duration or (frames / fps if fps else 0.0)
    if duration > limits.max_seconds:
        raise VideoFault("too_large", f"{duration:.0f} s long; the limit is {limits.max_seconds:.0f} s")
    if 0 < frames < limits.min_frames:
        raise VideoFault("too_short", f"{frames} frames; at least {limits.min_frames} are needed")
    with opened(path, limits) as (container, stream):
        first = next(decode(container, stream), None) if frames else None
        if first is None:
            raise VideoFault("undecodable", "no frame can be decoded; the file is cut short or damaged")
        width, height = shown_size(first, stream.sample_aspect_ratio, limits)
        return VideoInfo(frames, fps, width, height, duration, stream.codec.name, path.stat().st_size)


def sample_frames(path: Path, count: int, limits: Limits) -> tuple[list[Image], list[float]]:
    """Decode `count` evenly spaced frames, fewer where the video has fewer.

    Returns:
        The frames, RGB (H, W, 3), and their times in seconds. For long lists prefer `map_frames`,
        which holds one frame at a time.

    Raises:
        VideoFault: as `probe`, or too few frames can be decoded.
    """
    frames = map_frames(path, probe(path, limits), Even(frames=count), limits, lambda frame: frame)
    return [frame.image for frame in frames], [frame.time for frame in frames]


def map_frames(
    path: Path,
    info: VideoInfo,
    sampling: Sampling,
    limits: Limits,
    visit: Callable[[Frame], T],
    restart: Callable[[], None] = lambda: None,
) -> list[T]:
    """Apply `visit` to the frames that a policy takes, in order of time, one of them in memory at a time.

    Args:
        path: the video.
        info: what `probe` told of it.
        sampling: which frames are taken.
        limits: what the video may cost.
        visit: called once for a frame, also for one that is taken more often (of a video that shows it long).
        restart: called where what was visited is void: the video turns out to be another than its header
            told, or needs a full decode. Then the frames come anew.

    Returns:
        What `visit` returned, as often as the frame is taken.

    Raises:
        VideoFault: fewer than `limits.min_frames` frames can be decoded.
    """
    found = _walk(path, info, sampling, limits, visit, restart)
    return found if found is not None else _decode_all(path, info, sampling, limits, visit)


def map_spread(
    path: Path, info: VideoInfo, count: int, limits: Limits, visit: Callable[[Frame], T]
) -> list[T]:
    """Apply `visit` to the pictures shown at the middles of `count` equal parts of a video's time.

    Returns:
        Results in order of time, fewer than `count` where the video has fewer frames; none where finding
        the pictures would cost too much.

    Raises:
        VideoFault: fewer than `limits.min_frames` frames can be decoded.
    """
    even = Even(frames=count)
    affordable = MAX_PIXELS // (info.width * info.height)
    found = _walk(path, info, even, limits, visit, affordable=affordable)
    if found is None and info.frames <= affordable:
        return _decode_all(path, info, even, limits, visit)
    return found or []


def _walk(
    path: Path,
    info: VideoInfo,
    sampling: Sampling,
    limits: Limits,
    visit: Callable[[Frame], T],
    restart: Callable[[], None] = lambda: None,
    affordable: float = math.inf,
) -> list[T] | None:
    """Results by passing over what is not needed; None where that cannot be exact."""
    for jumping in (True, False):
        results: list[T] = []
        chooser = Chooser(moments(sampling, info))
        with opened(path, limits) as (container, stream):
            walk = Walk(container, stream, chooser, info, affordable, jumping=jumping)
            try:
                for frame, time, count in walk:
                    shown = Frame(render(frame, info.width, info.height), time)
                    results += [visit(shown)] * count
            except Inexact:
                restart()
                if walk.jumped:
                    continue
                return None
            return results
    return None


def _decode_all(
    path: Path, info: VideoInfo, sampling: Sampling, limits: Limits, visit: Callable[[Frame], T]
) -> list[T]:
    """Results by decoding the whole video, first to learn what is there.

    A header may promise more frames than the file holds; the frames are taken from those that are there.
    """
    times, end = _times(path, info, limits)
    if len(times) < limits.min_frames:
        status: Status = "too_short" if times else "undecodable"
        raise VideoFault(status, f"only {len(times)} of {info.frames} frames can be decoded")
    actual = replace(info, frames=len(times), duration=end)
    counts = Counter(chosen(times, moments(sampling, actual)))
    results: list[T] = []
    with opened(path, limits) as (container, stream):
        for index, frame in zip(range(max(counts) + 1), decode(container, stream), strict=False):
            if index in counts:
                shown = Frame(render(frame, info.width, info.height), times[index])
                results += [visit(shown)] * counts[index]
    return results


def _times(path: Path, info: VideoInfo, limits: Limits) -> tuple[list[float], float]:
    """When each frame that can be decoded is shown, and when the last one ends; seconds from the first."""
    stamps: list[float] = []
    last = 0.0
    with opened(path, limits) as (container, stream):
        tick = float(stream.time_base or 0)  # a frame's own is missing at the end of some videos
        for frame in decode(container, stream):
            stamps.append(math.nan if frame.pts is None else frame.pts * tick)
            last = (frame.duration or 0) * tick
    times = np.array(stamps) - (stamps[0] if stamps else 0.0)
    if np.isnan(times).any() or (np.diff(times) < 0).any():  # none are told, or they are of joined parts
        times, last = np.arange(len(times)) / (info.fps or 1.0), 0.0
    end = float(times[-1]) + (last or 1 / (info.fps or 1.0)) if len(times) else 0.0
    return times.tolist(), end


def _header_duration(container: InputContainer, stream: VideoStream) -> float:
    """Seconds; 0 where the header does not tell, or tells less than nothing."""
    if stream.duration and stream.time_base:
        return max(0.0, float(stream.duration * stream.time_base))
    return max(0.0, (container.duration or 0) / av.time_base)


def _estimated_frames(container: InputContainer, promised: float) -> int:
    """Frames of a long Matroska file, which does not count them; 0 where counting them costs little."""
    long = container.format.name.startswith("matroska") and container.size > COUNTED
    return round(promised) if long and math.isfinite(promised) else 0


def _check_header(stream: VideoStream, duration: float, limits: Limits) -> None:
    if stream.width * stream.height > limits.max_pixels:
        size = f"{stream.width}×{stream.height} px"
        raise VideoFault("too_large", f"{size} a frame; the limit is {limits.max_pixels} px")
    if not math.isfinite(duration) or duration > limits.max_seconds:
        raise VideoFault("too_large", f"{duration:.0f} s long; the limit is {limits.max_seconds:.0f} s")
