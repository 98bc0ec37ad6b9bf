"""Opening untrusted video files, so that nothing but the file itself can be reached.

A file is opened as a Python object: FFmpeg is told which containers it may recognise, and every
attempt to open anything else (playlists, external references, a network address) is refused.
"""

import math
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NoReturn, TypeAlias

import av
import numpy as np
from av.container import InputContainer
from av.stream import Discard, Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from components.video.formats import FORMATS
from components.video.limits import Limits, Status

CONTAINERS = tuple(FORMATS)
"""FFmpeg's demuxers that are allowed; `mov` is mp4 too, `matroska` is webm too."""


if TYPE_CHECKING:
    Packet: TypeAlias = av.Packet[VideoStream]
else:  # it is generic for type checkers only
    Packet = av.Packet

BESIDE = Disposition.still_image | Disposition.timed_thumbnails | Disposition.dependent
"""What a stream is that only goes with another."""

ROUNDED = 0.1
"""Seconds that a header may tell less than there are, as by rounding."""

BYTES_PER_PIXEL = 2
"""Of a decoder's frame: 1.5 at 4:2:0, and what surrounds the picture."""


class VideoFault(Exception):  # noqa: N818  a fault of the video, not of the program
    """A video cannot be used; `reason` is one line that does not name the file."""

    def __init__(self, status: Status, reason: str) -> None:
        super().__init__(reason)
        self.status: Status = status
        self.reason = reason


