"""Memory that runs out while a video is opened or decoded is told apart from damage."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import av
import numpy as np
import pytest
from av.stream import Disposition

from components.faces.clip import Failure
from components.faces.worker import answer
from components.video import container
from components.video.container import VideoFault
from components.video.frames import probe, sample_frames
from components.video.limits import Limits

TOO_LARGE = Failure("too_large", "needs more memory than limits.memory_mb grants")


def run_out(*_: Any, **__: Any) -> NoReturn:
    raise av.error.MemoryError(12, "Cannot allocate memory")


def outcome(path: Path) -> Any:
    return answer(lambda path: sample_frames(path, 4, Limits()), path)  # type: ignore[arg-type, return-value]


def test_a_frame_that_is_passed_over_for_want_of_memory(
    make_video: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_video(tmp_path / "a.mp4")
    sound = outcome(path)
    assert not isinstance(sound, Failure)
    monkeypatch.setattr(np, "empty", run_out)  # libx264's first packets yield no frame yet
    assert outcome(path) == TOO_LARGE


def test_opening_for_want_of_memory(
    make_video: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_video(tmp_path / "a.mp4")
    monkeypatch.setattr(container.av, "open", run_out)
    assert outcome(path) == TOO_LARGE


@dataclass(frozen=True)
class Track:
    """A video stream of a file."""

    width: int
    frames: int = 20
    default: bool = False

    def __str__(self) -> str:
        return f"{self.width}px-{self.frames}" + "-default" * self.default


def write(path: Path, tracks: Sequence[Track]) -> Path:
    """Black films beside one another, each half as high as wide."""
    with av.open(path, "w") as container:
        streams: list[Any] = [container.add_stream("mpeg4", rate=25) for _ in tracks]
        for stream, track in zip(streams, tracks, strict=True):
            stream.width, stream.height, stream.pix_fmt = track.width, track.width // 2, "yuv420p"
            stream.disposition = Disposition.default if track.default else Disposition(0)
        for stream, track in zip(streams, tracks, strict=True):
            for index in range(track.frames):
                frame = av.VideoFrame(track.width, track.width // 2, "yuv420p")
                frame.pts, frame.time_base = index, Fraction(1, 25)
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
    return path


FILM = Track(96, default=True)


OTHERS = [Track(160), Track(48, default=True), Track(48, frames=40, default=True), Track(48, 1, default=True)]
"""Beside FILM: larger but not the default, smaller, longer, a still picture."""

TIMED = [Track(96, frames=9, default=True), Track(160, frames=1, default=True)]
"""Shorter, and a still picture that is larger; in Matroska no header tells."""


@pytest.mark.parametrize(
    ("suffix", "other"),
    [*product(["mp4", "mov", "mkv"], OTHERS), *product(["mp4", "mov"], TIMED)],
    ids=str,
)
def test_of_several_streams_the_one_that_a_player_shows(tmp_path: Path, suffix: str, other: Track) -> None:
    for name, tracks in (("first", [FILM, other]), ("last", [other, FILM])):
        info = probe(write(tmp_path / f"{name}.{suffix}", tracks), Limits())
        assert (info.width, info.frames) == (FILM.width, FILM.frames)


def test_a_stream_without_a_decoder_is_passed_over(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mkv", [Track(160, default=True), Track(96)])
    content, codec = path.read_bytes(), b"V_MPEG4/ISO/ASP"
    path.write_bytes(content.replace(codec, b"V_UNKNOWN/CODEC", 1))
    assert probe(path, Limits()).width == 96
    path.write_bytes(content.replace(codec, b"V_UNKNOWN/CODEC"))
    with pytest.raises(VideoFault, match="no decoder for the codec of its video stream"):
        probe(path, Limits())


@pytest.mark.parametrize("kind", ["attached_pic", "still_image", "timed_thumbnails", "dependent"])
def test_what_only_goes_with_a_film_is_passed_over(tmp_path: Path, kind: str) -> None:
    with av.open(write(tmp_path / "a.mkv", [Track(160, default=True), Track(96)])) as file:
        first, film = file.streams.video
        first.disposition = Disposition.default | Disposition[kind]
        assert container._video_stream(file) is film


@pytest.mark.parametrize("film", [20, 0], ids=["counted", "in fragments"])
def test_a_track_without_frames_does_not_hide_the_film(film: int) -> None:
    """No muxer at hand writes such a file."""
    common = {"duration": None, "time_base": None, "codec_context": object()}
    empty, full = (
        SimpleNamespace(width=96, height=64, frames=frames, disposition=disposition, **common)
        for frames, disposition in ((0, Disposition.default), (film, Disposition(0)))
    )
    streams = SimpleNamespace(video=[empty, full])
    file: Any = SimpleNamespace(format=SimpleNamespace(name="mov,mp4,m4a"), streams=streams)
    found: Any = container._video_stream(file)
    assert found is (full if film else empty)
