"""Sampled frames are those of a full decode, bit for bit, whatever was passed over to find them."""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from hashlib import md5
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

import av
import cv2
import numpy as np
import pytest

from components.video import frames as video
from components.video import seek
from components.video.frames import Frame, VideoInfo, map_frames, probe
from components.video.limits import Limits
from components.video.sampling import Consecutive, Even, Every, RangeSampling, Sampling, moments

POLICIES: list[Sampling] = [
    Even(frames=4),
    Even(frames=16),
    RangeSampling(policy="range", least=2, most=9, per_second=2.0),
    Consecutive(policy="clip", places=3, frames=4),
    Every(policy="every", step=7),
]


@dataclass(frozen=True)
class Film:
    """How a film is written."""

    name: str
    codec: str
    gop: int
    frames: int = 80
    options: dict[str, str] = field(default_factory=dict)
    reordered: int | None = None  # B-frames in a row, where no option tells
    format: str = "yuv420p"
    durations: tuple[int, ...] = (1,)  # of its frames in turn, 25ths of a second
    layout: str = ""  # FFmpeg's movflags
    lie: Callable[[Path], None] | None = None  # makes its header tell less than there is

    def __str__(self) -> str:
        lie = [self.lie.__name__] if self.lie else []
        options = [*self.options.values(), *filter(None, [self.layout]), *lie]
        return "-".join([self.name, self.codec, str(self.gop), self.format, *options])


