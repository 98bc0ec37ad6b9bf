import os
import struct
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from components.video.container import VideoFault
from components.video.frames import Frame, map_frames, probe, sample_frames
from components.video.limits import Limits
from components.video.sampling import Even, Every, Sampling


def all_frames(path: Path) -> list[np.ndarray[Any, Any]]:
    """What a plain sequential decode yields, damaged packets passed over."""
    frames = []
    with av.open(path) as container:
        for packet in container.demux(video=0):
            try:
                frames += [frame.to_ndarray(format="rgb24") for frame in packet.decode()]
            except av.FFmpegError:
                continue
    return frames


def fault_of(path: Path, limits: Limits) -> tuple[str, str]:
    with pytest.raises(VideoFault) as caught:
        probe(path, limits)
    return caught.value.status, caught.value.reason


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("a.mp4", "libx264", {}),
        ("a.mov", "libx264", {}),
        ("fragmented.mp4", "libx264", {"movflags": "frag_keyframe", "g": "5"}),
        ("fragments_only.mp4", "libx264", {"movflags": "frag_keyframe+empty_moov"}),
        ("indexed_fragments.mp4", "libx264", {"movflags": "frag_keyframe+global_sidx", "g": "5"}),
        ("a.mkv", "libx264", {}),
        ("a.webm", "libvpx", {}),
        ("a.avi", "mpeg4", {}),
        ("a.ts", "libx264", {}),
        ("named_wrongly.txt", "libx264", {"f": "mp4"}),
    ],
)
def test_probe_knows_the_common_containers(
    tmp_path: Path, make_video: Callable[..., Path], name: str, codec: str, options: dict[str, str]
) -> None:
    made = make_video(tmp_path / name.replace(".txt", ".mp4"), codec=codec, **options)
    path = made.rename(tmp_path / name)
    info = probe(path, Limits())
    assert (info.frames, info.width, info.height) == (30, 96, 64)
    assert info.fps == pytest.approx(25)
    assert info.duration == pytest.approx(1.2, abs=0.05)
    assert info.bytes == path.stat().st_size


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"not a video\n" * 100, "not a video file"),
        (b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nvictim.mp4\n#EXT-X-ENDLIST\n", "not a video file"),
        (b"ffconcat version 1.0\nfile victim.mp4\n", "not a video file"),
        (cv2.imencode(".jpg", np.zeros((64, 64, 3), np.uint8))[1].tobytes(), "not a video file"),
        (np.random.default_rng(0).bytes(5000), "not a video file"),
    ],
    ids=["empty", "text", "hls", "ffconcat", "jpeg", "noise"],
)
@pytest.mark.parametrize("name", ["a.mp4", "a.m3u8", "a"])
def test_what_is_not_a_video_is_undecodable(
    tmp_path: Path, make_video: Callable[..., Path], name: str, content: bytes, reason: str
) -> None:
    make_video(tmp_path / "victim.mp4")  # what the playlists point at does exist
    path = tmp_path / name
    path.write_bytes(content)
    status, why = fault_of(path, Limits())
    assert status == "undecodable"
    assert reason in why
    assert "\n" not in why


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nvictim.ts\n#EXT-X-ENDLIST\n"),
        ("a.ffconcat", "ffconcat version 1.0\nfile victim.ts\n"),
    ],
)
def test_even_a_recognised_playlist_opens_nothing(
    tmp_path: Path,
    make_video: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    content: str,
) -> None:
    make_video(tmp_path / "victim.ts")
    path = tmp_path / name
    path.write_text(content)
    assert len(all_frames(path)) == 30  # FFmpeg by itself follows it
    monkeypatch.setattr("components.video.container.CONTAINERS", ("mpegts", "hls", "concat"))
    assert fault_of(path, Limits())[0] == "undecodable"


def test_an_mp4_without_its_index_is_told_apart(tmp_path: Path, make_video: Callable[..., Path]) -> None:
    path = make_video(tmp_path / "a.mp4")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert fault_of(path, Limits()) == (
        "undecodable",
        "an mp4 whose index is missing; the file is cut short or damaged",
    )


def test_sound_alone_is_undecodable(tmp_path: Path) -> None:
    path = tmp_path / "sound.mp4"
    with av.open(path, "w") as container:
        stream: Any = container.add_stream("aac", rate=16000, layout="mono")
        for start in range(0, 20 * 1024, 1024):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            frame.sample_rate, frame.pts = 16000, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert fault_of(path, Limits()) == (
        "undecodable",
        "no video stream; the file holds only sound or data",
    )


