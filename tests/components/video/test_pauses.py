"""A picture that stands still counts once, however long it stands, and whatever makes it stand."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from components.video import frames as video
from components.video import repeats
from components.video.container import VideoFault, decode_packet
from components.video.examine import examine
from components.video.frames import Frame, map_frames, map_spread, probe
from components.video.limits import Limits
from components.video.pauses import Timeline, find_pauses
from components.video.sampling import Consecutive, Even, Every, RangeSampling, Sampling
from components.video.survey import survey

PICTURES = 60
STEP = 4
"""Grey levels from one picture's number to the next."""

POLICIES: list[Sampling] = [
    Even(frames=16),
    RangeSampling(policy="range", least=8, most=30, per_second=5.0),
    Consecutive(policy="clip", places=3, frames=4),
    Every(policy="every", step=7),
    Every(policy="every", step=2, most=16),
]
PLACES = {"start": 0, "middle": 25, "end": PICTURES - 2}
HELD = 120
"""25ths of a second."""

Pictures = list[tuple[int, int]]
"""Which are shown, and for how many 25ths of a second each."""

TWIN: Pictures = [(number, 1) for number in range(PICTURES)]


@dataclass(frozen=True)
class Coding:
    """How a film is encoded."""

    name: str = "a.mp4"
    codec: str = "libx264"
    options: tuple[tuple[str, str], ...] = (("preset", "ultrafast"),)
    gop: int = 250
    format: str = "yuv420p"

    def __str__(self) -> str:
        return f"{self.name}-{self.codec}-{self.gop}"


X264 = Coding()


def without_frames(film: Pictures, places: list[int], held: int = HELD) -> Pictures:
    """Nothing comes for long after some pictures."""
    return [(number, held if number in places else length) for number, length in film]


def with_repeats(film: Pictures, places: list[int], held: int = HELD) -> Pictures:
    """Some pictures come again and again."""
    return [one for number, length in film for one in [(number, length)] * (held if number in places else 1)]


KINDS = [without_frames, with_repeats]


def write(
    path: Path, film: Pictures, coding: Coding = X264, draw: Callable[[int], Any] | None = None
) -> Path:
    """A film of a texture that drifts, and that tells its number by the grey level of its corner."""
    with av.open(path, "w") as container:
        stream: Any = container.add_stream(coding.codec, rate=25, options=dict(coding.options))
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = 192, 144, coding.format, coding.gop
        stream.codec_context.time_base = Fraction(1, 25)
        stamp = 0
        for number, length in film:
            frame = av.VideoFrame.from_ndarray((draw or _picture)(number), "rgb24")
            frame.pts, frame.time_base, frame.duration = stamp, Fraction(1, 25), length
            stamp += length
            for packet in stream.encode(frame):
                container.mux(packet)
        container.mux(stream.encode())
    return path


