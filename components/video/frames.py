"""What a video is, and exactly the frames of it that were asked for.

Frames are bit for bit those of a full decode by PyAV on one thread. Most are had for a small part of its cost
(`seek.Walk`); where that might not be exact, the whole video is decoded.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from components.arrays import Image
from components.video.ahead import Inexact
from components.video.container import VideoFault, decode, holds_more, opened, tally
from components.video.gallery import Gallery, Once, Refused, Repeated
from components.video.held import Held, face_pauses
from components.video.info import VideoInfo
from components.video.limits import Limits, Status
from components.video.pauses import Pauses, Timeline, find_pauses, longest_hold
from components.video.rendering import render_frame, shown_size
from components.video.repeats import check_pictures, decode_times, repeated_frames
from components.video.sampling import Chooser, Even, Sampling, chosen, moments
from components.video.seek import Walk
from components.video.survey import Survey, survey

T = TypeVar("T")

COUNTED = 64 * 2**20
"""Bytes of a file that is read through to count its frames, where its header does not tell."""

MAX_PIXELS = 5 * 10**9
"""Decoded at most for the few pictures of `map_spread`, 10 to 50 s of one core."""


@dataclass(frozen=True)
class Frame:
    """A picture as it is shown, RGB (H, W, 3), and its time in seconds."""

    image: Image
    time: float


def probe(path: Path, limits: Limits) -> VideoInfo:
    """Reads the header, holds it against the limits and the file, then decodes one frame as a proof.

    Nothing is allocated for a picture before the file's size, its dimensions and its duration have passed.

    Raises:
        VideoFault: the file is not a video that can be decoded, or it breaks a limit.
    """
    with opened(path, limits) as (container, stream):
        fps = float(stream.average_rate or stream.guessed_rate or 0)
        duration = _header_duration(container, stream)
        _check_header(stream, duration, limits)
        frames = stream.frames or _estimated_frames(container, duration * fps)
        trusted = frames and not holds_more(container, stream, duration)
    if not trusted:
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
    """Decodes `count` evenly spaced frames, fewer where the video has fewer.

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
    held: Held = list,
) -> list[T]:
    """Applies `visit` to the frames that a policy takes, in order of time, one of them in memory at a time.

    Args:
        path: the video.
        info: what `probe` told of it.
        sampling: which frames are taken.
        limits: what the video may cost.
        visit: called once for a frame, also for one that is taken more often (of a video that shows it long).
        restart: called where what was visited is void: the video turns out to be another than its header
            told, or needs a full decode. Then the frames come anew.
        held: faces that look the same in several of the frames visited; each then counts once.

    Returns:
        What `visit` returned, as often as the frame is taken; nothing for one that shows no new picture.

    Raises:
        VideoFault: fewer than `limits.min_frames` frames can be decoded, or that are different pictures.
    """
    surveyed = survey(path, info, limits, COUNTED)
    request = Request(path, info, sampling, limits)
    results, once = _each_once(request, _time_lines(request, surveyed), visit, restart)
    for line in face_pauses(path, info, limits, held, MAX_PIXELS):
        restart()
        results, once = _each_once(request, iter([line]), visit, restart)
    check_pictures(len(once.gallery), min(limits.min_frames, once.wanted), info)
    return results


