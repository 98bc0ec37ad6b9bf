"""What is accepted as a video is recognised, by its suffix or its first bytes, and no other file is."""

import random
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from components.video.container import CONTAINERS
from components.video.formats import FORMATS, HEAD, VIDEO_SUFFIXES, begins_as_video
from components.video.frames import probe
from components.video.limits import Limits

# FFmpeg's muxers: a codec that each takes, and the suffixes of what it makes.
MUXERS = {
    "mp4": ("mpeg4", ".mp4 .m4v"),
    "mov": ("mpeg4", ".mov .qt"),
    "3gp": ("mpeg4", ".3gp .3gpp"),
    "3g2": ("mpeg4", ".3g2 .3gp2"),
    "f4v": ("libx264", ".f4v"),
    "ismv": ("libx264", ".ismv"),
    "matroska": ("mpeg4", ".mkv .mk3d"),
    "webm": ("libvpx", ".webm"),
    "avi": ("mpeg4", ".avi .divx"),
    "mpegts": ("mpeg2video", ".ts .m2t .m2ts .mts"),
    "mpeg": ("mpeg1video", ".mpg .mpeg .mpe"),
    "svcd": ("mpeg2video", ".m2p"),
    "vob": ("mpeg2video", ".vob"),
    "flv": ("flv", ".flv"),
    "asf": ("wmv2", ".asf .wmv"),
    "ogg": ("libvpx", ".ogv .ogm"),
}


def write(path: Path, muxer: str, codec: str, **options: str) -> bytes:
    with av.open(path, "w", format=muxer, options=options) as container:
        stream: Any = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for index in range(12):
            image = np.full((64, 96, 3), 20 * index, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        container.mux(stream.encode())
    return path.read_bytes()


@pytest.mark.parametrize("muxer", MUXERS)
def test_a_container_is_accepted_by_any_of_its_suffixes_and_by_content_alone(
    tmp_path: Path, muxer: str
) -> None:
    codec, suffixes = MUXERS[muxer]
    content = write(tmp_path / "made", muxer, codec)
    for suffix in ("", ".unknown", suffixes.split()[0].upper(), *suffixes.split()):
        path = tmp_path / f"video{suffix}"
        path.write_bytes(content)
        assert begins_as_video(path)
        assert probe(path, Limits(min_frames=4)).width == 96


def test_no_suffix_is_known_without_a_container_that_was_tried() -> None:
    assert {suffix for _, suffixes in MUXERS.values() for suffix in suffixes.split()} == VIDEO_SUFFIXES
    assert tuple(FORMATS) == CONTAINERS


@pytest.mark.parametrize(
    ("muxer", "codec", "options"),
    [
        ("mpegts", "mpeg2video", {"mpegts_m2ts_mode": "1"}),  # a Blu-ray's packets, of 192 bytes
        ("mov", "mpeg4", {"movflags": "faststart"}),
        ("mp4", "mpeg4", {"movflags": "frag_keyframe+empty_moov"}),
    ],
)
def test_variants_are_recognised(tmp_path: Path, muxer: str, codec: str, options: dict[str, str]) -> None:
    write(tmp_path / "made", muxer, codec, **options)
    assert begins_as_video(tmp_path / "made")


@pytest.mark.parametrize("cut", [1, 100, 187])
def test_a_recording_may_begin_within_a_packet(tmp_path: Path, cut: int) -> None:
    content = write(tmp_path / "made", "mpegts", "mpeg2video")
    (tmp_path / "cut").write_bytes(content[cut:])
    assert begins_as_video(tmp_path / "cut")


@pytest.mark.parametrize("head", [
    b"\0\0\0\x08wide\0\0\1\0mdat", b"\0\0\1\0moov\0\0\0\x6cmvhd", b"\x10\0\0\0mdat",
    b"OggS\0\2" + 22 * b"\0" + b"\x01\x2a\x80theora\3\2\1", b"OggS\0\2" + 22 * b"\0" + b"\1\x38\1video\0\0\0",
])  # fmt: skip
def test_beginnings_that_ffmpeg_does_not_write(tmp_path: Path, head: bytes) -> None:
    (tmp_path / "film").write_bytes(head)
    assert begins_as_video(tmp_path / "film")


NO_VIDEOS = {
    "empty": b"",
    "text": b"The free software moov, Go Go Go\n" * 300,
    "box name in text": b"The free\n",
    "constant": HEAD * b"G",
    "zeros": bytes(HEAD),
    "noise": random.Random(1).randbytes(HEAD),
    "m4a": b"\0\0\0\x1cftypM4A \0\0\2\0isomiso2",
    "heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    "avif": b"\0\0\0\x20ftypavif\0\0\0\0avifmif1",
    "jpeg": b"\xff\xd8\xff\xe0\0\x10JFIF\0",
    "png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    "wav": b"RIFF\x24\0\0\0WAVEfmt ",
    "webp": b"RIFF\x24\0\0\0WEBPVP8 ",
    "vorbis": b"OggS\0\2" + 22 * b"\0" + b"\1\x1e\1vorbis",
    "opus": b"OggS\0\2" + 22 * b"\0" + b"\1\x13OpusHead",
    "zip": b"PK\3\4\x14\0\0\0",
    "pdf": b"%PDF-1.7\n",
    "elementary stream": b"\0\0\1\xb3\x06\0\x40\x13",
    "playlist": b"#EXTM3U\n#EXT-X-VERSION:3\n",
}  # fmt: skip


@pytest.mark.parametrize("content", NO_VIDEOS.values(), ids=NO_VIDEOS)
def test_what_is_no_container_of_a_film_is_not_taken_for_one(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    assert not begins_as_video(tmp_path / "file")


def test_what_cannot_be_read_is_no_video(tmp_path: Path) -> None:
    assert not begins_as_video(tmp_path / "gone")
