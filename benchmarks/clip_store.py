"""How to keep face clips: bytes, time to write, clips read a second, whole and four frames of them.

    python benchmarks/clip_store.py                                           # a minute or two
    python benchmarks/clip_store.py --videos ~/videos --clips 50 --sizes 96 224 380

Cuts clips of 16 frames out of sample videos that it renders, or out of a folder of your own, and writes each
clip in each format: one file per clip, without loss, which is checked. Times are CPU seconds of one core,
with the files in the page cache: what a disk adds goes with the bytes. `4 of 16` is what training does with
clips that do not fit into memory: it draws a few frames of each anew in every epoch. `whole` is what
validation reads. The store's own format verifies checksums as it reads; of the others only npz does. Sample
videos hold less detail than real ones: bytes that are to be believed need `--videos`.
"""

import argparse
import io
import json
import math
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
import cv2
import numpy as np
import pyarrow as pa
from PIL import Image
from safetensors import safe_open
from safetensors.numpy import save_file

from components.export.detector import convert
from components.faces.clip import Clip, Faces, Origin
from components.faces.compression import compress, decompress
from components.faces.policy import CropPolicy
from components.faces.pool import WorkerPool
from components.faces.store import ClipStore
from components.video.frames import VideoInfo
from components.video.limits import Limits
from components.video.sampling import Even
from sample import SampleSettings, generate

FRAMES, DRAWN, SEED = 16, 4, 7
SUFFIXES = {".mp4", ".mov", ".mkv", ".webm", ".avi"}

Crops = np.ndarray[Any, np.dtype[np.uint8]]
Chosen = Sequence[int]


@dataclass(frozen=True)
class Format:
    """A way to keep the crops (T, S, S, 3) of a clip in one file."""

    name: str
    write: Callable[[Path, Crops], object]
    read: Callable[[Path, Chosen], Crops]


@dataclass(frozen=True)
class Measured:
    name: str
    kilobytes: float  # a clip
    ratio: float  # to raw
    write_ms: float
    whole: float  # clips/s
    drawn: float  # clips/s


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--videos", type=Path, help="a folder of your own; sample videos by default")
    parser.add_argument("--sizes", type=int, nargs="+", default=[224], help="sides of crops, px")
    parser.add_argument("--clips", type=int, default=4, help="most videos to cut a clip of")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    pa.set_cpu_count(1)
    with TemporaryDirectory(prefix="unmask-clip-store-") as folder:
        scratch = Path(folder)
        videos = find_videos(arguments.videos) if arguments.videos else render(scratch, arguments.clips)
        videos = spread(videos, arguments.clips)
        convert(scratch / "detector")
        results = {}
        for size in arguments.sizes:
            clips = cut(videos, size, scratch / "detector")
            results[size] = [measure(format_, clips, scratch / "clips") for format_ in FORMATS]
            print(table(size, clips, results[size]), flush=True)
    print(json.dumps({size: [vars(row) for row in rows] for size, rows in results.items()}))


