"""Frames are shown as a player shows them; what is expected comes from FFmpeg's own filters."""

import io
import shutil
import subprocess
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from PIL import Image as Picture

from components.video.container import VideoFault
from components.video.examine import examine
from components.video.fingerprint import SAMPLED_PICTURES, make_fingerprint, shrink
from components.video.frames import probe, sample_frames
from components.video.limits import Limits
from components.video.still import still
from tests.components.video.films import FRAMES, HEIGHT, WIDTH, Images, filtered, luma, scene, stored, write

CODECS = {"h264": "libx264", "hevc": "libx265"}

ORIENTATIONS: dict[tuple[int, int, int, int], list[tuple[str, str]]] = {
    (1, 0, 0, 1): [],
    (-1, 0, 0, 1): [("hflip", "")],
    (1, 0, 0, -1): [("vflip", "")],
    (-1, 0, 0, -1): [("hflip", ""), ("vflip", "")],
    (0, 1, -1, 0): [("transpose", "clock")],
    (0, -1, 1, 0): [("transpose", "cclock")],
    (0, 1, 1, 0): [("transpose", "cclock_flip")],
    (0, -1, -1, 0): [("transpose", "clock_flip")],
}
"""Of a display matrix a, b, c and d: the filters that FFmpeg's programs put in for it."""


def shown(path: Path) -> Images:
    frames, _ = sample_frames(path, FRAMES, Limits())
    return np.stack(frames)


def apart(one: Images, other: Images) -> int:
    """Levels by which two pictures, or films, differ at most."""
    assert one.shape == other.shape
    return int(np.abs(one.astype(int) - other).max())