def test_pipes_folders_and_missing_files_are_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    assert fault_of(tmp_path / "pipe.mp4", Limits()) == ("undecodable", "not a regular file")
    assert fault_of(tmp_path, Limits()) == ("undecodable", "not a regular file")
    assert fault_of(tmp_path / "none.mp4", Limits()) == (
        "undecodable",
        "cannot be read: No such file or directory",
    )


@pytest.mark.parametrize(
    ("limit", "status", "reason"),
    [
        ({"min_frames": 31}, "too_short", "30 frames; at least 31 are needed"),
        ({"max_bytes": 100}, "too_large", "the limit is 100"),
        ({"max_pixels": 96 * 64 - 1}, "too_large", "96×64 px a frame; the limit is 6143 px"),
        ({"max_seconds": 1.0}, "too_large", "1 s long; the limit is 1 s"),
    ],
)
def test_limits(
    tmp_path: Path, make_video: Callable[..., Path], limit: dict[str, Any], status: str, reason: str
) -> None:
    path = make_video(tmp_path / "a.mp4")
    found, why = fault_of(path, Limits().model_copy(update=limit))
    assert found == status
    assert reason in why


@pytest.mark.parametrize("count", [1, 3, 8, 29, 30, 64])
def test_samples_are_those_of_a_sequential_decode(
    tmp_path: Path, make_video: Callable[..., Path], count: int
) -> None:
    path = make_video(tmp_path / "a.mp4", bf="3")
    everything = all_frames(path)
    frames, times = sample_frames(path, count, Limits())
    wanted = evenly_spaced(30, count)
    assert len(frames) == min(count, 30)
    assert all(np.array_equal(frame, everything[i]) for frame, i in zip(frames, wanted, strict=True))
    assert times == pytest.approx([i / 25 for i in wanted], abs=1e-3)


def test_a_file_cut_short_is_sampled_evenly_from_what_is_left(cut_short: Callable[[float], Path]) -> None:
    path = cut_short(0.6)
    left = all_frames(path)
    assert probe(path, Limits()).frames == 30
    assert 8 <= len(left) < 27
    frames, _ = sample_frames(path, 8, Limits())
    wanted = evenly_spaced(len(left), 8)
    assert all(np.array_equal(frame, left[i]) for frame, i in zip(frames, wanted, strict=True))


@pytest.mark.parametrize(("share", "status"), [(0.0, "undecodable"), (0.2, "too_short")])
def test_a_file_with_too_little_left_says_so(
    cut_short: Callable[[float], Path], share: float, status: str
) -> None:
    with pytest.raises(VideoFault, match="decoded") as caught:
        sample_frames(cut_short(share), 8, Limits())
    assert caught.value.status == status


def test_damage_in_the_middle_is_passed_over(tmp_path: Path, make_video: Callable[..., Path]) -> None:
    path = make_video(tmp_path / "a.mp4", movflags="faststart")
    content = bytearray(path.read_bytes())
    middle = (content.index(b"mdat") + len(content)) // 2
    content[middle : middle + 200] = bytes(200)
    path.write_bytes(content)
    left = all_frames(path)
    assert 8 <= len(left) < 30
    frames, _ = sample_frames(path, 8, Limits())
    assert len(frames) == 8
    assert all(any(np.array_equal(frame, other) for other in left) for frame in frames)


@pytest.mark.parametrize("offset", [0, 0.64], ids=["joined", "continued"])
def test_a_size_that_changes_midway(tmp_path: Path, make_video: Callable[..., Path], offset: float) -> None:
    """All frames are given in the size that the video begins with."""
    parts = [
        make_video(tmp_path / "a.ts", frames=16),
        make_video(tmp_path / "b.ts", frames=16, first=16, size=(48, 80), output_ts_offset=str(offset)),
    ]
    path = tmp_path / "both.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    info = probe(path, Limits())
    assert (info.frames, info.width, info.height) == (32, 96, 64)
    assert info.duration == pytest.approx(1.28, abs=0.05)
    frames, times = sample_frames(path, 8, Limits())
    wanted = evenly_spaced(32, 8)
    assert times == pytest.approx([index / 25 for index in wanted], abs=0.05)
    assert {frame.shape for frame in frames} == {(64, 96, 3)}
    greys = [int(frame[-1, -1, 0]) for frame in frames]
    assert greys == pytest.approx([8 * index for index in wanted], abs=6)


