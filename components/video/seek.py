"""Frames at given moments, exactly those of a full decode, for a small part of its cost.

It is known of a frame whether it is taken before it is decoded (`ahead.py`). So the decoder may pass over
those that are not and that no frame builds on (FFmpeg's `skip_frame`), and what lies before a keyframe that
is ahead is not even read. A frame is given out only while all signs say that a full decode would give it.
"""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from components.video.ahead import Ahead, Inexact
from components.video.container import Packet, decode_packet
from components.video.pauses import NO_PAUSES, Pauses
from components.video.sampling import Chooser

if TYPE_CHECKING:  # `video` walks by what is here
    from components.video.info import VideoInfo

EARLIER = (0.0, 0.0, 1.0, 4.0, 16.0)
"""Seconds before a moment at which its keyframe is sought, but for the first time by the time of decoding.

Containers without an index lead to any frame, so it may have to be sought from well before."""

FAR = 10.0
"""Seconds to the next moment from which on a jump is tried where no index tells of keyframes."""

GUESSING = ("mpeg", "ogg")
"""Containers whose time stamps are those of pages, not of frames: after a jump they may be off by a frame."""

Taken = tuple[VideoFrame, float, int]
"""A frame, its time in seconds from the first, and how often it is taken."""


class Walk:
    """One way through a video, in order of time.

    Args:
        container: opened, nothing read yet.
        stream: of it.
        chooser: tells which frames are taken.
        info: what `probe` told of the video.
        affordable: packets that may be decoded.
        pauses: frames within them are not taken.
        jumping: pass over what lies before a keyframe.

    Attributes:
        jumped: something was passed over.
    """

    def __init__(
        self,
        container: InputContainer,
        stream: VideoStream,
        chooser: Chooser,
        info: "VideoInfo",
        affordable: float = math.inf,
        *,
        pauses: Pauses = NO_PAUSES,
        jumping: bool = True,
    ) -> None:
        self._container = container
        self._stream = stream
        self._chooser = chooser
        self._affordable = affordable
        self._jumping = jumping and container.format.name not in GUESSING
        self._skipping = _may_skip(stream)
        self._ahead = Ahead(container, stream, chooser, info.duration / info.frames, pauses)
        self._frames = info.frames
        self._earlier = 0  # which of EARLIER led to a keyframe the last time
        self._goal = -math.inf  # the moment to which a jump was last thought of
        self._awaited: dict[int, int] = {}  # time stamps of frames that are taken, and in the decoder
        self._shown = -math.inf  # time stamp of the last frame
        self.jumped = False

    def __iter__(self) -> Iterator[Taken]:
        """Walks up to the last frame that is taken.

        Raises:
            Inexact: a frame may not be what a full decode gives.
            MemoryError: the worker's limit stands in the way of decoding.
        """
        if self._container.format.name == "avi" and self._stream.codec.name in {"h264", "hevc"}:
            raise Inexact("the container has no time stamps for frames that are shown out of order")
        self._ahead.begin()
        while not self._chooser.done or self._ahead.taking:
            if self._keyframe_ahead():
                yield from self._decoded(None, 0)  # the decoder would wait for more
                self._jump()
            packet, count = self._ahead.next()
            if packet is None:
                break
            yield from self._decoded(packet, count)
        yield from self._decoded(None, 0)
        if not self._chooser.done:
            raise Inexact("the video ends before its time")
        if self._ahead.goes_on():
            raise Inexact("the video has more frames than it told")

    def _decoded(self, packet: Packet | None, count: int) -> Iterator[Taken]:
        """Decodes a packet, or at None what the decoder holds; the frames that are taken."""
        if packet and packet.pts is not None and count:
            self._awaited[packet.pts] = count
        for frame in self._decode(packet, count):
            if frame.pts is None:
                raise Inexact("a frame without a time stamp")
            if frame.pts < self._ahead.landed:  # shown before the keyframe, and built on what was passed over
                continue
            self._check(frame, frame.pts)
            if taken := self._awaited.pop(frame.pts, 0):
                yield frame, self._ahead.time(frame.pts), taken
        if packet is None and self._awaited:
            raise Inexact("a frame is missing")

    def _decode(self, packet: Packet | None, count: int) -> list[VideoFrame]:
        self._affordable -= 1
        if self._affordable < 0:
            raise Inexact("too much to decode")
        codec = self._stream.codec_context
        # Some decoders take the setting only when they are opened: the first packet is never to be skipped.
        every = count or not self._skipping or not codec.is_open
        codec.skip_frame = "DEFAULT" if every else "NONREF"
        try:
            return decode_packet(self._stream, packet)
        except MemoryError:
            raise
        except av.FFmpegError as error:
            if packet and packet.pts is not None and packet.pts < self._ahead.landed:
                return []
            raise Inexact("a damaged packet") from error

    def _check(self, frame: VideoFrame, stamp: int) -> None:
        """Raises Inexact where something speaks against a frame."""
        landed = self._ahead.landed
        if self.jumped and self._shown < landed and not (frame.key_frame and stamp == landed):
            raise Inexact("what seemed to be a keyframe is none")
        if stamp <= self._shown:
            raise Inexact("frames out of order")
        if frame.is_corrupt:
            raise Inexact("a damaged frame")
        if frame.interlaced_frame and self._container.format.name.startswith("mpeg"):
            raise Inexact("packets may hold half a frame each")
        if self._awaited and min(self._awaited) < stamp:
            raise Inexact("a frame is missing")
        self._shown = stamp

    def _keyframe_ahead(self) -> bool:
        """Tells, once for each moment, whether a jump towards it is likely to save something."""
        moment = self._chooser.upcoming
        if (
            not self._jumping
            or self._ahead.guessing
            or self._ahead.taking
            or moment is None
            or moment == self._goal
        ):
            return False
        self._goal = moment
        target = self._ahead.stamp(moment)
        entries = self._stream.index_entries
        entry = entries.search_timestamp(target - self._ahead.delay)  # in some, times of decoding
        if entry >= 0 and entries[entry].timestamp > self._ahead.reached:
            return True
        complete = self._frames <= len(entries)
        return not complete and moment - self._ahead.reached_time > FAR

    def _jump(self) -> None:
        """Go to a keyframe before the next moment."""
        reached = self._ahead.reached
        self.jumped = True
        for place in range(self._earlier, len(EARLIER)):
            delay = self._ahead.delay if place else 0
            if self._seek(self._ahead.stamp(self._goal - EARLIER[place]) - delay):
                self._earlier = place
                self._shown = -math.inf
                self._jumping = self._ahead.landed > reached  # else it cost more than it saved
                return
        raise Inexact("no keyframe is found")

    def _seek(self, stamp: int) -> bool:
        """Tells whether seeking a time stamp leads to a keyframe that is shown before the next moment."""
        try:
            self._container.seek(max(stamp, self._ahead.earliest), stream=self._stream)
        except (av.FFmpegError, OSError, OverflowError):
            return False
        self._ahead.restart()
        return self._ahead.land(self._ahead.stamp(self._goal))


def _may_skip(stream: VideoStream) -> bool:
    """Tells whether frames that are marked as no one's reference are just that.

    In HEVC the mark holds for their own temporal layer only (H.265, 7.4.2.2), so there must be one layer.
    """
    if stream.codec.name != "hevc":
        return True
    headers = stream.codec_context.extradata or b""
    parameters = headers.find(b"\x40\x01")  # a video parameter set; 12 bits on, its layers less one
    return 0 <= parameters < len(headers) - 3 and headers[parameters + 3] >> 1 & 7 == 0