def find_videos(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not found:
        raise SystemExit(f"{folder}: no video; name a folder that holds some")
    return found


def render(scratch: Path, clips: int) -> list[Path]:
    """Sample videos in which faces are about 300 px high, so that no crop size is mere enlargement."""
    people = max(2, math.ceil(clips / 2))  # two videos of each
    generate(scratch, SampleSettings(people=people, width=960, height=720, workers=0), progress=False)
    return sorted(scratch.glob("*/*.mp4"))


def spread(videos: Sequence[Path], most: int) -> list[Path]:
    """At most that many, from all over the list: neighbours in a folder are often alike."""
    count = min(most, len(videos))
    return [videos[index * len(videos) // count] for index in range(count)]


def cut(videos: Sequence[Path], size: int, detector: Path) -> list[Crops]:
    policy = CropPolicy(sampling=Even(frames=FRAMES), size=size)
    with WorkerPool(os.cpu_count() or 1, Limits(), policy, detector) as pool:
        found = dict(pool.extract(videos))
    clips = [found[index].main.crops for index in sorted(found) if isinstance(found[index], Faces)]
    if not clips:
        raise SystemExit(f"no clip could be cut; of {videos[0]}: {found[0].reason}")
    return clips


def measure(format_: Format, clips: Sequence[Crops], folder: Path) -> Measured:
    folder.mkdir(exist_ok=True)
    paths = [folder / f"{index:05}" for index in range(len(clips))]
    rng = np.random.default_rng(SEED)
    draws = [sorted(rng.choice(FRAMES, DRAWN, replace=False).tolist()) for _ in clips]
    writing = seconds(lambda: [format_.write(path, crops) for path, crops in zip(paths, clips, strict=True)])
    for path, crops, drawn in zip(paths, clips, draws, strict=True):
        for chosen in (range(FRAMES), drawn):
            if not np.array_equal(format_.read(path, chosen), crops[list(chosen)]):
                raise SystemExit(f"{format_.name}: what is read is not what was written")
    whole = min(seconds(lambda: [format_.read(path, range(FRAMES)) for path in paths]) for _ in range(5))
    drawn = min(
        seconds(lambda: [format_.read(path, draw) for path, draw in zip(paths, draws, strict=True)])
        for _ in range(5)
    )
    size = sum(path.stat().st_size for path in paths)
    for path in paths:
        path.unlink()
    raw, count = sum(crops.nbytes for crops in clips), len(clips)
    return Measured(
        format_.name, size / count / 1e3, size / raw, 1e3 * writing / count, count / whole, count / drawn
    )


def seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def table(size: int, clips: Sequence[Crops], rows: Sequence[Measured]) -> str:
    raw = statistics.mean(crops.nbytes for crops in clips) / 1e3
    head = [
        f"\n{len(clips)} clips of {FRAMES} frames, {size} px, {raw:,.0f} kB of pixels each",
        "| format | kB | of raw | write, ms | clips/s whole | clips/s 4 of 16 |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    return "\n".join(
        head
        + [
            f"| {row.name} | {row.kilobytes:,.0f} | {row.ratio:.3f} | {row.write_ms:.1f} "
            f"| {row.whole:,.0f} | {row.drawn:,.0f} |"
            for row in rows
        ]
    )


def npz() -> Format:
    def write(path: Path, crops: Crops) -> None:
        with path.open("wb") as file:
            np.savez(file, crops=crops)

    def read(path: Path, chosen: Chosen) -> Crops:
        with np.load(path) as archive:
            return archive["crops"][list(chosen)]

    return Format("raw, npz", write, read)


def mapped() -> Format:
    def write(path: Path, crops: Crops) -> None:
        with path.open("wb") as file:
            np.save(file, crops)

    return Format("raw, npy, memory map", write, lambda path, chosen: np.load(path, "r")[list(chosen)])


def frame_by_frame(
    name: str, encode: Callable[[Crops], bytes], decode: Callable[[list[bytes], int], Crops]
) -> Format:
    """A format that keeps each frame on its own, in a safetensors file, as the store does."""

    def write(path: Path, crops: Crops) -> None:
        encoded = [encode(crop) for crop in crops]
        ends = np.cumsum([0, *map(len, encoded)])
        joined = np.frombuffer(b"".join(encoded), np.uint8)
        save_file({"crops": joined, "ends": ends, "side": np.array([crops.shape[1]])}, path)

    def read(path: Path, chosen: Chosen) -> Crops:
        with safe_open(path, framework="np") as file:
            ends, (side,) = file.get_tensor("ends").tolist(), file.get_tensor("side").tolist()
            crops = file.get_slice("crops")
            return decode([crops[ends[i] : ends[i + 1]].tobytes() for i in chosen], side)

    return Format(name, write, read)


def opencv(encoded: list[bytes], _: int) -> Crops:
    flags = cv2.IMREAD_COLOR_RGB
    return np.stack([cv2.imdecode(np.frombuffer(frame, np.uint8), flags) for frame in encoded])


def png(level: int) -> Format:
    def encode(crop: Crops) -> bytes:
        flags = [cv2.IMWRITE_PNG_COMPRESSION, level]
        return cv2.imencode(".png", cv2.cvtColor(crop, cv2.COLOR_RGB2BGR), flags)[1].tobytes()

    return frame_by_frame(f"PNG, level {level}", encode, opencv)


def webp(method: int) -> Format:
    """Pillow writes, as OpenCV knows no fast way to; OpenCV reads, as it is faster."""

    def encode(crop: Crops) -> bytes:
        buffer = io.BytesIO()
        Image.fromarray(crop).save(buffer, "WEBP", lossless=True, method=method, quality=25 * method)
        return buffer.getvalue()

    return frame_by_frame(f"WebP lossless, method {method}", encode, opencv)


def codec(name: str, algorithm: str, level: int | None) -> Format:
    """One of Arrow's codecs on pixels as they are."""
    coder = pa.Codec(algorithm, compression_level=level)

    def decode(encoded: list[bytes], side: int) -> Crops:
        raw = [coder.decompress(frame, decompressed_size=side * side * 3) for frame in encoded]
        return np.stack([np.frombuffer(pixels, np.uint8).reshape(side, side, 3) for pixels in raw])

    return frame_by_frame(name, lambda crop: coder.compress(crop, asbytes=True), decode)


def video(name: str, encoder: str, pixels: str, group: int, **options: str) -> Format:
    """A video codec without loss, in Matroska; `group`: frames from one keyframe to the next."""

    def write(path: Path, crops: Crops) -> None:
        with av.open(str(path), "w", format="matroska") as container:
            stream = container.add_stream(encoder, rate=25, options=options)
            stream.height, stream.width, stream.pix_fmt, stream.gop_size = *crops.shape[1:3], pixels, group
            stream.codec_context.thread_count = 1
            for crop in crops:
                frame = av.VideoFrame.from_ndarray(crop, "rgb24").reformat(format=pixels)
                container.mux(stream.encode(frame))
            container.mux(stream.encode())

    def read(path: Path, chosen: Chosen) -> Crops:
        wanted = set(chosen)
        frames = []
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1
            for index, packet in enumerate(container.demux(stream)):
                if group > 1 or index in wanted or not packet.size:
                    frames += [frame.to_ndarray(format="rgb24", threads=1) for frame in stream.decode(packet)]
        return np.stack([frames[i] for i in chosen] if group > 1 else frames)

    return Format(name, write, read)


def own() -> Format:
    """What `components.faces.store` does, with all else that it keeps."""

    def write(path: Path, crops: Crops) -> None:
        length = len(crops)
        clip = Clip(
            crops=crops,
            boxes=np.zeros((length, 4), np.float32),
            scores=np.zeros(length, np.float32),
            landmarks=np.zeros((length, 5, 2), np.float32),
            origins=np.full(length, Origin.DETECTED, np.uint8),
            face_share=1.0,
            box_side=100.0,
            brightness=0.5,
            colourfulness=40.0,
        )
        info = VideoInfo(250, 25.0, 1280, 720, 10.0, "h264", 10**6)
        faces = Faces((clip,), np.arange(float(length)), length, 1, None, info)
        ClipStore(path.parent).write(path.name, faces)

    return Format(
        "**the store**: prediction, Zstandard 1",
        write,
        lambda path, chosen: ClipStore(path.parent).read_crops(path.name, list(chosen))[0],
    )


FORMATS = (
    npz(),
    mapped(),
    codec("LZ4", "lz4_raw", None),
    codec("Zstandard 3", "zstd", 3),
    frame_by_frame("prediction, Zstandard 1, no checksums", compress, decompress),
    own(),
    png(1),
    png(6),
    webp(0),
    webp(4),
    video("FFV1, each frame on its own", "ffv1", "bgr0", 1),
    video("FFV1, groups of 16", "ffv1", "bgr0", 16, context="1"),
    video("x264 RGB, qp 0, medium", "libx264rgb", "rgb24", 16, qp="0", preset="medium"),
)


if __name__ == "__main__":
    main()
