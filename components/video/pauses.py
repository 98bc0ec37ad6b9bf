"""The time in which a video shows something new: a picture that stands still counts once.

A pause is either a time without frames (a varying rate), or one of frames that repeat a picture (a steady
rate). Sampling goes by the time that is left without the pauses, so that it takes the same pictures as of a
copy that was made without them, and no picture that is held for long stands for a whole video.
"""

from bisect import bisect_right
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np

from components.arrays import Flags, Floats64

if TYPE_CHECKING:  # `video` samples by what is here
    from components.video.info import VideoInfo


ROUNDING = 1e-6
"""Seconds by which a frame may begin after a moment and yet be the one that is shown then."""

LONGEST_PAUSE = 8.0
"""Median times from one frame to the next for which a picture may stand without being a pause: a phone that
films in the dark skips up to four."""

BRIEFEST = 0.25
"""Seconds that a pause lasts at least."""


@dataclass(frozen=True)
class Timeline:
    """When the frames of a video are shown."""

    times: Floats64  # (N,) seconds from the first, not descending
    end: float  # of the last
    repeated: Flags  # (N,) those that show what the one before them showed
    known: Flags  # (N,) those that show what some frame before them showed
    moves: bool = False  # what seems to be held does so, if only a little

    def once(self) -> "Timeline":
        """Returns the same where a film is shown over and over: after the first time it counts as a pause."""
        return replace(self, repeated=self.repeated | self.known)

    @classmethod
    def of(cls, times: Floats64, end: float) -> Self:
        """Makes the time line of frames none of which is known to repeat another."""
        none = np.zeros(len(times), np.bool_)
        return cls(times, end, none, none)


@dataclass(frozen=True)
class Pauses:
    """The times of a video that do not count; a frame that begins within one is never taken.

    Attributes:
        starts: seconds from the first frame, ascending.
        ends: when the next picture comes, or the video ends.
        frames: that begin outside of them; not counted where there is no pause.
        seconds: that are outside of them.
    """

    starts: tuple[float, ...] = ()
    ends: tuple[float, ...] = ()
    frames: int = 0
    seconds: float = 0.0

    def without(self, info: "VideoInfo") -> "VideoInfo":
        """Returns what a video is without its pauses."""
        return replace(info, frames=self.frames, duration=self.seconds) if self.starts else info

    def place(self, time: float) -> float:
        """Returns the moment of the video that comes after so many seconds which count."""
        begun, passed = self._passed
        return time + passed[bisect_right(begun, time + ROUNDING)]

    def hold(self, begin: float) -> bool:
        """Tells whether a frame that begins at a moment repeats what was shown."""
        pause = bisect_right(self.starts, begin + ROUNDING) - 1
        return pause >= 0 and begin + ROUNDING < self.ends[pause]

    @cached_property
    def _passed(self) -> tuple[list[float], list[float]]:
        """After which seconds that count each pause comes; seconds of the pauses before each, and of all."""
        passed = np.cumsum([0.0, *np.subtract(self.ends, self.starts)])
        return (np.array(self.starts) - passed[:-1]).tolist(), passed.tolist()


NO_PAUSES = Pauses()


def longest_hold(period: float) -> float:
    """Returns seconds for which a picture may stand where so many pass from one frame to the next."""
    return max(LONGEST_PAUSE * period, BRIEFEST)


def find_pauses(line: Timeline) -> Pauses:
    """Returns where a picture is held for longer than others: of that time one frame's counts."""
    if not len(line.times):
        return NO_PAUSES
    gaps = np.diff(line.times, append=max(line.end, line.times[-1]))
    period = float(np.median(gaps[gaps > 0])) if (gaps > 0).any() else 0.0
    pictures = np.flatnonzero(~line.repeated)
    begins = line.times[pictures]
    ends = np.append(begins[1:], line.times[-1] + gaps[-1])
    held = ends - begins > longest_hold(period)
    counted = np.minimum(gaps[pictures], period)
    starts, ends = (begins + counted)[held], ends[held]
    if not held.any():
        return NO_PAUSES
    pauses = Pauses(tuple(starts.tolist()), tuple(ends.tolist()))
    frames = sum(not pauses.hold(time) for time in line.times.tolist())
    return replace(pauses, frames=frames, seconds=float(line.times[-1] + gaps[-1] - (ends - starts).sum()))
