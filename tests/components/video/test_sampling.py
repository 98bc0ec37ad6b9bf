"""Which frames a policy takes, by their times alone."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from components.video.frames import VideoInfo
from components.video.pauses import ROUNDING
from components.video.sampling import (
    Chooser,
    Consecutive,
    Even,
    Every,
    Moment,
    RangeSampling,
    Sampling,
    chosen,
    moments,
)


def video(frames: int, fps: float = 25.0) -> VideoInfo:
    return VideoInfo(frames, fps, 96, 64, frames / fps, "h264", 1000)


def taken(sampling: Sampling, frames: int) -> list[int]:
    """Of a video with a steady rate."""
    times = [index / 25 for index in range(frames)]
    return chosen(times, moments(sampling, video(frames)))


@pytest.mark.parametrize(
    ("sampling", "frames", "expected"),
    [
        (Even(frames=4), 100, [12, 37, 62, 87]),
        (Even(frames=1), 100, [50]),
        (Even(frames=4), 5, [0, 1, 3, 4]),
        (Even(frames=4), 4, [0, 1, 2, 3]),
        (Even(frames=4), 3, [0, 1, 2]),
        (RangeSampling(policy="range", least=2, most=4), 25, [6, 18]),
        (RangeSampling(policy="range", least=2, most=4), 75, [12, 37, 62]),
        (RangeSampling(policy="range", least=2, most=4, per_second=9.0), 100, [12, 37, 62, 87]),
        (RangeSampling(policy="range", least=8, most=9), 7, [0, 1, 2, 3, 4, 5, 6]),
        (Consecutive(policy="clip", places=2, frames=3), 40, [9, 10, 11, 29, 30, 31]),
        (Consecutive(policy="clip", places=2, frames=3), 7, [0, 1, 2, 4, 5, 6]),
        (Consecutive(policy="clip", places=2, frames=3), 6, [0, 1, 2, 3, 4, 5]),
        (Consecutive(policy="clip", places=1, frames=64), 50, list(range(50))),
        (Every(policy="every", step=7), 20, [0, 7, 14]),
        (Every(policy="every", step=7), 22, [0, 7, 14, 21]),
        (Every(policy="every", step=5, most=4), 20, [0, 5, 10, 15]),
        (Every(policy="every", step=1, most=4), 20, [2, 7, 12, 17]),  # as Even(4)
        (Every(policy="every", step=2, most=4), 8, [0, 2, 4, 6]),
        (Every(policy="every", step=2, most=4), 9, [1, 3, 5, 7]),
        (Every(policy="every", step=30), 20, [0]),
    ],
)
def test_of_a_steady_rate(sampling: Sampling, frames: int, expected: list[int]) -> None:
    assert taken(sampling, frames) == expected


def test_a_copy_at_twice_the_rate_is_sampled_at_the_same_times() -> None:
    once, twice = (moments(Even(frames=8), video(frames, fps)) for frames, fps in ((100, 25), (200, 50)))
    assert once == twice


@given(
    frames=st.integers(1, 400),
    sampling=st.one_of(
        st.builds(Even, frames=st.integers(1, 64)),
        st.builds(Consecutive, policy=st.just("clip"), places=st.integers(1, 9), frames=st.integers(1, 40)),
        st.builds(Every, policy=st.just("every"), step=st.integers(1, 40), most=st.integers(1, 64)),
    ),
)
def test_as_many_as_promised_and_none_twice(frames: int, sampling: Sampling) -> None:
    indices = taken(sampling, frames)
    assert len(set(indices)) == len(indices)
    least, most = sampling.lengths
    assert min(least, frames) <= len(indices) <= most


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ([Moment(0.3)], [0]),
        ([Moment(0.5)], [1]),
        ([Moment(0.5 - ROUNDING / 2)], [1]),  # a rounding error before
        ([Moment(1.0), Moment(4.0)], [1, 2]),  # shown for both: the second takes the next
        ([Moment(1.0), Moment(4.0), Moment(7.9), Moment(7.95)], [0, 1, 2, 3]),  # no more are left
        ([Moment(9.0)], [3]),
        ([Moment(9.0, run=2)], [2, 3]),  # moved back
        ([Moment(9.0, run=6)], [0, 1, 2, 3]),
        ([Moment(0.0, run=2), Moment(0.5, run=2)], [0, 1, 1, 2]),  # they meet
        ([Moment(0.0, run=2, step=2)], [0, 2]),
        ([Moment(-0.1)], [0]),
    ],
)
def test_of_a_varying_rate(wanted: list[Moment], expected: list[int]) -> None:
    assert chosen([0.0, 0.5, 8.0, 8.5], wanted) == expected


places = st.builds(Moment, st.floats(0, 9), run=st.integers(1, 5), step=st.integers(1, 3))


@given(
    times=st.lists(st.integers(0, 400), min_size=1, unique=True),
    wanted=st.lists(places, max_size=8),
)
def test_frame_by_frame_as_with_all_times_known(times: list[int], wanted: list[Moment]) -> None:
    shown = sorted(time / 40 for time in times)
    wanted = sorted(wanted, key=lambda moment: moment.time)
    chooser = Chooser(wanted)
    found: list[int] = []
    for index, end in enumerate([*shown[1:], float("inf")]):
        found += [index] * chooser.take(end)
    assume(chooser.done)
    assert found == chosen(shown, wanted)


@pytest.mark.parametrize(
    ("wanted", "frames", "passed"),
    [
        ([Moment(0.0, run=4)], 4, False),
        ([Moment(0.0, run=4)], 5, True),
        ([Moment(0.0, run=2, step=3)], 6, False),
        ([Moment(0.0, run=2, step=3)], 7, True),
        ([Moment(1.0)], 100, False),
        ([Moment(0.0), Moment(1.0)], 100, False),
    ],
)
def test_more_frames_than_were_counted_on(wanted: list[Moment], frames: int, passed: bool) -> None:
    chooser = Chooser(wanted)
    for index in range(frames):
        chooser.take((index + 1) / 25)
    assert chooser.passed == passed


def test_what_is_upcoming_is_told_between_runs_only() -> None:
    chooser = Chooser([Moment(0.5, run=2), Moment(3.0)])
    told = []
    for end in (1.0, 2.0, 3.0, 4.0):
        told.append(chooser.upcoming)
        chooser.take(end)
    assert told == [0.5, None, 3.0, 3.0]
    assert chooser.done
