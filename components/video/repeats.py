"""Frames that show what the frame before them showed, as where a picture was encoded again and again."""

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import av
import numpy as np
from av.video.frame import VideoFrame

from components.arrays import Flags
from components.video.container import VideoFault, decode, decode_packet, opened, packets
from components.video.gallery import (
    COMPARED_SIDE,
    NOTHING,
    SETTLED,
    STILL,
    Album,
    PictureComparison,
    Small,
    apart,
)
from components.video.limits import Limits
from components.video.pauses import LONGEST_PAUSE, Timeline
from components.video.survey import Packets, read_packets

if TYPE_CHECKING:  # `video` asks what is here
    from components.video.info import VideoInfo

KEYFRAMES = 10**9
"""Px of keyframes that are decoded at most."""

HELD = int(LONGEST_PAUSE)
"""Frames after which a picture stands still."""

BEGUN_ANEW = 24
"""Grey levels of 255 by which a picture that is held differs at most from one that was, if they are the same
but built on other keyframes."""

ANEW = 3
"""Frames within which it then is held again."""

REMEMBERED = 128
"""Pictures before a frame that it may repeat, as where a film of some seconds is shown over and over."""

MOVING = 8
"""Pictures that differ while one seems to be held, as of a small head before a ground that stands still. Of
one that is encoded again and again there are up to four."""

REFINED = 16
"""Frames before a picture stands still in which it may have been refined."""


class Comparing(Protocol):
    """Takes one frame after another, and tells of them what `Timeline` does."""

    @property
    def repeated(self) -> list[bool]: ...

    @property
    def known(self) -> list[bool]: ...

    @property
    def moves(self) -> bool: ...

    def take(self, frame: VideoFrame) -> None:
        """Takes the next frame."""


class Repeats:
    """Tells which frames repeat a picture that was shown before.

    Attributes:
        repeated: of the frames so far, whether it was just before; of the last few it may yet turn out so.
        known: of each, whether it was at some time before.
        moves: whether something small moves before a ground that stands still.
    """

    def __init__(self) -> None:
        self._comparison = PictureComparison()
        self._album, self._distinct = Album(REMEMBERED), Album(MOVING)
        self._recent: deque[Small] = deque(maxlen=HELD + REFINED)
        self._first = NOTHING  # of the frames that show one picture
        self._held = 0  # frames after that
        self._stood = -ANEW - 1  # the last frame of a picture that was held before
        self.repeated: list[bool] = []
        self.known: list[bool] = []
        self.moves = False

    def take(self, frame: VideoFrame) -> None:
        """Takes the next frame."""
        small = self._comparison.small(frame)
        calm = self._held >= HELD or (len(self._recent) > 0 and apart(small, self._recent[-1]) <= STILL)
        self._recent.append(small)
        if calm and apart(small, self._first) <= SETTLED:
            self._held += 1
            self.repeated.append(not self._is_moving())
            self.known.append(self.known[-1])
            if self._held == HELD:
                self._look_back()
            if self._held >= HELD:
                self._compare(small)
            return
        number = len(self.repeated)
        if self._held >= HELD:
            self._stood = number - 1
        self._first, self._held, self._distinct.count = small, 0, 0
        self.repeated.append(False)
        self.known.append(self._album.holds(small, number - HELD, STILL))
        if not self.known[-1]:
            self._album.add(small, number)

    def _compare(self, small: Small) -> None:
        """Compares pictures; where too many differ since one seems to be held, it is not held after all."""
        if self._is_moving() or self._distinct.holds(small, math.inf, STILL):
            return
        self._distinct.add(small, 0.0)
        if self._is_moving():
            self.moves = True
            self.repeated[-self._held :] = [False] * self._held

    def _is_moving(self) -> bool:
        return self._distinct.count >= MOVING

    def _look_back(self) -> None:
        """Marks what led up to a held picture as the same, if only it looks much like it."""
        before = list(self._recent)[: -HELD - 1]
        number = len(self.repeated) - HELD - 1  # of the first that was calm
        alike = BEGUN_ANEW if number - self._stood <= ANEW else SETTLED
        while before and apart(before.pop(), self._first) <= alike:
            self.repeated[number] = True
            number -= 1


def repeated_frames(path: Path, info: "VideoInfo", limits: Limits, pixels: int) -> Timeline | None:
    """Finds which frames of a video repeat the one before.

    Args:
        path: the video.
        info: what `probe` told of it.
        limits: what the video may cost.
        pixels: that may be decoded.

    Returns:
        None where it is too long for being decoded whole, and its time stamps do not tell.
    """
    affordable = pixels // _frame_cost(info)
    if info.frames <= affordable:
        return decode_times(path, info, limits, Repeats())
    return _scan_groups(path, info, limits, affordable)