def test_a_rate_that_varies(tmp_path: Path) -> None:
    """The frame of a moment is the one that is shown then, and none is shown for two."""
    path = tmp_path / "a.mp4"
    shown_from = [0, 1, 2, 6, 7, 8, 12, 13, 14, 15, 22, 23]
    with av.open(path, "w") as container:
        stream: Any = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for index, stamp in enumerate(shown_from):
            frame = av.VideoFrame.from_ndarray(np.full((64, 96, 3), 20 * index, np.uint8), "rgb24")
            frame.pts, frame.time_base = stamp, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    visits: list[float] = []

    def visit(frame: Frame) -> float:
        visits.append(frame.time)
        return frame.time

    info = probe(path, Limits())
    found = map_frames(path, info, Even(frames=8), Limits(), visit, visits.clear)
    assert info.duration == pytest.approx(24 / 25)  # of which each eighth is three times a 25th
    assert found == pytest.approx([stamp / 25 for stamp in (1, 2, 7, 8, 13, 15, 22, 23)])
    assert visits == found


def test_more_frames_are_promised_than_there_are(tmp_path: Path, make_video: Callable[..., Path]) -> None:
    path = make_video(tmp_path / "a.mp4")
    info = replace(probe(path, Limits()), frames=100)
    found = map_frames(path, info, Every(policy="every", step=4), Limits(), lambda frame: frame.time)
    assert found == pytest.approx([index / 25 for index in range(0, 30, 4)])


@pytest.mark.parametrize(
    "sampling", [Even(frames=12), Every(policy="every", step=5)], ids=lambda sampling: sampling.policy
)
def test_more_frames_are_there_than_promised(
    tmp_path: Path, make_video: Callable[..., Path], sampling: Sampling
) -> None:
    """As where a long file's frames are estimated from a rate that is none."""
    path = make_video(tmp_path / "a.mp4")
    info = probe(path, Limits())
    restarts: list[int] = []
    found = map_frames(
        path,
        replace(info, frames=12),
        sampling,
        Limits(),
        lambda frame: frame.time,
        lambda: restarts.append(1),
    )
    assert found == map_frames(path, info, sampling, Limits(), lambda frame: frame.time)
    assert restarts


@pytest.mark.parametrize("counted", [0, 2**20])
def test_a_matroska_file_that_tells_of_a_tenth_of_its_time(
    tmp_path: Path, make_video: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, counted: int
) -> None:
    monkeypatch.setattr("components.video.frames.COUNTED", counted)
    path = make_video(tmp_path / "a.mkv")
    honest = probe(path, Limits())
    content = bytearray(path.read_bytes())
    place = content.index(b"\x44\x89\x88") + 3  # Duration, eight bytes (RFC 9559, 5.1.2.10)
    struct.pack_into(">d", content, place, struct.unpack_from(">d", content, place)[0] / 10)
    path.write_bytes(content)
    assert probe(path, Limits()) == honest


def test_an_index_that_knows_but_the_beginning(tmp_path: Path, make_video: Callable[..., Path]) -> None:
    """The packets go on after it, and a full decode finds them."""
    path = make_video(tmp_path / "a.avi", codec="mpeg4")
    content = bytearray(path.read_bytes())
    for header, offset, value in ((b"avih", 24, 10), (b"strh", 40, 10), (b"idx1", 4, 160)):
        struct.pack_into("<I", content, content.rindex(header) + offset, value)
    path.write_bytes(content)
    everything = all_frames(path)
    assert len(everything) == 30
    frames, _ = sample_frames(path, 8, Limits())
    wanted = [everything[index] for index in evenly_spaced(30, 8)]
    assert all(np.array_equal(frame, other) for frame, other in zip(frames, wanted, strict=True))


@pytest.mark.parametrize("name", ["a.mkv", "a.ts", "a.flv"])
def test_sound_that_goes_on_is_no_part_of_the_duration(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with av.open(path, "w") as container:
        video: Any = container.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 96, 64, "yuv420p"
        sound: Any = container.add_stream("aac", rate=16000, layout="mono")
        for index in range(50):
            image = np.full((64, 96, 3), 4 * index, np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        container.mux(video.encode())
        for start in range(0, 4 * 16000, 1024):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            frame.sample_rate, frame.pts = 16000, start
            container.mux(sound.encode(frame))
        container.mux(sound.encode())
    assert probe(path, Limits()).duration == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize("counted", [0, 2**20])
def test_frames_of_a_long_matroska_file_are_estimated(
    tmp_path: Path, make_video: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, counted: int
) -> None:
    monkeypatch.setattr("components.video.frames.COUNTED", counted)
    path = make_video(tmp_path / "a.mkv")
    assert probe(path, Limits()).frames == 30
    assert len(sample_frames(path, 8, Limits())[0]) == 8


def evenly_spaced(total: int, count: int) -> list[int]:
    """The middles of `count` equal parts of `range(total)`; all of it where `total` is less."""
    if total <= count:
        return list(range(total))
    return [(2 * part + 1) * total // (2 * count) for part in range(count)]