def map_spread(
    path: Path, info: VideoInfo, count: int, limits: Limits, visit: Callable[[Frame], T]
) -> list[T]:
    """Applies `visit` to the pictures shown at the middles of `count` equal parts of a video's time.

    Returns:
        Results in order of time, fewer than `count` where the video has fewer frames; none where finding
        the pictures would cost too much.

    Raises:
        VideoFault: fewer than `limits.min_frames` frames can be decoded, or that are different pictures.
    """
    surveyed = replace(survey(path, info, limits, COUNTED), quiet=False)  # no reason to look at each frame
    request = Request(path, info, Even(frames=count), limits, MAX_PIXELS // (info.width * info.height))
    return _each_once(request, _time_lines(request, surveyed), visit, lambda: None)[0]


@dataclass(frozen=True)
class Request:
    """Which frames are taken of which video."""

    path: Path
    info: VideoInfo
    sampling: Sampling
    limits: Limits
    affordable: float = math.inf  # frames that may be decoded


def _each_once(
    request: Request,
    lines: Iterator[tuple[Pauses, Refused]],
    visit: Callable[[Frame], T],
    restart: Callable[[], None],
) -> tuple[list[T], Once[T]]:
    """Returns results of pictures that were not seen before, by the first time line that shows none twice."""
    info = request.info
    for pauses, refused in lines:
        shown = pauses.without(info)
        gallery = Gallery(longest_hold(shown.duration / shown.frames), refused)
        once = Once(
            lambda frame, time: visit(Frame(render_frame(frame, info.width, info.height), time)),
            restart,
            gallery,
        )
        with suppress(Repeated):
            return _take(request, once, pauses), once
        restart()
    raise AssertionError("the last time line refuses nothing")


def _time_lines(request: Request, surveyed: Survey) -> Iterator[tuple[Pauses, Refused]]:
    """Its pauses: those without frames, those in which pictures stand still, or were shown before."""
    if not surveyed.quiet:
        yield surveyed.pauses, "alike"
    line = repeated_frames(request.path, request.info, request.limits, MAX_PIXELS)
    if line is None:
        yield surveyed.pauses, "none"
        return
    yield from compared_lines(line, request.info, request.limits)


def compared_lines(line: Timeline, info: VideoInfo, limits: Limits) -> Iterator[tuple[Pauses, Refused]]:
    """Yields pauses of frames that were compared.

    Raises:
        VideoFault: fewer than `limits.min_frames` are different pictures.
    """
    lines: list[tuple[Timeline, Refused]] = [(line, "same"), (line.once(), "none")]
    for known, refused in lines:
        pauses = find_pauses(known)
        if pauses.starts:
            check_pictures(pauses.frames, limits.min_frames, info)
        yield pauses, "copies" if line.moves else refused


def _take(request: Request, once: Once[T], pauses: Pauses) -> list[T]:
    """Returns results by walking, or else by a full decode; none where neither can be afforded.

    Raises:
        Repeated: as `once`.
        VideoFault: fewer than `limits.min_frames` frames can be decoded.
    """
    results = _walk(request, once, pauses)
    if results is None and request.info.frames <= request.affordable:
        return _decode_all(request, once, pauses)
    return results or []


def _walk(request: Request, once: Once[T], pauses: Pauses) -> list[T] | None:
    """Returns results by passing over what is not needed; None where that cannot be exact."""
    info, affordable = request.info, request.affordable
    for jumping in (True, False):
        results: list[T] = []
        places = moments(request.sampling, pauses.without(info), pauses)
        chooser, once.wanted = Chooser(places), sum(place.run for place in places)
        with opened(request.path, request.limits) as (container, stream):
            walk = Walk(container, stream, chooser, info, affordable, pauses=pauses, jumping=jumping)
            try:
                for frame, time, count in walk:
                    results += once(frame, time, count)
            except Inexact:
                once.again()
                if walk.jumped:
                    continue
                return None
            if chooser.waited:
                once.gallery.refuse()
            return results
    return None


def _decode_all(request: Request, once: Once[T], pauses: Pauses) -> list[T]:
    """Returns results by decoding the whole video, first to learn what is there.

    A header may promise more frames than the file holds; the frames are taken from those that are there.
    """
    path, info, limits = request.path, request.info, request.limits
    line = decode_times(path, info, limits)
    if len(line.times) < limits.min_frames:
        status: Status = "too_short" if len(line.times) else "undecodable"
        raise VideoFault(status, f"only {len(line.times)} of {info.frames} frames can be decoded")
    if once.gallery.refused == "alike":
        pauses = find_pauses(line)  # packets may have told otherwise
    shown = [index for index, time in enumerate(line.times.tolist()) if not pauses.hold(time)]
    actual = pauses.without(replace(info, frames=len(shown), duration=line.end))
    taken = chosen(line.times[shown].tolist(), moments(request.sampling, actual, pauses))
    counts = Counter(shown[index] for index in taken)
    once.wanted = len(counts)
    results: list[T] = []
    with opened(path, limits) as (container, stream):
        for index, frame in zip(range(max(counts) + 1), decode(container, stream), strict=False):
            if index in counts:
                results += once(frame, float(line.times[index]), counts[index])
    return results


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