def shorter_mdhd(path: Path) -> None:
    """A tenth of the track's duration, in its media header (ISO/IEC 14496-12, 8.4.2)."""
    content = bytearray(path.read_bytes())
    place = content.index(b"mdhd") + 20
    struct.pack_into(">I", content, place, struct.unpack_from(">I", content, place)[0] // 10)
    path.write_bytes(content)


def shorter_avi(path: Path) -> None:
    """12 frames, in the headers of the file and of its stream."""
    content = bytearray(path.read_bytes())
    for header, offset in ((b"avih", 24), (b"strh", 40)):
        struct.pack_into("<I", content, content.index(header) + offset, 12)
    path.write_bytes(content)


def h264(name: str, gop: int, parameters: str = "bframes=3", **others: Any) -> Film:
    return Film(name, "libx264", gop, options={"preset": "veryfast", "x264-params": parameters}, **others)


def hevc(name: str, gop: int, parameters: str = "bframes=4", **others: Any) -> Film:
    options = {"preset": "ultrafast", "x265-params": f"log-level=none:pools=none:{parameters}"}
    return Film(name, "libx265", gop, frames=64, options=options, **others)


def vp9(name: str, gop: int) -> Film:
    return Film(
        name,
        "libvpx-vp9",
        gop,
        frames=64,
        options={"auto-alt-ref": "1", "lag-in-frames": "12", "cpu-used": "8", "deadline": "realtime"},
    )


FILMS = [
    *[h264("a.mp4", gop) for gop in (8, 30, 250)],
    h264("a.mp4", 30, "bframes=8:b-pyramid=normal"),
    h264("a.mp4", 30, "bframes=0"),
    h264("a.mp4", 20, "open-gop=1:bframes=3"),
    h264("a.mp4", 20, "intra-refresh=1"),
    h264("a.mp4", 30, format="yuv420p10le"),
    # Steady at the end: an mp4 tells from one decoding to the next, not how long the last frame is shown.
    h264("a.mp4", 20, durations=((1, 1, 3, 1, 7, 2) * 12 + (1,) * 8)),
    *[h264("a.mp4", gop, layout="frag_keyframe") for gop in (8, 30)],
    h264("a.mp4", 8, layout="frag_keyframe+empty_moov"),
    h264("a.mp4", 8, layout="dash+frag_keyframe+global_sidx"),
    h264("a.mp4", 30, lie=shorter_mdhd),
    Film("a.avi", "mpeg4", 8, lie=shorter_avi),
    *[h264(name, gop) for name in ("a.ts", "a.mkv", "a.flv") for gop in (8, 250)],
    h264("a.ts", 20, "open-gop=1:bframes=3"),
    *[hevc("a.mp4", gop) for gop in (8, 30, 250)],
    hevc("a.mp4", 20, "open-gop=1:bframes=4:keyint=20"),
    hevc("a.mkv", 20, "open-gop=1:bframes=4:keyint=20"),
    hevc("a.mp4", 20, "temporal-layers=3:bframes=4"),
    hevc("a.mp4", 30, format="yuv420p10le"),
    hevc("a.ts", 30),
    *[Film(name, "mpeg4", gop, reordered=2) for name in ("a.mp4", "a.avi") for gop in (8, 30, 250)],
    *[vp9("a.webm", gop) for gop in (8, 30, 250)],
    Film("a.webm", "libvpx", 30, options={"cpu-used": "8", "deadline": "realtime"}),
    *[Film(name, "mpeg2video", 12, reordered=2) for name in ("a.mpg", "a.ts")],
    Film("a.wmv", "wmv2", 12),
    Film("a.mp4", "libsvtav1", 20, frames=48, options={"preset": "13", "svtav1-params": "lp=1"}),
]


def write(film: Film, path: Path) -> Path:
    """A film of a texture that drifts, of a square that counts, and of a cut."""
    options = {"movflags": film.layout} if film.layout else {}
    with av.open(path, "w", options=options) as container:
        stream: Any = container.add_stream(film.codec, rate=25, options=film.options)
        stream.width, stream.height, stream.gop_size, stream.pix_fmt = 96, 64, film.gop, film.format
        if film.reordered:
            stream.codec_context.max_b_frames = film.reordered
        stamp = 0
        for index in range(film.frames):
            frame = av.VideoFrame.from_ndarray(_picture(index, film.frames), "rgb24")
            frame.pts, frame.time_base = stamp, Fraction(1, 25)
            stamp += film.durations[index % len(film.durations)]
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    if film.lie:
        film.lie(path)
    return path


def _picture(index: int, frames: int) -> Any:
    texture = np.random.default_rng(index > frames // 3).integers(0, 256, (8, 40, 3), np.uint8)
    wide = cv2.resize(texture, (320, 64), interpolation=cv2.INTER_CUBIC)
    image = np.ascontiguousarray(np.roll(wide, index, axis=1)[:, :96])
    image[:12, :12] = 2 * index % 256
    return image


@dataclass(frozen=True)
class Shot:
    path: Path
    frames: list[tuple[float, str]]  # of a full decode: seconds from the first, and the sum of the picture
    duration: float  # seconds until the last one ends


@pytest.fixture(scope="module", params=FILMS, ids=str)
def shot(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Shot:
    film = request.param
    path = write(film, tmp_path_factory.mktemp("film") / film.name)
    frames = full_decode(path)
    assert len(frames) == film.frames  # what the header tells has no part in it
    return Shot(path, frames, frames[-1][0] + shown_last(path))


def full_decode(path: Path) -> list[tuple[float, str]]:
    with av.open(path) as container:
        frames = [
            (frame.time or 0.0, digest(frame.to_ndarray(format="rgb24")))
            for frame in container.decode(video=0)
        ]
    return [(time - frames[0][0], content) for time, content in frames]


def shown_last(path: Path) -> float:
    """Seconds for which the last frame is shown, where the file does not tell those of a steady rate."""
    with av.open(path) as container:
        *_, last = container.decode(video=0)
        return float((last.duration or 0) * (last.time_base or 0)) or 1 / 25


def digest(image: Any) -> str:
    return md5(np.ascontiguousarray(image).tobytes(), usedforsecurity=False).hexdigest()


def look(frame: Frame) -> tuple[float, str]:
    return frame.time, digest(frame.image)


def sampled(path: Path, sampling: Sampling) -> list[tuple[float, str]]:
    return map_frames(path, probe(path, Limits()), sampling, Limits(), look)


def expected(shot: Shot, sampling: Sampling) -> list[tuple[float, str]]:
    """By the definition: the frame that began last at a moment, and those that follow it."""
    found = []
    told = VideoInfo(len(shot.frames), 25.0, 96, 64, shot.duration, "", 0)  # `probe` is not asked
    for moment in moments(sampling, told):
        begun = [i for i, (time, _) in enumerate(shot.frames) if time <= moment.time + 1e-6]
        found += [shot.frames[begun[-1] + step * moment.step] for step in range(moment.run)]
    return found


@pytest.fixture
def no_full_decode(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> NoReturn:
        pytest.fail("everything was decoded")

    monkeypatch.setattr(video, "_decode_all", refuse)


@pytest.mark.usefixtures("no_full_decode")
@pytest.mark.parametrize("sampling", POLICIES, ids=lambda sampling: sampling.policy)
def test_each_sampled_frame_is_that_of_a_full_decode(shot: Shot, sampling: Sampling) -> None:
    found, wanted = sampled(shot.path, sampling), expected(shot, sampling)
    assert [content for _, content in found] == [content for _, content in wanted]
    assert [time for time, _ in found] == pytest.approx([time for time, _ in wanted], abs=1e-6)


@pytest.mark.usefixtures("no_full_decode")
def test_containers_without_an_index_are_jumped_through(shot: Shot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seek, "FAR", 0.1)
    found, wanted = sampled(shot.path, Even(frames=5)), expected(shot, Even(frames=5))
    assert [content for _, content in found] == [content for _, content in wanted]


def test_a_full_decode_takes_the_same_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(h264("a.mp4", 30), tmp_path / "a.mp4")
    quickly = [sampled(path, sampling) for sampling in POLICIES]
    monkeypatch.setattr(video, "_walk", lambda *_: None)
    assert [sampled(path, sampling) for sampling in POLICIES] == quickly


def test_pictures_out_of_order_without_time_stamps(tmp_path: Path) -> None:
    path = write(h264("a.avi", 30), tmp_path / "a.avi")
    contents = [content for _, content in full_decode(path)]
    found = sampled(path, Even(frames=4))
    assert [content for _, content in found] == [contents[index] for index in (10, 30, 50, 70)]
    assert [time for time, _ in found] == pytest.approx([index / 25 for index in (10, 30, 50, 70)])


@pytest.mark.parametrize("film", [film for film in FILMS if "open-gop" in str(film)], ids=str)
def test_open_groups_of_pictures_are_open(film: Film, tmp_path: Path) -> None:
    """Else the films above would show nothing."""
    path = write(film, tmp_path / film.name)
    with av.open(path) as container:
        packets = [
            (packet.pts or 0, packet.is_keyframe) for packet in container.demux(video=0) if packet.size
        ]
    later = [pair for pair in pairwise(packets[1:]) if pair[0][1]]
    assert later
    assert any(next_stamp < stamp for (stamp, _), (next_stamp, _) in later)
