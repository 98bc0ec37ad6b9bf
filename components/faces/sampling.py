"""Which frames of a video a sampling policy takes.

Sampling goes by time, not by frame number, so that a copy at another frame rate shows the same pictures. The
frame of a moment is the one that is shown then: the last that begins no later, or the first of the video.
"""

import math
from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from components.faces.policy import Consecutive, Even, Every, Range, Sampling

if TYPE_CHECKING:  # `video` samples by what is here
    from components.faces.video import VideoInfo

ROUNDING = 1e-6
"""Seconds by which a frame may begin after a moment and yet be the one that is shown then."""


@dataclass(frozen=True)
class Moment:
    """A place at which frames are taken: the one shown then, and those after it."""

    time: float  # seconds from the first frame
    run: int = 1  # frames that are taken
    step: int = 1  # of each so many in a row the first is taken


def moments(sampling: Sampling, info: "VideoInfo") -> list[Moment]:
    """The places at which a policy takes frames from a video, in order of time.

    A video that has no more frames than are wanted gives each of them once.
    """
    match sampling:
        case Even():
            return _spread(sampling.frames, 1, info)
        case Range():
            wanted = round(info.duration * sampling.per_second)
            return _spread(min(max(wanted, sampling.least), sampling.most), 1, info)
        case Consecutive():
            return _spread(sampling.places, sampling.frames, info)
        case Every() if info.frames > sampling.step * sampling.most:
            return _spread(sampling.most, 1, info)
        case Every():
            return [Moment(0.0, run=-(-info.frames // sampling.step), step=sampling.step)]


def _spread(places: int, run: int, info: "VideoInfo") -> list[Moment]:
    """Runs in the middles of equal parts of the video: they neither meet nor pass its end."""
    if info.frames <= places * run:
        return [Moment(0.0, run=info.frames)]
    before_middle = run // 2 * info.duration / info.frames
    return [Moment((part + 0.5) / places * info.duration - before_middle, run) for part in range(places)]


def chosen(times: Sequence[float], wanted: Sequence[Moment]) -> list[int]:
    """The frames that are taken, where the times of all are known.

    Args:
        times: of the frames, seconds, not descending.
        wanted: in order of time.

    Returns:
        Ascending indices into `times`; one stands there as often as it is taken. A run that would pass the
        end of the video is moved back.
    """
    indices: list[int] = []
    for moment in wanted:
        first = bisect_right(times, moment.time + ROUNDING) - 1
        first = max(min(first, len(times) - 1 - (moment.run - 1) * moment.step), 0)
        indices += list(range(first, len(times), moment.step))[: moment.run]
    return sorted(indices)


def _counted(wanted: Sequence[Moment]) -> float:
    """The frames that a video should have at most, where all or each so many of them are taken."""
    if len(wanted) == 1 and not wanted[0].time:
        return wanted[0].run * wanted[0].step
    return math.inf


class Chooser:
    """Tells of one frame after another whether it is taken, knowing only when the next one begins.

    Args:
        wanted: in order of time.
    """

    def __init__(self, wanted: Sequence[Moment]) -> None:
        self._waiting = deque(wanted)
        self._running: list[list[int]] = []  # frames left to take, frames until the next of them, step
        self._counted = _counted(wanted)
        self._seen = 0

    @property
    def upcoming(self) -> float | None:
        """Time of the next moment; None where there is none, or frames are being taken already."""
        return self._waiting[0].time if self._waiting and not self._running else None

    @property
    def done(self) -> bool:
        """No frame that follows is taken."""
        return not self._waiting and not self._running

    @property
    def counting(self) -> bool:
        """Frames are taken by their number, as the video should have no others."""
        return math.isfinite(self._counted)

    @property
    def passed(self) -> bool:
        """The video has more frames than were counted on."""
        return self._seen > self._counted

    def take(self, end: float) -> int:
        """How often the next frame in order of time is taken; it is shown until `end`, seconds."""
        self._seen += 1
        while self._waiting and self._waiting[0].time + ROUNDING < end:
            moment = self._waiting.popleft()
            self._running.append([moment.run, 0, moment.step])
        taken = 0
        for place in self._running:
            if place[1] == 0:
                taken += 1
                place[0] -= 1
                place[1] = place[2]
            place[1] -= 1
        self._running = [place for place in self._running if place[0]]
        return taken