def decode_times(path: Path, info: "VideoInfo", limits: Limits, repeats: Comparing | None = None) -> Timeline:
    """When each frame that can be decoded is shown, and whether it repeats another."""
    stamps: list[float] = []
    last = 0.0
    with opened(path, limits) as (container, stream):
        tick = float(stream.time_base or 0)  # a frame's own is missing at the end of some videos
        for frame in decode(container, stream):
            stamps.append(math.nan if frame.pts is None else frame.pts * tick)
            if repeats:
                repeats.take(frame)
            last = (frame.duration or 0) * tick
    times = np.array(stamps) - (stamps[0] if stamps else 0.0)
    if np.isnan(times).any() or (np.diff(times) < 0).any():  # none are told, or they are of joined parts
        times, last = np.arange(len(times)) / (info.fps or 1.0), 0.0
    end = float(times[-1]) + (last or 1 / (info.fps or 1.0)) if len(times) else 0.0
    if not repeats:
        return Timeline.of(times, end)
    repeated, known = np.array(repeats.repeated, np.bool_), np.array(repeats.known, np.bool_)
    return Timeline(times, end, repeated, known, repeats.moves)


def _scan_groups(path: Path, info: "VideoInfo", limits: Limits, affordable: int) -> Timeline | None:
    """Finds what is repeated in a video that is too long to be decoded from its beginning.

    What lies between two keyframes that look the same is passed over where it is hardly more than nothing;
    of the rest each frame is decoded, unless these are still too many.

    Args:
        path: the video.
        info: what `probe` told of it.
        limits: what the video may cost.
        affordable: frames that may be decoded.

    Returns:
        None where the time stamps do not tell.
    """
    with opened(path, limits) as (container, stream):
        listing, tick = read_packets(container, stream), float(stream.time_base or 0)
    if listing is None:
        return None
    repeated = _between_keyframes(path, limits, listing, KEYFRAMES // _frame_cost(info))
    line = replace(listing.timeline(tick, info.duration), repeated=repeated)
    return _frame_by_frame(path, limits, listing, line) if np.sum(~repeated) <= affordable else line


def _frame_cost(info: "VideoInfo") -> int:
    """Px that a frame takes to decode and to compare."""
    return max(info.width * info.height, 4 * COMPARED_SIDE**2)


def _between_keyframes(path: Path, limits: Limits, listing: Packets, affordable: int) -> Flags:
    """The frames after a keyframe up to the next one, where it looks the same and little is between them."""
    keys = np.flatnonzero(listing.keys)
    keys = keys[:: -(-len(keys) // max(affordable, 1)) or 1]
    repeated = np.zeros(len(listing.stamps), np.bool_)
    new = np.cumsum(np.where(listing.keys, 0, listing.sizes))  # bytes of all but keyframes
    comparison, last = PictureComparison(), None
    for key, frame in _decoded(path, limits, listing, set(listing.stamps[keys].tolist())):
        small = comparison.small(frame)
        if last is not None and apart(small, last[1]) <= SETTLED:
            repeated[last[0] + 1 : key + 1] = new[key] - new[last[0]] <= listing.sizes[last[0]]
        last = key, small
    return repeated


def _frame_by_frame(path: Path, limits: Limits, listing: Packets, line: Timeline) -> Timeline:
    """Returns what else is repeated, all frames having been decoded that are not known to be."""
    needed, repeats = set(listing.stamps[~line.repeated | listing.keys].tolist()), Repeats()
    decoded = []
    for index, frame in _decoded(path, limits, listing, needed):
        decoded.append(index)
        repeats.take(frame)
    repeated, known = line.repeated.copy(), line.known.copy()
    repeated[decoded] |= repeats.repeated
    known[decoded] = repeats.known
    return replace(line, repeated=repeated, known=known, moves=repeats.moves)


def _decoded(
    path: Path, limits: Limits, listing: Packets, needed: set[int]
) -> Iterator[tuple[int, VideoFrame]]:
    """Yields the frames of some packets, each with its place in the order of time."""
    with opened(path, limits) as (container, stream):
        for packet in packets(container, stream):
            if packet is not None and (packet.dts if packet.pts is None else packet.pts) not in needed:
                continue
            try:
                frames = decode_packet(stream, packet)
            except MemoryError:
                raise
            except av.FFmpegError:
                continue
            for frame in frames:
                if frame.pts is not None and frame.pts in needed:
                    yield int(np.searchsorted(listing.stamps, frame.pts)), frame


def check_pictures(different: int, needed: int, info: "VideoInfo") -> None:
    """Raises VideoFault where there are too few different pictures."""
    if different < needed:
        count = f"only {different} different pictures in {info.duration:.1f} s"
        raise VideoFault("too_short", f"{count}; at least {needed} are needed")