def _picture(number: int) -> Any:
    texture = np.random.default_rng(number // 20).integers(64, 192, (6, 20, 3), np.uint8)
    wide = cv2.resize(texture, (480, 144), interpolation=cv2.INTER_CUBIC)
    image = np.ascontiguousarray(np.roll(wide, 4 * number, axis=1)[:, :192])
    image[:32, :32] = STEP * number
    return image


def numbers(path: Path, sampling: Sampling, limits: Limits = Limits()) -> list[int]:  # noqa: B008
    """Of the pictures that are sampled."""
    return map_frames(path, probe(path, limits), sampling, limits, _number)


def _number(frame: Frame) -> int:
    return round(float(frame.image[8:24, 8:24].mean()) / STEP)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Writes a film once."""
    folder = tmp_path_factory.mktemp("films")
    written: dict[str, Path] = {}

    def film(pictures: Pictures, coding: Coding = X264) -> Path:
        key = f"{hash(tuple(pictures))}-{coding}"
        if key not in written:
            (folder / key).mkdir()
            written[key] = write(folder / key / coding.name, pictures, coding)
        return written[key]

    return film


@pytest.mark.parametrize("sampling", POLICIES, ids=lambda sampling: sampling.policy)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("hold", KINDS)
def test_a_film_with_a_pause_is_sampled_as_its_twin_without(
    films: Callable[..., Path], hold: Callable[..., Pictures], place: str, sampling: Sampling
) -> None:
    paused = films(hold(TWIN, [PLACES[place]]))
    assert numbers(paused, sampling) == numbers(films(TWIN), sampling)


@pytest.mark.parametrize("hold", KINDS)
def test_no_more_is_sampled_of_pictures_that_are_held_one_after_another(
    films: Callable[..., Path], hold: Callable[..., Pictures]
) -> None:
    """No two samples are alike, though each would be of a picture that is held."""
    paused = films(hold(TWIN, list(range(2, PICTURES, 6)), 40))
    assert numbers(paused, Even(frames=8)) == numbers(films(TWIN), Even(frames=8))


@pytest.mark.parametrize("hold", KINDS)
def test_a_full_decode_takes_the_same(
    films: Callable[..., Path], hold: Callable[..., Pictures], monkeypatch: pytest.MonkeyPatch
) -> None:
    paused = films(hold(TWIN, [25]))
    monkeypatch.setattr(video, "_walk", lambda *_: None)
    assert numbers(paused, Even(frames=16)) == numbers(films(TWIN), Even(frames=16))


CODINGS = [
    Coding(options=(("crf", "35"), ("preset", "veryfast")), gop=25),
    Coding("a.mkv", "libx265", (("preset", "ultrafast"), ("x265-params", "log-level=none:pools=none"))),
    Coding("a.avi", "mpeg4", (), 12),
    Coding("a.mpg", "mpeg2video", (("b", "2M"),), 12),
    Coding("a.mov", "mjpeg", (), 1, "yuvj420p"),
]


@pytest.mark.parametrize("coding", CODINGS, ids=str)
def test_a_picture_that_was_encoded_again_and_again_is_one(
    films: Callable[..., Path], coding: Coding
) -> None:
    """It is never bit for bit the same: it is refined, and each keyframe begins it anew."""
    paused, twin = films(with_repeats(TWIN, [25]), coding), films(TWIN, coding)
    found, wanted = (np.array(numbers(path, Even(frames=16))) for path in (paused, twin))
    assert np.abs(found - wanted).max() <= 1


@pytest.mark.parametrize("sampling", POLICIES, ids=lambda sampling: sampling.policy)
def test_a_film_that_is_shown_over_and_over_counts_once(
    films: Callable[..., Path], sampling: Sampling
) -> None:
    found = numbers(films(TWIN[:45] * 4, Coding(options=(("qp", "8"), ("preset", "ultrafast")))), sampling)
    assert len(found) == len(set(found))


@pytest.mark.parametrize("different", [1, 3, 7, 8])
@pytest.mark.parametrize("sampling", POLICIES, ids=lambda sampling: sampling.policy)
def test_too_few_different_pictures_are_no_video(
    films: Callable[..., Path], different: int, sampling: Sampling
) -> None:
    path = films([(9 * number, 1) for number in range(different) for _ in range(160 // different)])
    if different >= Limits().min_frames and not isinstance(sampling, Every):
        assert set(numbers(path, sampling)) == {9 * number for number in range(different)}
    elif different < Limits().min_frames:
        with pytest.raises(VideoFault, match=rf"only {different} different pictures in 6\.\d s; at least 8"):
            numbers(path, sampling)


FAITHFUL = [Coding(options=(("qp", "8"), ("preset", "ultrafast"))), Coding("a.mkv", "ffv1", (), 1)]


def _small_mover(number: int) -> Any:
    """A patch that moves by little and is little brighter than the ground, which stands still."""
    image, turn = _picture(5), number * 0.12
    place = (int(150 + 6 * np.sin(turn)), int(100 + 5 * np.cos(0.7 * turn)))
    patch = cv2.ellipse(np.zeros_like(image), place, (9, 12), 0, 0, 360, (6, 6, 6), -1)
    return cv2.add(image, patch)


@pytest.mark.parametrize("coding", FAITHFUL, ids=str)
def test_something_small_that_moves_before_a_still_ground_is_a_video(tmp_path: Path, coding: Coding) -> None:
    path = write(tmp_path / coding.name, [(number, 1) for number in range(120)], coding, _small_mover)
    counts = [
        len(map_frames(path, probe(path, Limits()), sampling, Limits(), _number)) for sampling in POLICIES
    ]
    assert min(counts) >= 8
    assert examine(path, Limits())


@pytest.mark.parametrize("coding", [X264, *CODINGS[:4]], ids=str)
def test_a_still_that_is_encoded_with_loss_does_not_move(films: Callable[..., Path], coding: Coding) -> None:
    path = films([(5, 1)] * 160, coding)
    for sampling in POLICIES:
        with pytest.raises(VideoFault, match="only 1 different pictures"):
            numbers(path, sampling)


def test_a_rate_that_was_doubled_breaks_up_no_run(films: Callable[..., Path]) -> None:
    path = films([(number, 1) for number in range(PICTURES) for _ in range(2)], FAITHFUL[1])
    found = numbers(path, Consecutive(policy="clip", places=4, frames=8))
    assert len(found) == 32
    assert all(len(set(found[run : run + 8])) in {4, 5} for run in range(0, 32, 8))


def test_ingest_turns_down_one_picture(films: Callable[..., Path]) -> None:
    with pytest.raises(VideoFault, match="only 1 different pictures") as caught:
        examine(films([(5, 1)] * 160), Limits())
    assert caught.value.status == "too_short"


def test_as_many_different_pictures_as_a_policy_asks_for_are_enough(films: Callable[..., Path]) -> None:
    paused = films(with_repeats(TWIN, [25]))
    assert len(numbers(paused, Even(frames=3))) == 3
    assert len(numbers(films([(5, 1)] * 160), Even(frames=3), Limits(min_frames=1))) == 1


@pytest.mark.parametrize("hold", KINDS)
def test_a_fingerprint_is_of_what_moves(films: Callable[..., Path], hold: Callable[..., Pictures]) -> None:
    paths = films(hold(TWIN, [0])), films(TWIN)
    found, wanted = (map_spread(path, probe(path, Limits()), 8, Limits(), _number) for path in paths)
    assert found == wanted


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A frame for each that is decoded in search of repeated ones."""
    counted: list[int] = []

    def counting(*arguments: Any) -> Any:
        frames = decode_packet(*arguments)
        counted.extend(range(len(frames)))
        return frames

    monkeypatch.setattr(repeats, "decode_packet", counting)
    return counted


@pytest.mark.parametrize("place", PLACES)
def test_of_a_long_pause_only_keyframes_are_decoded(
    films: Callable[..., Path], decoded: list[int], monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setattr(video, "MAX_PIXELS", 100 * 192 * 144)
    coding = Coding(gop=20)
    paused = films(with_repeats(TWIN, [PLACES[place]]), coding)
    assert numbers(paused, Even(frames=16)) == numbers(films(TWIN, coding), Even(frames=16))
    assert len(decoded) < 125  # of 179


def test_what_is_too_long_to_be_compared_is_none_the_less_counted_truly(
    films: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video, "MAX_PIXELS", 0)
    monkeypatch.setattr(repeats, "KEYFRAMES", 0)
    with pytest.raises(VideoFault, match="only 1 different pictures"):
        numbers(films([(5, 1)] * 160), Even(frames=16))


def test_a_steady_film_is_neither_read_nor_decoded_twice(
    films: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        pytest.fail("it was read once more")

    path = films(TWIN)
    monkeypatch.setattr("components.video.survey.read_packets", refuse)
    monkeypatch.setattr(video, "repeated_frames", refuse)
    for sampling in POLICIES:
        assert numbers(path, sampling)


@pytest.mark.parametrize(
    ("gaps", "repeated", "starts", "ends"),
    [
        ([1] * 30, [], [], []),
        ([1] * 10 + [8] + [1] * 10, [], [], []),  # a phone in the dark
        ([1] * 10 + [9] + [1] * 10, [], [11], [19]),
        ([9] + [1] * 20, [], [1], [9]),
        ([1] * 20 + [9], [], [21], [29]),
        ([1] * 20, range(5, 13), [5], [13]),
        ([1] * 20, range(5, 12), [], []),  # no longer than others may be shown
        ([1] * 20, range(1, 20), [1], [20]),
        ([1] * 8 + [20] + [1] * 8, [8], [8], [28]),  # both
        ([0] * 20, [], [], []),
        ([], [], [], []),
    ],
)
def test_where_pauses_are(gaps: list[int], repeated: list[int], starts: list[int], ends: list[int]) -> None:
    """In 25ths of a second."""
    times = np.cumsum([0, *gaps]) / 25
    flags = np.isin(np.arange(len(gaps)), list(repeated))
    found = find_pauses(replace(Timeline.of(times[:-1], float(times[-1])), repeated=flags))
    assert found.starts == pytest.approx([start / 25 for start in starts])
    assert found.ends == pytest.approx([end / 25 for end in ends])


def test_survey(films: Callable[..., Path]) -> None:
    path = films(without_frames(TWIN, [25]))
    found = survey(path, probe(path, Limits()), Limits(), sys.maxsize)
    assert (found.pauses.frames, found.quiet) == (PICTURES, False)
    assert found.pauses.seconds == pytest.approx(PICTURES / 25)
