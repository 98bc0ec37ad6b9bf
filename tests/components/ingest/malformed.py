"""Files that are named like videos and are none: each with the status that it must end with.

All are made from tiny films by fixed recipes; the random ones are seeded.
"""

import gzip
import io
import os
import struct
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
import numpy as np
from PIL import Image

from components.video.limits import Status

Made = dict[str, tuple[bytes, Status]]

CLUSTER = b"\x1f\x43\xb6\x75"  # Matroska's first pictures
DURATION = b"\x44\x89\x88"  # Matroska's length of the whole, ms, as the double that follows


def malformed_videos(folder: Path) -> dict[str, Status]:
    """Fill a folder with malformed videos.

    Returns:
        By file name, the status with which examining it must fail under the default limits.
    """
    folder.mkdir(parents=True, exist_ok=True)
    expected: dict[str, Status] = {}
    for recipes in (_cut_short(), _damaged(), _disguised(), _empty_inside(), _absurd()):
        for name, (content, status) in recipes.items():
            (folder / name).write_bytes(content)
            expected[name] = status
    return expected | _no_files(folder)


def film(
    form: str, codec: str = "libx264", frames: int = 24, pix_fmt: str = "yuv420p", **options: str
) -> bytes:
    """A sound film of a drifting texture, 96 × 64 px."""
    with TemporaryDirectory() as folder:  # in memory, no index can be moved to the front
        return _film(Path(folder) / "film", form, codec, frames, pix_fmt, options)


def _film(path: Path, form: str, codec: str, frames: int, pix_fmt: str, options: dict[str, str]) -> bytes:
    texture = np.random.default_rng(7).integers(0, 256, (64, 96, 3), np.uint8)
    with av.open(path, "w", format=form, options=options) as container:
        stream: Any = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, pix_fmt
        container.start_encoding()
        for index in range(frames):
            picture = np.roll(texture, 2 * index, axis=1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode())
    return path.read_bytes()


def patched(content: bytes, old: bytes, new: bytes, offset: int = 0) -> bytes:
    """The content with `new` written over what stands `offset` bytes after the start of `old`."""
    start = content.index(old) + offset
    return content[:start] + new + content[start + len(new) :]


