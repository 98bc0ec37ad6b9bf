"""What the packets of a video tell of its pauses; none is decoded.

Of most files an index tells the times and sizes of all packets for nothing. Where there is none, and where a
picture seems to be held, all packets are read.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

from components.video.container import opened, packets
from components.video.limits import Limits
from components.video.pauses import LONGEST_PAUSE, NO_PAUSES, Pauses, Timeline, find_pauses

if TYPE_CHECKING:  # `video` asks what is here
    from components.video.info import VideoInfo

EMPTY = 48
"""Bytes of a packet that holds no new picture, and one more for each EMPTY_AREA px: every block may have to
say that it stays as it is. Talking heads at a low bit rate have such packets too, but few in a row."""

EMPTY_AREA = 8192

SAME_BYTES = 2
"""Bytes by which a packet differs at most from the one before it that says the same: in codecs that build on
no other picture (MJPEG), and where a constant rate is filled up."""

QUIET = 0.05
"""Of all packets, the share that seems to hold nothing new from which on the pictures are compared."""


@dataclass(frozen=True)
class Survey:
    """What the packets tell."""

    pauses: Pauses = NO_PAUSES  # times without frames
    quiet: bool = False  # one picture may stand for long, repeated frame by frame


@dataclass(frozen=True)
class Packets:
    """The packets of all frames, in order of time."""

    stamps: NDArray[np.int64]  # (N,) ticks
    sizes: NDArray[np.int64]  # (N,) bytes
    keys: NDArray[np.bool_]  # (N,) those where decoding can begin

    def timeline(self, tick: float, duration: float) -> Timeline:
        """Returns when the frames of so long a video (s) are shown; none is known to repeat another."""
        return Timeline.of((self.stamps - self.stamps[0]) * tick, duration)


def survey(path: Path, info: "VideoInfo", limits: Limits, readable: float) -> Survey:
    """Finds the times without frames, and whether there may be others in which nothing moves.

    Args:
        path: the video.
        info: what `probe` told of it.
        limits: what the video may cost.
        readable: bytes of a Matroska file, which has no index of all frames, that is read for it.
    """
    with opened(path, limits) as (container, stream):
        listing, tick = _indexed(stream, info), float(stream.time_base or 0)
        if listing is None and container.format.name.startswith("matroska") and container.size > readable:
            return Survey()
        if listing is None or find_pauses(listing.timeline(tick, info.duration)).starts:
            listing = read_packets(container, stream)  # an index tells when a frame is decoded, not shown
    if listing is None:
        return Survey()
    pauses = find_pauses(listing.timeline(tick, info.duration))
    return Survey(pauses, _quiet(listing.sizes, info.width * info.height))


def read_packets(container: InputContainer, stream: VideoStream) -> Packets | None:
    """Returns the packets of all frames; None where their time stamps do not tell."""
    rows = [
        (packet.dts if packet.pts is None else packet.pts, packet.size, packet.is_keyframe)
        for packet in packets(container, stream)
        if packet is not None and not packet.is_discard
    ]
    return _in_order(rows)


def _indexed(stream: VideoStream, info: "VideoInfo") -> Packets | None:
    """Returns those of an index; None where it does not tell of each frame."""
    entries = [entry for entry in stream.index_entries if entry.size and not entry.is_discard]
    if len(entries) != info.frames:
        return None
    return _in_order([(entry.timestamp, entry.size, entry.is_keyframe) for entry in entries])


def _in_order(rows: list[tuple[int | None, int, bool]]) -> Packets | None:
    if not rows or any(stamp is None for stamp, *_ in rows):
        return None
    stamps, sizes, keys = (np.array(column) for column in zip(*rows, strict=True))
    order = np.argsort(stamps, kind="stable")
    return Packets(stamps[order], sizes[order], keys[order])


def _quiet(sizes: NDArray[np.int64], area: int) -> bool:
    """Tells whether many packets in a row seem to hold nothing new."""
    empty = sizes <= EMPTY + area // EMPTY_AREA
    alike = np.abs(np.diff(sizes, prepend=-SAME_BYTES - 1)) <= SAME_BYTES
    edges = np.flatnonzero(np.diff(empty | alike, prepend=False, append=False))
    runs = edges[1::2] - edges[::2]
    return bool(runs[runs > LONGEST_PAUSE].sum() > QUIET * len(sizes))
