import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.faces.container import VideoFault
from components.faces.policy import Limits
from components.faces.video import evenly_spaced, probe, sample_frames


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
        ("fragmented.mp4", "libx264", {"movflags": "frag_keyframe+empty_moov"}),
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
    monkeypatch.setattr("components.faces.container.CONTAINERS", ("mpegts", "hls", "concat"))
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


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_pictures_are_turned_upright(tmp_path: Path, make_video: Callable[..., Path], degrees: int) -> None:
    plain = make_video(tmp_path / "plain.mp4")
    turned = make_video(tmp_path / "turned.mp4", rotation=degrees)
    with av.open(turned) as container:
        turns = next(container.decode(video=0)).rotation // 90 % 4
    assert turns in {1, 2, 3}
    expected = [np.rot90(frame, turns) for frame in sample_frames(plain, 4, Limits())[0]]
    frames, _ = sample_frames(turned, 4, Limits())
    assert np.array_equal(frames, expected)
    assert (probe(turned, Limits()).height, probe(turned, Limits()).width) == frames[0].shape[:2]


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


@given(total=st.integers(1, 500), count=st.integers(1, 100))
def test_evenly_spaced(total: int, count: int) -> None:
    chosen = evenly_spaced(total, count)
    assert len(chosen) == min(total, count)
    assert 0 <= chosen[0] <= chosen[-1] < total
    steps = np.diff(chosen)
    assert not len(steps) or (steps.min() >= 1 and steps.max() - steps.min() <= 1)
    assert abs(chosen[0] - (total - 1 - chosen[-1])) <= 1  # neither end is favoured