def _cut_short() -> Made:
    """Downloads that broke off: what tells the pictures apart stands at the end, or most pictures do."""
    last, first = film("mp4"), film("mp4", movflags="faststart")
    pictures = first.index(b"mdat") + 4
    mkv, webm, avi, ts = film("matroska"), film("webm", "libvpx-vp9"), film("avi", "mpeg4"), film("mpegts")
    cut = {f"cut_{size}.mp4": last[:size] for size in (1, 7, 8, 40)}
    cut |= {f"cut_{share}_percent.mp4": last[: len(last) * share // 100] for share in (25, 50, 75)}
    cut |= {
        "cut_in_index.mp4": last[: last.index(b"stsz")],
        "only_header.mp4": first[:pictures],
        "cut_in_first_picture.mp4": first[: pictures + 40],
        "cut_5.mkv": mkv[:5],
        "only_header.mkv": mkv[: mkv.index(CLUSTER)],
        "only_header.webm": webm[: webm.index(CLUSTER)],
        "only_header.avi": avi[: avi.index(b"movi") + 4],
        "one_packet.ts": ts[:188],
    }
    few: Made = {"cut_after_some_pictures.avi": (avi[: avi.index(b"movi") + 1_000], "too_short")}
    return {name: (content, "undecodable") for name, content in cut.items()} | few


def _damaged() -> Made:
    """Bits that turned over on a disk, in places without which nothing can be decoded."""
    mp4, mkv = film("mp4"), film("matroska")
    start, end = mp4.index(b"mdat") + 4, mp4.index(b"moov") - 4
    noise = np.random.default_rng(11).integers(0, 256, end - start, np.uint8).tobytes()
    broken = {
        "flip_in_moov.mp4": patched(mp4, b"moov", b"mo\x6ev"),
        "flip_in_codec.mp4": patched(mp4, b"stsd", b"avc\x11", 16),
        "flip_in_trak.mp4": patched(mp4, b"trak", b"tsak"),
        "flip_in_ebml.mkv": b"\x1b" + mkv[1:],
        "flip_in_codec.mkv": patched(mkv, b"V_MPEG4", b"V_MQEG4"),
        "noise_for_pictures.mp4": mp4[:start] + noise + mp4[end:],
        "zeros_for_pictures.mp4": mp4[:start] + bytes(end - start) + mp4[end:],
        "reversed.mp4": mp4[::-1],
    }
    return {name: (content, "undecodable") for name, content in broken.items()}


def _disguised() -> Made:
    """Something else under a video's name."""
    png, gif = io.BytesIO(), io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(png, "PNG")
    shades = [Image.new("L", (64, 64), 10 * index) for index in range(12)]
    shades[0].save(gif, "GIF", save_all=True, append_images=shades[1:])
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as members:
        members.writestr("a.mp4", film("mp4"))
    playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsound.mp4\n#EXT-X-ENDLIST\n"
    session = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"
    texts = {
        "text.mp4": "hello",
        "page.mp4": "<!DOCTYPE html><title>404 Not Found</title>",
        "pointer.mp4": "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
        "playlist.mp4": playlist,
        "list.mp4": "ffconcat version 1.0\nfile sound.mp4\n",
        "session.mp4": session,
    }
    files = {
        "picture.mp4": png.getvalue(),
        "moving_picture.mp4": gif.getvalue(),
        "archive.mp4": archive.getvalue(),
        "packed.mp4": gzip.compress(film("mp4"), mtime=0),
        "noise.mp4": np.random.default_rng(13).bytes(5_000),
        "zeros.mp4": bytes(5_000),
    }
    files |= {name: text.encode() for name, text in texts.items()}
    return {name: (content, "undecodable") for name, content in files.items()}


def _empty_inside() -> Made:
    """Sound containers that hold no pictures, or hardly any."""
    return {
        "empty.mp4": (b"", "undecodable"),
        "sound.mp4": (_sound(), "undecodable"),
        "no_pictures.mkv": (film("matroska", frames=0), "undecodable"),
        "one_picture.mp4": (film("mp4", frames=1), "too_short"),
        "seven_pictures.webm": (film("webm", "libvpx-vp9", frames=7), "too_short"),
    }


def _absurd() -> Made:
    """Headers that promise what no machine could hold."""
    mp4, mkv = film("mp4"), film("matroska")
    raw = film("mov", "rawvideo")
    entry = raw.index(b"stsd") + 12  # size, codec, 6 zeros, reference, 16 zeros, width, height
    huge = struct.pack(">HH", 65_535, 65_535)
    png = film("mov", "png", pix_fmt="rgb24")
    size = png.index(b"IHDR") + 4
    sides = struct.pack(">II", 60_000, 60_000)
    return {
        "huge_pictures.mov": (raw[: entry + 32] + huge + raw[entry + 36 :], "undecodable"),
        "huge_pictures_inside.mov": (png.replace(png[size - 4 : size + 8], b"IHDR" + sides), "undecodable"),
        "hours_a_frame.mp4": (patched(mp4, b"stts", struct.pack(">I", 0x7FFFFFFF), 16), "too_large"),
        "six_hours.mkv": (patched(mkv, DURATION, struct.pack(">d", 6 * 3.6e6), 3), "too_large"),
        "a_lifetime.mkv": (patched(mkv, DURATION, struct.pack(">d", 1e12), 3), "too_large"),
        "billions_of_frames.mp4": (patched(mp4, b"stsz", struct.pack(">I", 0xFFFFFFFF), 12), "undecodable"),
        "box_of_exabytes.mp4": (patched(mp4, b"moov", struct.pack(">I", 1), -4), "undecodable"),
    }


def _sound() -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream: Any = container.add_stream("aac", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file.getvalue()


def _no_files(folder: Path) -> dict[str, Status]:
    """What only looks like a file from afar."""
    os.mkfifo(folder / "pipe.mp4")
    (folder / "gone.mp4").symlink_to("nowhere.mp4")
    (folder / "circle.mp4").symlink_to("circle.mp4")
    (folder / "device.mp4").symlink_to("/dev/zero")
    return dict.fromkeys(("pipe.mp4", "gone.mp4", "circle.mp4", "device.mp4"), "undecodable")
