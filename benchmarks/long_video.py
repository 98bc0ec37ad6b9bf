"""What an hour of 1080p costs: CPU seconds, memory, and bytes read of the file, for a few frames of it.

python benchmarks/long_video.py                  # decoding alone
python benchmarks/long_video.py --worker         # and a whole extraction worker, with MTCNN
python benchmarks/long_video.py --minutes 10     # a shorter video

Each row is a process of its own that probes the video and samples it. The videos are made first: one group of
pictures, repeated. In "one keyframe" only the first is marked as one, so that all before a frame must be
decoded; that video is a tenth as long.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
from rich.console import Console
from rich.table import Table

from components.faces.clip import Failure
from components.faces.policy import CropPolicy
from components.video.frames import map_frames, probe
from components.video.limits import Limits
from components.video.sampling import Consecutive, Even, Every, Sampling

FPS, GOP, SIZE = 25, 50, (1920, 1080)
SAMPLINGS: dict[str, Sampling] = {
    "even 16": Even(frames=16),
    "clip 4x8": Consecutive(policy="clip", places=4, frames=8),
    "every 5th, 64": Every(policy="every", step=5, most=64),
}
LIMITS = Limits()

console = Console()


def main() -> None:
    arguments = _arguments()
    if arguments.measure:
        print(json.dumps(measure(Path(arguments.measure), SAMPLINGS[arguments.sampling])))
        return
    with tempfile.TemporaryDirectory() as scratch:
        seconds = 60 * arguments.minutes
        videos = {
            f"{path.suffix[1:]}, {name}, {length / 60:.0f} min": make(path, length, marked)
            for path, name, length, marked in (
                (Path(scratch) / "a.mp4", "keyframe each 2 s", seconds, True),
                (Path(scratch) / "f.mp4", "fragment each 2 s", seconds, True),
                (Path(scratch) / "a.mkv", "keyframe each 2 s", seconds, True),
                (Path(scratch) / "a.ts", "keyframe each 2 s", seconds, True),
                (Path(scratch) / "b.mp4", "one keyframe", seconds / 10, False),
            )
        }
        report(videos)
        if arguments.worker:
            whole_worker(Path(scratch), next(iter(videos.values())))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--worker", action="store_true")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parser.add_argument("--sampling", help=argparse.SUPPRESS)
    return parser.parse_args()


def make(path: Path, seconds: float, marked: bool) -> Path:
    """Write a video of one group of pictures, repeated; all its keyframes are marked, or only the first."""
    group = path.with_name("group.mp4")
    if not group.exists():
        encode(group)
    layout = {"movflags": "frag_keyframe"} if path.stem == "f" else {}
    with av.open(group) as source, av.open(path, "w", options=layout) as target:
        template = source.streams.video[0]
        stream = target.add_stream_from_template(template)
        packets = [packet for packet in source.demux(template) if packet.size]
        stamps = [(packet.pts or 0, packet.dts or 0, packet.duration or 0) for packet in packets]
        length = sum(duration for *_, duration in stamps)
        for repeat in range(round(seconds * FPS / GOP)):
            for packet, (pts, dts, duration) in zip(packets, stamps, strict=True):
                copy = av.Packet(bytes(packet))
                copy.stream, copy.time_base = stream, packet.time_base
                copy.pts, copy.dts, copy.duration = pts + repeat * length, dts + repeat * length, duration
                copy.is_keyframe = packet.is_keyframe and (marked or repeat == 0)
                target.mux(copy)
    return path


def encode(path: Path) -> None:
    """One group of pictures, with B-frames: noise that drifts over a ramp."""
    rng = np.random.default_rng(3)
    width, height = SIZE
    ramp = np.linspace(0, 200, 2 * width, dtype=np.float32)[None, :, None] * np.ones(
        (height, 1, 3), np.float32
    )
    wide = (ramp + rng.normal(0, 6, ramp.shape)).clip(0, 255).astype(np.uint8)
    with av.open(path, "w") as container:
        stream: Any = container.add_stream("libx264", rate=FPS, options={"crf": "28", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = width, height, "yuv420p", GOP
        for index in range(GOP):
            image = np.ascontiguousarray(wide[:, 8 * index : 8 * index + width])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        container.mux(stream.encode())


def measure(path: Path, sampling: Sampling) -> dict[str, float]:
    """What probing and sampling cost this process."""
    before, start = read_so_far(), time.process_time()
    frames = map_frames(path, probe(path, LIMITS), sampling, LIMITS, lambda frame: frame.time)
    return {
        "frames": len(frames),
        "cpu": time.process_time() - start,
        "read": (read_so_far() - before) / path.stat().st_size,
        "memory": peak_memory("self"),
    }


def read_so_far() -> int:
    """Bytes that this process has read from files."""
    counters = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    return int(next(line for line in counters if line.startswith("rchar")).split()[1])


def peak_memory(process: int | str) -> float:
    """MiB resident at most since a process began its program; `ru_maxrss` would count its parent's too."""
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    return int(next(line for line in status if line.startswith("VmHWM")).split()[1]) / 1024


def measured(videos: dict[str, Path]) -> Iterator[tuple[str, str, float, dict[str, float]]]:
    for name, path in videos.items():
        for sampling in SAMPLINGS:
            command = [sys.executable, __file__, "--measure", str(path), "--sampling", sampling]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            yield name, sampling, path.stat().st_size / 2**20, json.loads(done.stdout)


def report(videos: dict[str, Path]) -> None:
    table = Table("video", "MiB", "sampling", "frames", "CPU s", "read", "resident, MiB")
    for name, sampling, size, found in measured(videos):
        row = (f"{found['frames']}", f"{found['cpu']:.2f}", f"{found['read']:.1%}", f"{found['memory']:.0f}")
        table.add_row(name, f"{size:.0f}", sampling, *row)
    console.print(table)


def whole_worker(scratch: Path, path: Path) -> None:
    """Peak of a worker that decodes, detects and crops."""
    from components.export.detector import convert  # noqa: PLC0415  would be in every row's memory
    from components.faces.pool import WorkerPool  # noqa: PLC0415

    convert(scratch / "detector")
    with WorkerPool(1, LIMITS, CropPolicy(), scratch / "detector") as pool:
        answer = pool.extract_one(path)
        peak = max(map(peak_memory, pool.pids))
    status = answer.status if isinstance(answer, Failure) else "ok"
    console.print(f"extraction worker: {peak:.0f} MiB resident at most; the answer is {status}")


if __name__ == "__main__":
    main()
