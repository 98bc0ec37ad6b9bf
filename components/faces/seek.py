"""A few pictures spread over a video, found by seeking: a long video costs some groups of pictures, not all.

Sampling goes by time, not by frame number, so that a copy at another frame rate shows the same pictures.
"""

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from components.faces.container import decode, opened
from components.faces.policy import Limits
from components.faces.video import Frame, VideoInfo, map_frames, upright

T = TypeVar("T")

MAX_PIXELS = 5 * 10**9
"""Decoded for one video at most, 10 to 50 s of one core; bounds long videos that have hardly a keyframe."""

EARLIER = (0.0, 10.0)
"""Seconds before a moment at which its keyframe is sought: some containers lead to the keyframe after it."""

NEAR = 1.0
"""Seconds before a moment from which on every picture is decoded; until then, those that others build on."""

TOLERANCE = 2.0
"""Frames by which the first picture may begin after a moment, or the last one before it."""


def map_spread(
    path: Path, info: VideoInfo, count: int, limits: Limits, visit: Callable[[Frame], T]
) -> list[T]:
    """Apply `visit` to the pictures shown at the middles of `count` equal parts of a video's time.

    Where seeking does not lead there, the video is decoded from its beginning, if that is affordable.

    Returns:
        Results in order of time, fewer than `count` where the video has fewer frames; none where finding
        the pictures would cost too much.

    Raises:
        VideoFault: fewer than `limits.min_frames` frames can be decoded.
    """
    results = _seek_each(path, info, count, limits, visit)
    if len(results) == count:
        return results
    if info.frames * info.width * info.height > MAX_PIXELS:
        return []
    return map_frames(path, info, count, limits, visit)


def _seek_each(
    path: Path, info: VideoInfo, count: int, limits: Limits, visit: Callable[[Frame], T]
) -> list[T]:
    """Results up to the first moment that cannot be found."""
    results: list[T] = []
    with opened(path, limits) as (container, stream):
        walk = _Walk(container, stream, info)
        for part in range(count):
            moment = (part + 0.5) / count * info.duration
            frame = walk.shown_at(moment)
            if frame is None:
                break
            results.append(visit(Frame(upright(frame), moment)))
    return results


class _Walk:
    """Decodes forward through a video, and jumps where a keyframe lies ahead.

    Args:
        container: opened.
        stream: of it.
        info: what probing gave.
    """

    def __init__(self, container: InputContainer, stream: VideoStream, info: VideoInfo) -> None:
        self._container = container
        self._stream = stream
        self._affordable = MAX_PIXELS // (info.width * info.height)  # frames
        self._tolerance = TOLERANCE * info.duration / info.frames
        self._tick = float(stream.time_base or 0)
        self._start = stream.start_time or 0
        self._frames: Iterator[VideoFrame] = iter(())
        self._shown: VideoFrame | None = None
        self._next: VideoFrame | None = None  # decoded already, but shown later

    def shown_at(self, moment: float) -> VideoFrame | None:
        """The picture shown at a moment, in seconds from the start, later than those asked for before."""
        if not self._keyframe_ahead(moment):
            return self._forward_to(moment)
        for earlier in EARLIER:
            if self._jump(moment - earlier) and (frame := self._forward_to(moment)):
                return frame
        return None

    def _keyframe_ahead(self, moment: float) -> bool:
        """Tell whether a jump saves decoding; where the container has no index, it is taken to."""
        if self._next is None or self._next.pts is None:
            return True
        entries = self._stream.index_entries
        found = entries.search_timestamp(self._timestamp(moment))
        return found < 0 or entries[found].timestamp > self._next.pts

    def _jump(self, moment: float) -> bool:
        self._shown = self._next = None
        try:
            self._container.seek(self._timestamp(max(moment, 0.0)), stream=self._stream)
        except (av.FFmpegError, OSError, OverflowError, ZeroDivisionError):
            return False
        self._frames = decode(self._container, self._stream)
        return True

    def _forward_to(self, moment: float) -> VideoFrame | None:
        """Decode until the picture that follows begins after the moment."""
        if self._next is None:
            self._next = self._decoded(moment)
        while self._next and self._time(self._next) <= moment:
            self._shown, self._next = self._next, self._decoded(moment)
        if self._shown and self._next:
            return self._shown
        frame = self._shown or self._next  # the last of the video, or its first
        return frame if frame and abs(self._time(frame) - moment) <= self._tolerance else None

    def _decoded(self, moment: float) -> VideoFrame | None:
        """The next picture; None at the end, or where no more can be afforded."""
        reached = self._time(self._shown) if self._shown else 0.0
        self._stream.codec_context.skip_frame = "NONREF" if moment - reached > NEAR else "DEFAULT"
        self._affordable -= 1
        return next(self._frames, None) if self._affordable >= 0 else None

    def _time(self, frame: VideoFrame) -> float:
        """Seconds from the start; not a number where the container does not tell."""
        return math.nan if frame.pts is None else (frame.pts - self._start) * self._tick

    def _timestamp(self, moment: float) -> int:
        return self._start + round(moment / self._tick)
