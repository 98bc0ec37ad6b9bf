"""Packets a little ahead of their decoding: which frames are taken is known before they are decoded.

Frames are taken in order of time, but packets come in order of decoding. No packet is decoded after its frame
is shown, so what has been read up to a decoding time tells all frames up to that time.
"""

import math
from collections import deque
from heapq import heappop, heappush

from av.container import InputContainer
from av.video.stream import VideoStream

from components.video.container import Packet, packets
from components.video.pauses import NO_PAUSES, Pauses
from components.video.sampling import Chooser

MOST = 96
"""Packets held; frames are reordered over 16 others at most, and two such groups must be known."""

LAST = 2.0
"""Mean frames for which the last one is taken to be shown, where the container says less."""


class Inexact(Exception):  # noqa: N818  not an error: there is another way
    """Frames may not be those of a full decode."""


class Ahead:
    """The packets of a video, each with how often its frame is taken.

    Args:
        container: opened, nothing read yet.
        stream: of it.
        chooser: tells which frames are taken.
        period: mean time from one frame to the next, seconds.
        pauses: frames within them are not taken.

    Attributes:
        reached: decoding time stamp of the packet that was read last.
        earliest: time stamp of the first packet.
        delay: from decoding a frame until it is shown, at most; in ticks.
        landed: time stamp of the keyframe where reading began.
        guessing: some time stamps are not in the file, but follow from those of other packets.
    """

    def __init__(
        self,
        container: InputContainer,
        stream: VideoStream,
        chooser: Chooser,
        period: float,
        pauses: Pauses = NO_PAUSES,
    ) -> None:
        self._container = container
        self._stream = stream
        self._chooser = chooser
        self._pauses = pauses
        self._last = LAST * period
        self._tick = float(stream.time_base or 0)
        self._start: int | None = None  # time stamp of the first frame
        self.earliest = 0
        self.delay = 0
        self.guessing = False
        self.restart()

    def restart(self) -> None:
        """Reads from where the container stands now."""
        self._packets = packets(self._container, self._stream)
        self._queue: deque[Packet] = deque()
        self._ended = False  # everything is read
        self.reached = self.landed = -math.inf
        self._unordered: list[tuple[int, int]] = []  # time stamps and durations; some may yet come between
        self._current: tuple[int, int] | None = None  # the next in order of time; its end is not known yet
        self._decided = -math.inf  # the time stamp up to which it is known what is taken
        self._taken: dict[int, int] = {}  # time stamps of frames in the queue: how often they are taken

    @property
    def taking(self) -> bool:
        """Tells whether a frame is known that is taken and not yet decoded."""
        return bool(self._taken)

    @property
    def reached_time(self) -> float:
        """`reached` as seconds from the first frame."""
        return (self.reached - (self._start or 0)) * self._tick

    def begin(self) -> None:
        """Reads up to the first frame, from which time is counted; what precedes a keyframe is none.

        Raises:
            Inexact: there is no keyframe, or no telling which frame comes first.
        """
        if not self.land(math.inf):
            raise Inexact("no keyframe")
        first = self._queue[0]
        self.earliest = (first.pts or 0) if first.dts is None else first.dts
        while self._start is None and not self._ended:
            self._read()

    def land(self, latest: float) -> bool:
        """Reads up to a keyframe; tells whether it is shown at a time stamp at the latest."""
        for packet in self._packets:
            if packet is None or (packet.dts is not None and packet.dts > latest):
                return False
            if packet.is_keyframe and packet.pts is not None:
                self.landed, self._decided = packet.pts, packet.pts - 1
                self._accept(packet)
                return packet.pts <= latest
        return False

    def next(self) -> tuple[Packet | None, int]:
        """Returns the next packet to decode, and how often its frame is taken; None at the end.

        Raises:
            Inexact: time stamps do not tell what is taken.
        """
        while not self._ended and not self._chooser.done and not self._known():
            if len(self._queue) >= MOST:
                raise Inexact("frames are out of order over too many packets")
            self._read()
        if not self._queue and not self._ended:
            self._read()
        if not self._queue:
            return None, 0
        packet = self._queue.popleft()
        return packet, 0 if packet.pts is None else self._taken.pop(packet.pts, 0)

    def goes_on(self) -> bool:
        """Tells whether frames follow that should not: those taken were counted from the first to the last.

        After this there is nothing more to decode.

        Raises:
            Inexact: time stamps do not tell.
        """
        while self._chooser.counting and not self._ended and not self._chooser.passed:
            self._queue.clear()
            self._read()
        return self._chooser.passed

    def time(self, stamp: int) -> float:
        """Returns seconds from the first frame."""
        return (stamp - (self._start or 0)) * self._tick

    def stamp(self, time: float) -> int:
        """Returns the inverse of `time`."""
        return (self._start or 0) + math.floor(time / self._tick + 1e-3)

    def _known(self) -> bool:
        if not self._queue:
            return False
        packet = self._queue[0]
        return packet.is_discard or packet.pts is None or packet.pts <= self._decided

    def _read(self) -> None:
        packet = next(self._packets, None)
        if packet is not None:
            self._accept(packet)
            return
        self._ended, self.reached = True, math.inf
        self._order()
        if self._current is not None:
            stamp, duration = self._current
            self._decide(stamp, self.time(stamp) + max(duration * self._tick, self._last))

    def _accept(self, packet: Packet) -> None:
        self._queue.append(packet)
        if packet.is_discard:  # of an edit list: decoded, never shown
            return
        if packet.pts is None or packet.is_corrupt:
            raise Inexact("a packet without a time stamp, or damaged")
        self.guessing |= packet.pos is None  # it began within another one's page
        if packet.dts is not None:
            if packet.dts < self.reached:
                raise Inexact("time stamps that go back")
            self.reached = packet.dts
            self.delay = max(self.delay, packet.pts - packet.dts)
        if packet.pts > self._decided:
            heappush(self._unordered, (packet.pts, packet.duration or 0))
        elif packet.pts >= self.landed:
            raise Inexact("a frame is decoded after it is shown")
        self._order()

    def _order(self) -> None:
        """Decides what is taken, as far as no packet can come in between any more."""
        while self._unordered and self._unordered[0][0] <= self.reached:
            following = heappop(self._unordered)
            if self._start is None:
                self._start = following[0]
            if self._current is not None:
                if self._current[0] == following[0]:
                    raise Inexact("two frames with one time stamp")
                self._decide(self._current[0], self.time(following[0]))
            self._current = following

    def _decide(self, stamp: int, end: float) -> None:
        self._decided = stamp
        if self._pauses.hold(self.time(stamp)):
            return
        if count := self._chooser.take(end):
            self._taken[stamp] = count