@pytest.fixture(scope="module", params=CODECS)
def film(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    options = {"preset": "ultrafast", "x265-params": "log-level=none:pools=none"}
    path = tmp_path_factory.mktemp("film") / f"{request.param}.mp4"
    return write(path, [stored(scene(i)) for i in range(FRAMES)], CODECS[request.param], options)


def with_matrix(film: Path, path: Path, *coefficients: float, shift: tuple[int, int] = (0, 0)) -> Path:
    """The same film under a display matrix (ISO/IEC 14496-12, 8.3.2)."""
    a, b, c, d = (round(value * 2**16) for value in coefficients)
    with av.open(film) as source, av.open(path, "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        stream.set_display_matrix([a, b, 0, c, d, 0, *(value * 2**16 for value in shift), 2**30])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                target.mux(packet)
    return path


def decoded(path: Path, filters: Sequence[tuple[str, str]] = ()) -> Images:
    """All frames as they are stored, or by filters."""
    with av.open(path) as container:
        frames = container.decode(video=0)
        return np.stack([filtered(frame, filters).to_ndarray(format="rgb24") for frame in frames])


@pytest.mark.parametrize("matrix", ORIENTATIONS, ids=str)
@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
def test_pictures_are_turned_and_mirrored(film: Path, tmp_path: Path, suffix: str, matrix: Any) -> None:
    path = with_matrix(film, tmp_path / f"a.{suffix}", *matrix)
    expected = decoded(film, ORIENTATIONS[matrix])
    assert apart(shown(path), expected) <= 2
    info = probe(path, Limits())
    assert (info.height, info.width) == expected.shape[1:3]


@pytest.mark.parametrize("film", ["h264"], indirect=True)
def test_whoever_looks_sees_what_is_shown(film: Path, tmp_path: Path) -> None:
    path = with_matrix(film, tmp_path / "a.mp4", 0, 1, 1, 0)
    expected = decoded(film, ORIENTATIONS[0, 1, 1, 0])
    assert apart(still(path, Limits()).image, expected[FRAMES // 2]) <= 2
    fingerprint = examine(path, Limits()).fingerprint
    assert fingerprint is not None
    taken = [expected[int((part + 0.5) * FRAMES / SAMPLED_PICTURES)] for part in range(SAMPLED_PICTURES)]
    assert fingerprint == make_fingerprint([shrink(image) for image in taken])


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="compares with the program ffmpeg")
@pytest.mark.parametrize("film", ["h264"], indirect=True)
@pytest.mark.parametrize("matrix", ORIENTATIONS, ids=str)
def test_ffmpeg_itself_turns_them_so(film: Path, tmp_path: Path, matrix: Any) -> None:
    path = with_matrix(film, tmp_path / "a.mp4", *matrix)
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-sws_flags", "bilinear", "-"]
    content = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", path, *raw], capture_output=True, check=True
    ).stdout
    ours = shown(path)
    assert apart(ours, np.frombuffer(content, np.uint8).reshape(ours.shape)) <= 2


@pytest.mark.parametrize("film", ["h264"], indirect=True)
@pytest.mark.parametrize(
    ("matrix", "nearest"),
    [
        ((0, 0, 0, 0), (1, 0, 0, 1)),  # a point
        ((-1, -1, -1, -1), (1, 0, 0, 1)),  # a line
        ((-2, 0, 0, 2), (-1, 0, 0, 1)),
        ((0.98, 0.17, -0.17, 0.98), (1, 0, 0, 1)),  # 10 degrees
        ((0.17, 0.98, -0.98, 0.17), (0, 1, -1, 0)),  # 80 degrees
        ((-0.98, 0.17, 0.17, 0.98), (-1, 0, 0, 1)),
    ],
    ids=str,
)
def test_other_matrices_stand_for_the_nearest_or_for_none(
    film: Path, tmp_path: Path, matrix: Any, nearest: Any
) -> None:
    path = with_matrix(film, tmp_path / "a.mp4", *matrix, shift=(WIDTH, 7))
    assert apart(shown(path), decoded(film, ORIENTATIONS[nearest])) <= 2


def test_a_turn_among_side_data_of_unknown_kinds(tmp_path: Path) -> None:
    """Pictures of Motion JPEG with Exif, of whose frames PyAV lists no side data."""
    picture = Picture.fromarray(scene(0))
    exif = picture.getexif()
    exif[0x0112] = 6  # orientation: to be turned clockwise
    content = io.BytesIO()
    picture.save(content, "jpeg", exif=exif.tobytes(), quality=95)
    with av.open(tmp_path / "a.mov", "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuvj420p"
        for index in range(FRAMES):
            packet = av.Packet(content.getvalue())
            packet.pts = packet.dts = index
            packet.stream, packet.time_base, packet.is_keyframe = stream, Fraction(1, 25), True
            container.mux(packet)
    (found,), _ = sample_frames(tmp_path / "a.mov", 1, Limits(min_frames=1))
    assert found.shape == (WIDTH, HEIGHT, 3)
    assert np.abs(found.astype(int) - np.rot90(scene(0), -1)).mean() < 6


@pytest.mark.parametrize(
    ("size", "aspect", "expected"),
    [
        ((90, 72), "16/15", (96, 72)),  # as 720×576
        ((90, 72), "64/45", (128, 72)),
        ((90, 60), "8/9", (80, 60)),  # as 720×480
        ((96, 64), "1/1", (96, 64)),
        ((96, 64), "4/1", (384, 64)),
        ((96, 64), "200/199", (96, 64)),  # makes up for a size that was rounded
        ((96, 64), "1/10000", (96, 64)),  # a mistake
        ((96, 64), "10000/1", (96, 64)),
    ],
)
def test_pixels_are_made_square(
    tmp_path: Path, size: tuple[int, int], aspect: str, expected: tuple[int, int]
) -> None:
    path = oblong(tmp_path / "a.mkv", Fraction(aspect), size)
    info = probe(path, Limits())
    assert (info.width, info.height) == expected
    scaled = [cv2.resize(image, expected, interpolation=cv2.INTER_CUBIC) for image in decoded(path)]
    assert np.abs(luma(shown(path)) - luma(np.stack(scaled))).mean() < 1


def oblong(path: Path, aspect: Fraction, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Path:
    """A film whose pixels are no squares."""
    frames = [stored(scene(i, size)) for i in range(FRAMES)]
    return write(path, frames, "libx264", {"qp": "4", "preset": "ultrafast"}, sample_aspect_ratio=aspect)


def test_pixels_are_made_square_before_the_picture_is_turned(tmp_path: Path) -> None:
    path = with_matrix(oblong(tmp_path / "a.mp4", Fraction(2)), tmp_path / "b.mp4", 0, 1, -1, 0)
    info = probe(path, Limits())
    assert (info.width, info.height) == (HEIGHT, 2 * WIDTH)


def test_square_pixels_hold_the_limit(tmp_path: Path) -> None:
    path = oblong(tmp_path / "a.mp4", Fraction(2))
    assert probe(path, Limits(max_pixels=2 * WIDTH * HEIGHT)).width == 2 * WIDTH
    with pytest.raises(
        VideoFault, match="192×64 px in square pixels a frame; the limit is 12287 px"
    ) as caught:
        probe(path, Limits(max_pixels=2 * WIDTH * HEIGHT - 1))
    assert caught.value.status == "too_large"


MATRICES = {1: (0.2126, 0.0722), 2: (0.299, 0.114), 5: (0.299, 0.114), 6: (0.299, 0.114), 9: (0.2627, 0.0593)}
"""ITU-T H.273, table 4: the shares of red and blue in luma."""

COLOURS = np.array(
    [[200, 60, 90], [30, 180, 60], [120, 110, 230], [250, 250, 240], [12, 10, 20], [180, 140, 120]]
)


@pytest.mark.parametrize("full", [False, True], ids=["limited", "full"])
@pytest.mark.parametrize("matrix", [*MATRICES, 8])
def test_colours_are_those_of_the_matrix_and_range(tmp_path: Path, matrix: int, full: bool) -> None:
    """A matrix that FFmpeg does not know (YCgCo) is taken for an unspecified one."""
    red, blue = MATRICES.get(matrix, MATRICES[2])
    rgb = np.repeat(np.repeat(COLOURS / 255, 16, axis=0)[None], HEIGHT, axis=0)
    luma = rgb @ [red, 1 - red - blue, blue]
    planes = [luma, (rgb[..., 2] - luma) / (2 - 2 * blue), (rgb[..., 0] - luma) / (2 - 2 * red)]
    scales = [(255, 0), (255, 128), (255, 128)] if full else [(219, 16), (224, 128), (224, 128)]
    yuv = [np.rint(plane * scale + offset) for plane, (scale, offset) in zip(planes, scales, strict=True)]
    frame = av.VideoFrame.from_ndarray(np.stack(yuv).clip(0, 255).astype(np.uint8), "yuv444p")
    frame.colorspace, frame.color_range = matrix, 1 + full
    path = write(
        tmp_path / "a.mkv", [frame] * FRAMES, "libx264", {"qp": "1", "preset": "ultrafast"},
        colorspace=matrix, color_range=1 + full,
    )  # fmt: skip
    (picture,), _ = sample_frames(path, 1, Limits(min_frames=1))
    middles = picture[HEIGHT // 2, 8::16]
    assert apart(middles, COLOURS) <= 4


def interlaced(first: Images, second: Images) -> av.VideoFrame:
    """A frame of two moments, its upper line from the first."""
    woven = first.copy()
    woven[1::2] = second[1::2]
    return filtered(
        stored(woven, "yuv444p"), [("setfield", "tff"), ("scale", "interl=1"), ("format", "yuv420p")]
    )


FIELDS: dict[str, tuple[str, dict[str, str]]] = {
    "a.mp4": ("libx264", {"x264-params": "tff=1", "qp": "4"}),
    "a.ts": ("libx264", {"x264-params": "tff=1", "qp": "4"}),
    "a.mpg": ("mpeg2video", {"flags": "+ildct+ilme+qscale", "global_quality": "236"}),
}


def panned(index: int) -> Images:
    """A picture that a camera moves across, four pixels each time."""
    texture = np.random.default_rng(4).integers(0, 256, (4, 50, 3), np.uint8)
    whole = cv2.resize(texture, (WIDTH + 400, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(whole[:, 4 * index : 4 * index + WIDTH])


@pytest.mark.parametrize("name", FIELDS)
def test_fields_are_shown_as_whole_pictures(tmp_path: Path, name: str) -> None:
    """Of each frame its first moment; the same by passing over frames as by decoding all."""
    frames = [interlaced(panned(i), panned(i + 1)) for i in range(0, 100, 2)]
    path = write(tmp_path / name, frames, *FIELDS[name])
    everything, _ = sample_frames(path, len(frames), Limits())
    moments = luma(np.stack([panned(i) for i in range(0, 100, 2)]))
    assert np.abs(luma(np.stack(everything)) - moments).mean() < 2.5
    assert np.abs(luma(decoded(path)) - moments).mean() > 10  # as it is stored
    some, times = sample_frames(path, 5, Limits())
    assert [float(t) for t in times] == pytest.approx([0.2, 0.6, 1.0, 1.4, 1.8], abs=0.05)
    assert all(np.array_equal(frame, everything[round(25 * t)]) for frame, t in zip(some, times, strict=True))
