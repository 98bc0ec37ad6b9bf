"""What finding frames costs, and when the short way is not taken."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from components.video import ahead, container, seek
from components.video import frames as video
from components.video.ahead import Inexact
from components.video.container import decode_packet, opened
from components.video.frames import VideoInfo, map_frames, map_spread, probe
from components.video.limits import Limits
from components.video.sampling import Chooser, Consecutive, Even, Every, Sampling, moments
from components.video.seek import Walk

MakeScene = Callable[..., Path]
NO_CUTS = {"sc_threshold": "0"}  # keyframes only where a group of pictures begins
CLIP = Consecutive(policy="clip", places=2, frames=5)


def times(path: Path, sampling: Sampling) -> list[float]:
    return map_frames(path, probe(path, Limits()), sampling, Limits(), lambda frame: frame.time)


def walk(path: Path, sampling: Sampling, **options: Any) -> tuple[list[float], bool]:
    """Times of the frames that a walk gives, and whether it jumped."""
    info = probe(path, Limits())
    with opened(path, Limits()) as (file, stream):
        chooser = Chooser(moments(sampling, info))
        walking = Walk(file, stream, chooser, info, **options)
        return [time for _, time, count in walking for _ in range(count)], walking.jumped


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The frames that a walk decodes, by packet."""
    counted: list[int] = []

    def counting(*arguments: Any) -> Any:
        frames = decode_packet(*arguments)
        counted.append(len(frames))
        return frames

    monkeypatch.setattr(seek, "decode_packet", counting)
    return counted


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The bytes that are read of a video, by call."""
    counted: list[int] = []

    class Counting(io.FileIO):
        def read(self, size: int | None = -1, /) -> bytes:
            content = super().read(-1 if size is None else size)
            counted.append(len(content))
            return content

    monkeypatch.setattr(container, "_checked", lambda path, _: Counting(path))
    return counted


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi", "a.ts"])
def test_a_long_video_costs_some_groups_of_pictures(
    tmp_path: Path, make_scene: MakeScene, decoded: list[int], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    codec = "mpeg4" if name == "a.avi" else "libx264"
    path = make_scene(tmp_path / name, gop=10, seconds=20.0, fps=10, codec=codec, options=NO_CUTS)
    monkeypatch.setattr(seek, "FAR", 2.0)
    assert len(times(path, Even(frames=3))) == 3
    assert sum(decoded) < 3 * 15  # of 200
    decoded.clear()
    assert len(times(path, CLIP)) == 10
    assert sum(decoded) < 2 * 20
    decoded.clear()
    assert len(times(path, Every(policy="every", step=1, most=4))) == 4
    assert sum(decoded) < 4 * 15


@pytest.mark.parametrize("layout", ["frag_keyframe", "dash+frag_keyframe+global_sidx"])
def test_fragments_are_jumped_over(
    tmp_path: Path, make_scene: MakeScene, decoded: list[int], monkeypatch: pytest.MonkeyPatch, layout: str
) -> None:
    monkeypatch.setattr(seek, "FAR", 2.0)
    options = NO_CUTS | {"movflags": layout}
    path = make_scene(tmp_path / "a.mp4", gop=10, seconds=20.0, fps=10, options=options)
    assert times(path, Even(frames=3)) == pytest.approx([3.3, 10.0, 16.6])
    assert sum(decoded) < 3 * 15  # of 200


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "libx264"), ("a.mkv", "libx264"), ("a.avi", "mpeg4")])
def test_a_long_video_is_not_read_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: list[int], name: str, codec: str
) -> None:
    monkeypatch.setattr(video, "COUNTED", 2**20)
    monkeypatch.setattr(seek, "FAR", 1.0)
    path = noise(tmp_path / name, codec)
    assert path.stat().st_size > 2**22
    assert len(times(path, Even(frames=2))) == 2
    assert sum(read) < path.stat().st_size / 2


def noise(path: Path, codec: str) -> Path:
    """120 frames that hold much in few pixels."""
    rng = np.random.default_rng(3)
    with av.open(path, "w") as file:
        stream: Any = file.add_stream(codec, rate=25, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = 240, 160, "yuv420p", 10
        stream.bit_rate = 20_000_000
        for image in rng.integers(0, 256, (120, 160, 240, 3), np.uint8):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        file.mux(stream.encode())
    return path


def test_a_short_video_is_decoded_once(tmp_path: Path, make_scene: MakeScene, decoded: list[int]) -> None:
    path = make_scene(tmp_path / "a.mp4", seconds=2.4)
    assert len(times(path, Even(frames=16))) == 16
    assert sum(decoded) < 60 * 0.9  # frames that nothing builds on are passed over
    assert len(decoded) <= 62


def test_a_keyframe_is_decoded_alone(tmp_path: Path, make_scene: MakeScene, decoded: list[int]) -> None:
    path = make_scene(tmp_path / "a.mp4", gop=25, options=NO_CUTS)
    assert times(path, Even(frames=1)) == [2.0]
    assert sum(decoded) == 1


@pytest.mark.parametrize("count", [1, 4])
def test_what_costs_too_much_is_let_go(
    tmp_path: Path, make_scene: MakeScene, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    path = make_scene(tmp_path / "a.mp4", options=NO_CUTS)
    monkeypatch.setattr(video, "MAX_PIXELS", 160 * 120 * 40)
    assert map_spread(path, probe(path, Limits()), count, Limits(), lambda frame: frame) == []


@pytest.mark.parametrize("name", ["a.mp4", "a.ts"])
def test_what_precedes_a_keyframe_but_is_decoded_after_it_stands_in_no_way(
    tmp_path: Path, make_scene: MakeScene, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(seek, "FAR", 0.5)
    options = {"x264-params": "open-gop=1:bframes=3:scenecut=0"}
    path = make_scene(tmp_path / name, gop=10, options=options)
    found, jumped = walk(path, Even(frames=3))
    assert jumped
    assert found == times(path, Even(frames=3))


def test_an_index_that_tells_of_false_keyframes(tmp_path: Path, make_scene: MakeScene) -> None:
    options = {"x264-params": "intra-refresh=1:bframes=0:keyint=25"}
    path = make_scene(tmp_path / "a.mp4", seconds=4.0, gop=25, options=options)
    with pytest.raises(Inexact, match="missing"):
        walk(path, Even(frames=3))
    assert walk(path, Even(frames=3), jumping=False) == (times(path, Even(frames=3)), False)


def test_a_container_without_an_index_and_hardly_a_keyframe(
    tmp_path: Path, make_scene: MakeScene, decoded: list[int]
) -> None:
    path = make_scene(tmp_path / "a.ts", seconds=24.0, fps=10, gop=10000, options=NO_CUTS)
    with pytest.raises(Inexact, match="no keyframe is found"):
        walk(path, Even(frames=2))  # 12 s from one to the next
    decoded.clear()
    assert times(path, Even(frames=2)) == pytest.approx([6.0, 18.0])
    assert sum(decoded) < 240


def test_frames_out_of_order_over_too_many_packets(
    tmp_path: Path, make_scene: MakeScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_scene(tmp_path / "a.mp4", seconds=2.0)
    found = times(path, Even(frames=4))
    monkeypatch.setattr(ahead, "MOST", 2)
    with pytest.raises(Inexact, match="too many packets"):
        walk(path, Even(frames=4))
    assert times(path, Even(frames=4)) == found


def test_frames_that_an_edit_list_hides(tmp_path: Path, make_scene: MakeScene) -> None:
    path = cut_by_copying(make_scene(tmp_path / "whole.mp4", gop=25), tmp_path / "a.mp4", 37)
    shown = every_frame(path)
    assert len(shown) == 100 - 37
    info = probe(path, Limits())
    found = map_frames(path, info, Even(frames=5), Limits(), lambda frame: frame.image)
    wanted = [shown[int((part + 0.5) / 5 * 63)] for part in range(5)]
    assert np.array_equal(found, wanted)


def cut_by_copying(source: Path, target: Path, first: int) -> Path:
    """Packets from the keyframe before a frame on; an edit list hides those before that frame."""
    with av.open(source) as reading, av.open(target, "w") as writing:
        template = reading.streams.video[0]
        stream = writing.add_stream_from_template(template)
        for packet in reading.demux(template):
            if packet.pts is None or packet.dts is None or packet.dts < 512 * (first // 25 * 25 - 2):
                continue
            packet.pts -= 512 * first
            packet.dts -= 512 * first
            packet.stream = stream
            writing.mux(packet)
    return target


def every_frame(path: Path) -> list[np.ndarray[Any, Any]]:
    with av.open(path) as file:
        return [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]


def test_a_moment_after_the_last_frame(tmp_path: Path, make_video: Callable[..., Path]) -> None:
    """As where the sound goes on: frames are taken from the pictures that are there."""
    path = make_video(tmp_path / "a.mp4", frames=40)
    info = probe(path, Limits())
    longer = VideoInfo(**{**vars(info), "duration": 3.2})
    restarts: list[int] = []
    found = map_frames(
        path, longer, Even(frames=4), Limits(), lambda frame: frame.time, lambda: restarts.append(1)
    )
    assert found == pytest.approx([index / 25 for index in (5, 15, 25, 35)])
    assert restarts