@contextmanager
def opened(path: Path, limits: Limits) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Opens a file and finds its video stream, set to decode on one thread.

    Raises:
        VideoFault: the file is not a container that is accepted, or holds no video that can be decoded.
    """
    options = {
        "format_whitelist": ",".join(CONTAINERS),
        "protocol_whitelist": "none",  # `_refuse` covers most demuxers, this those that open by themselves
        "max_pixels": str(limits.max_pixels),  # holds inside FFmpeg too, should the size grow mid-stream
        "threads": "1",
    }
    with _checked(path, limits) as file:
        try:
            container = av.open(file, mode="r", options=options, io_open=_refuse)
        except MemoryError:  # the worker's limit, not damage; an FFmpegError too
            raise
        except (av.FFmpegError, OSError) as error:
            raise VideoFault("undecodable", _why_not_opened(error, path)) from error
        with container:
            stream = _video_stream(container)
            for other in container.streams:
                if other is not stream:
                    other.discard = Discard.all  # need not even be read
            stream.codec_context.thread_count = 1
            stream.codec_context.options = {"max_pixels": str(limits.max_pixels)}
            yield container, stream


def _checked(path: Path, limits: Limits) -> BinaryIO:
    try:
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):  # opening a pipe or a device could wait for ever
            raise VideoFault("undecodable", "not a regular file")
        if not state.st_size:
            raise VideoFault("undecodable", "the file is empty")
        if state.st_size > limits.max_bytes:
            raise VideoFault("too_large", f"{state.st_size} bytes; the limit is {limits.max_bytes}")
        return path.open("rb")
    except OSError as error:
        raise VideoFault("undecodable", f"cannot be read: {error.strerror}") from error


def _refuse(url: str, *_: object) -> NoReturn:
    raise PermissionError(f"a video may not open {url}")


def _why_not_opened(error: Exception, path: Path) -> str:
    if isinstance(error, OSError) and not isinstance(error, av.FFmpegError):
        return f"cannot be read: {error.strerror}"
    with path.open("rb") as file:
        head = file.read(12)
    if head[4:8] in {b"ftyp", b"moov", b"mdat", b"wide", b"free"}:
        return "an mp4 whose index is missing; the file is cut short or damaged"
    return "not a video file; accepted are mp4, mov, mkv, webm, avi, ts, mpg, flv, wmv and ogv"


def _video_stream(container: InputContainer) -> VideoStream:
    """The stream that a player would show: one that moves, marked as the default, the largest, the longest.

    The cover of a song is a video stream to FFmpeg, and is passed over.
    """
    videos = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not videos:
        raise VideoFault("undecodable", "no video stream; the file holds only sound or data")
    decodable = [stream for stream in videos if stream.codec_context]
    if not decodable:
        raise VideoFault("undecodable", "no decoder for the codec of its video stream")
    if container.format.name.startswith("mov") and any(stream.frames > 1 for stream in decodable):
        decodable = [stream for stream in decodable if stream.frames]  # of fragments no header tells
    return max(decodable, key=_prominence)  # of equals the first


def _prominence(stream: VideoStream) -> tuple[bool, bool, int, float]:
    """Returns what is compared of two streams, in this order."""
    moves = stream.frames != 1 and not stream.disposition & BESIDE
    default = bool(stream.disposition & Disposition.default)
    seconds = float((stream.duration or 0) * (stream.time_base or 0))
    return moves, default, stream.width * stream.height, seconds


def packets(container: InputContainer, stream: VideoStream) -> Iterator[Packet | None]:
    """Yields the stream's packets in decoding order, from where the container stands.

    The last is None, which makes a decoder hand out what it holds; it also stands where a file ends early.
    """
    try:
        for packet in container.demux(stream):
            if packet.size:  # an empty one stands for no frame, but would end the decoding
                yield packet
    except MemoryError:
        raise
    except av.FFmpegError:
        pass
    yield None


def holds_more(container: InputContainer, stream: VideoStream, duration: float) -> bool:
    """Tells whether a file holds other frames than its header tells, or later ones.

    The index is counted, and the file is read from where it should end: next to nothing of an honest one.
    It is not defined where the container stands afterwards.

    Args:
        container: opened, nothing read yet.
        stream: of it.
        duration: seconds, as the header tells them.
    """
    tick, start = float(stream.time_base or 0), stream.start_time or 0
    if not tick or not _agrees(stream):
        return True
    indexed = container.format.name.startswith("mov")  # each of its frames
    try:
        container.seek(start + int(duration / tick), stream=stream, any_frame=indexed)
    except (av.FFmpegError, OSError, OverflowError):
        return True
    for packet in packets(container, stream):
        if packet is None or packet.is_discard:
            continue
        stamp = packet.dts if packet.pts is None else packet.pts
        if stamp is not None and (stamp - start) * tick > duration + ROUNDED:
            return True
    return not _agrees(stream)  # fragments that were read by now count


def _agrees(stream: VideoStream) -> bool:
    """Tells whether the index has as many frames as the header tells, if it tells."""
    return stream.frames in {0, sum(not entry.is_discard for entry in stream.index_entries)}


def tally(container: InputContainer, stream: VideoStream) -> tuple[int, float]:
    """Reads all packets, where the header does not say what there is; none is decoded.

    Returns:
        How many should yield a frame, and the seconds from the first frame to the end of the last; 0 where
        the time stamps do not tell.
    """
    frames, latest = 0, -math.inf
    first, end = math.inf, -math.inf
    for packet in packets(container, stream):
        if packet is None or packet.is_discard:
            continue
        frames += 1
        if packet.pts is None or (packet.dts is not None and packet.dts < latest):
            first = -math.inf  # parts that were joined: their times say nothing
        else:
            first, end = min(first, packet.pts), max(end, packet.pts + (packet.duration or 0))
            latest = latest if packet.dts is None else packet.dts
    span = float((end - first) * (stream.time_base or 0))
    return frames, span if math.isfinite(span) else 0.0


def decode(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """Yields all frames in display order; packets that are damaged are passed over.

    Raises:
        MemoryError: the worker's limit stands in the way of decoding.
    """
    for packet in packets(container, stream):
        try:
            yield from decode_packet(stream, packet)
        except MemoryError:
            raise
        except av.FFmpegError:
            _need_memory(stream)


def decode_packet(stream: VideoStream, packet: Packet | None) -> list[VideoFrame]:
    """Returns the frames that a decoder hands out for a packet; at None, all that it holds.

    Raises:
        MemoryError: the worker's limit stands in the way of decoding.
        av.FFmpegError: the packet is damaged.
    """
    frames = stream.decode(packet)
    if not frames:
        _need_memory(stream)
    return frames


def _need_memory(stream: VideoStream) -> None:
    """Raises MemoryError where one more frame could not be held.

    Decoders (FFmpeg's H.264 among them) pass over a frame for which they get no memory, and tell nobody.
    """
    np.empty((stream.height, stream.width, BYTES_PER_PIXEL), np.uint8)  # is reserved, but never touched
