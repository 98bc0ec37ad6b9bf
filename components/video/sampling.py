"""Which frames of a video a sampling policy takes.

Sampling goes by time, not by frame number, so that a copy at another frame rate shows the same pictures. The
frame of a moment is the one that is shown then: the last that begins no later, or the first of the video. No
frame is taken for two moments; the second takes the frame after it. The time of pauses (`pauses.py`) does not
count.
"""

import math
from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from components.values import Frozen
from components.video.pauses import NO_PAUSES, ROUNDING, Pauses

if TYPE_CHECKING:  # `video` samples by what is here
    from components.video.info import VideoInfo

MAX_FRAMES = 512
"""Of one clip."""

FrameCount = Annotated[int, Field(ge=1, le=MAX_FRAMES)]


class Even(Frozen):
    """The middles of `frames` equal parts of the video's time."""

    policy: Literal["even"] = "even"
    frames: FrameCount = 16

    @property
    def lengths(self) -> tuple[int, int]:
        """Frames of the shortest and of the longest clip."""
        return self.frames, self.frames


class Every(Frozen):
    """Each `step`-th frame, by number; of a video that has more than `most` such, the same as `Even(most)`.

    So what lies between frames that are far apart need not be decoded.
    """

    policy: Literal["every"]
    step: int = Field(ge=1)
    most: FrameCount = 64

    @property
    def lengths(self) -> tuple[int, int]:
        """Frames of the shortest and of the longest clip."""
        return 1, self.most


class RangeSampling(Frozen):
    """Evenly spaced frames, `per_second` but from `least` to `most`: clips vary in length."""

    policy: Literal["range"]
    least: FrameCount = 10
    most: FrameCount = 30
    per_second: float = Field(1.0, gt=0)

    @property
    def lengths(self) -> tuple[int, int]:
        """Frames of the shortest and of the longest clip."""
        return self.least, self.most

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.least > self.most:
            raise ValueError(f"least {self.least} is more than most {self.most}")
        return self


class Consecutive(Frozen):
    """`frames` frames in a row, at `places` places spread evenly over the video's time."""

    policy: Literal["clip"]
    places: int = Field(4, ge=1)
    frames: FrameCount = 8

    @property
    def lengths(self) -> tuple[int, int]:
        """Frames of the shortest and of the longest clip."""
        return self.places * self.frames, self.places * self.frames

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.places * self.frames > MAX_FRAMES:
            raise ValueError(f"places × frames is {self.places * self.frames}; at most {MAX_FRAMES}")
        return self


Sampling = Annotated[Even | Every | RangeSampling | Consecutive, Field(discriminator="policy")]
"""Which frames of a video are looked at."""


@dataclass(frozen=True)
class Moment:
    """A place at which frames are taken: the one shown then, and those after it."""

    time: float  # seconds from the first frame
    run: int = 1  # frames that are taken
    step: int = 1  # of each so many in a row the first is taken


def moments(sampling: Sampling, info: "VideoInfo", pauses: Pauses = NO_PAUSES) -> list[Moment]:
    """Returns the places at which a policy takes frames from a video, in order of time.

    A video that has no more frames than are wanted gives each of them once.

    Args:
        sampling: the policy.
        info: of the video without its pauses.
        pauses: between the frames that count.
    """
    return [replace(moment, time=pauses.place(moment.time)) for moment in _moments(sampling, info)]


def _moments(sampling: Sampling, info: "VideoInfo") -> list[Moment]:
    match sampling:
        case Even():
            return _spread(sampling.frames, 1, info)
        case RangeSampling():
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
    """Returns the frames that are taken, where the times of all are known.

    Args:
        times: of the frames, seconds, not descending.
        wanted: in order of time.

    Returns:
        Ascending indices into `times`; one stands there as often as runs take it. Where there are no frames
        left after a moment, those before it are taken.
    """
    firsts: list[int] = []
    for moment in wanted:
        shown = bisect_right(times, moment.time + ROUNDING) - 1
        firsts.append(max(shown, firsts[-1] + 1 if firsts else 0))
    beyond = len(times)
    for place, moment in reversed(list(enumerate(wanted))):
        latest = len(times) - 1 - (moment.run - 1) * moment.step
        beyond = firsts[place] = max(min(firsts[place], latest, beyond - 1), 0)
    runs = zip(firsts, wanted, strict=True)
    indices = [list(range(first, len(times), moment.step))[: moment.run] for first, moment in runs]
    return sorted(chain.from_iterable(indices))


def _counted(wanted: Sequence[Moment]) -> float:
    """Returns the frames that a video should have at most, where all or each so many of them are taken."""
    if len(wanted) == 1 and not wanted[0].time:
        return wanted[0].run * wanted[0].step
    return math.inf


class Chooser:
    """Tells of one frame after another whether it is taken, knowing only when the next one begins.

    Args:
        wanted: in order of time.

    Attributes:
        waited: a frame was shown for so long that it would have been taken for two moments.
    """

    def __init__(self, wanted: Sequence[Moment]) -> None:
        self._waiting = deque(wanted)
        self._running: list[list[int]] = []  # frames left to take, frames until the next of them, step
        self._counted = _counted(wanted)
        self._seen = 0
        self.waited = False

    @property
    def upcoming(self) -> float | None:
        """Time of the next moment; None where there is none, or frames are being taken already."""
        return self._waiting[0].time if self._waiting and not self._running else None

    @property
    def done(self) -> bool:
        """Tells whether no frame that follows is taken."""
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
        """Returns how often the next frame in order of time is taken; it is shown until `end`, seconds."""
        self._seen += 1
        if self._waiting and self._waiting[0].time + ROUNDING < end:  # another one waits for the next frame
            moment = self._waiting.popleft()
            self._running.append([moment.run, 0, moment.step])
            self.waited |= bool(self._waiting) and self._waiting[0].time + ROUNDING < end
        taken = 0
        for place in self._running:
            if place[1] == 0:
                taken += 1
                place[0] -= 1
                place[1] = place[2]
            place[1] -= 1
        self._running = [place for place in self._running if place[0]]
        return taken
