"""What finding the faces of a video costs, beside the usual way, and how many of its faces are found.

    python benchmarks/faces.py                  # rendered: a speaker and a crowd at 360, 720 and 1080 lines
    python benchmarks/faces.py --media FOLDER   # one's own videos as well
    python benchmarks/faces.py --videos DIR     # keeps what is rendered, and takes what is there

Of each video 16 frames, on one thread of a CPU, each way in a process of its own:

    a   OpenCV reads all frames, facenet-pytorch's MTCNN looks at 16 at full size, smallest face 20 px
    a'  the same with the smallest face that Unmask looks for
    b   Unmask: probe, decode, detect, track, crop (`components.faces.extract`)
    c   the floor: probe and decode these frames, and do nothing with them

CPU seconds are medians of three runs, or of as many as fit into `ENOUGH` seconds. A face of (a) counts as
found where (b) has a box that overlaps it by half (IoU ≥ 0.5) in the same frame.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scenes import film_all

from components.faces.clip import Faces
from components.faces.detector import open_detector
from components.faces.extract import extract
from components.faces.policy import CropPolicy, Even, Limits, MtcnnPolicy
from components.faces.video import map_frames, probe

Floats = NDArray[np.float32]

POLICY = CropPolicy(sampling=Even(frames=16))
LIMITS = Limits()
DEFAULT_FACE, COUNTED_FACE = 20, 40
"""px: facenet-pytorch's smallest face, and from which side on its faces are expected of Unmask."""

REPEATS, ENOUGH = 3, 12.0
TARGETS = {"a/b": (8.0, 1), "a'/b": (3.0, 1), "b/c": (2.5, -1), "share": (0.98, 1)}
"""At 720 lines: at least (1) or at most (-1)."""

SUFFIXES = {".mp4", ".mov", ".mkv", ".webm", ".avi"}

console = Console(width=150)


@dataclass(frozen=True)
class Cost:
    """Of one video, done one way."""

    cpu: float  # seconds
    wall: float  # seconds
    boxes: list[list[list[float]]]  # of each sampled frame, px of the video; none for the floor
    times: list[float]  # seconds, of each sampled frame


@dataclass(frozen=True)
class Result:
    """Of one video, done every way."""

    video: str
    width: int
    height: int
    smallest_face: float  # px of the video, of (a') and (b)
    a: Cost
    same: Cost
    b: Cost
    c: Cost


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--media", type=Path, help="folder of real videos; left out where it is not there")
    parser.add_argument("--videos", type=Path, help="where rendered videos are kept")
    parser.add_argument("--detector", type=Path, help="folder of MTCNN's networks; converted if not given")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures")
    arguments = parser.parse_args()
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # children inherit them
    with TemporaryDirectory(prefix="unmask-faces-") as scratch:
        detector = arguments.detector or alone(_convert, Path(scratch) / "detector")
        rendered = film_all(arguments.videos or Path(scratch) / "videos")
        results = {"rendered": measure(rendered, detector)}
        show(results["rendered"])
        judge([result for result in results["rendered"] if min(result.width, result.height) == 720])
        if arguments.media and (own := find(arguments.media)):
            results["media"] = measure(own, detector)
            show(results["media"])
            console.print("together:", summary(results["media"]))
    if arguments.json:
        figures = {name: [described(result) for result in found] for name, found in results.items()}
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def find(folder: Path) -> list[Path]:
    """The videos of a folder that Unmask can use."""
    return sorted(path for path in folder.rglob("*") if path.suffix in SUFFIXES)


def alone(work: Callable[..., Any], *arguments: Any) -> Any:
    """What a function returns, run in a fresh process."""
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        return process.submit(work, *arguments).result()


def measure(videos: Sequence[Path], detector: Path) -> list[Result]:
    """Every video every way; a way's process is warmed up before it is timed, and handles one at a time."""
    ways = (run_unmask, run_floor, run_usual)
    processes = [ProcessPoolExecutor(1, get_context("spawn")) for _ in ways]
    unmask, floor, usual = (process.submit for process in processes)
    try:
        unmask(run_unmask, videos[0], detector).result()
        floor(run_floor, videos[0]).result()
        usual(run_usual, videos[0], 100.0, [0.0]).result()
        return [
            _result(video, unmask, floor, usual, detector)
            for video in track(videos, "measuring", console=Console(stderr=True))
        ]
    finally:
        for process in processes:
            process.shutdown()


def _result(video: Path, unmask: Any, floor: Any, usual: Any, detector: Path) -> Result:
    b, (width, height) = unmask(run_unmask, video, detector).result()
    smallest = smallest_face(max(width, height))
    return Result(
        video=video.stem,
        width=width,
        height=height,
        smallest_face=smallest,
        a=usual(run_usual, video, float(DEFAULT_FACE), b.times).result(),
        same=usual(run_usual, video, smallest, b.times).result(),
        b=b,
        c=floor(run_floor, video).result(),
    )


def smallest_face(longest_side: int) -> float:
    """The smallest face that Unmask looks for, px of the video."""
    policy = POLICY.detector
    assert isinstance(policy, MtcnnPolicy)
    return policy.min_face * max(1.0, longest_side / policy.longest_side)


def run_unmask(video: Path, detector: Path) -> tuple[Cost, tuple[int, int]]:
    cv2.setNumThreads(1)
    opened = open_detector(POLICY.detector, detector)
    cpu, wall, faces = timed(lambda: extract(video, POLICY, LIMITS, opened))
    info = probe(video, LIMITS)
    looked = map_frames(
        video,
        info,
        POLICY.sampling,
        LIMITS,
        lambda frame: (frame.time, opened.detect(frame.image).boxes.tolist()),
    )
    if not isinstance(faces, Faces):
        console.print(f"{video.name}: {faces.status}, {faces.reason}")
    times, boxes = ([list(part) for part in zip(*looked, strict=True)]) if looked else ([], [])
    return Cost(cpu, wall, boxes, times), (info.width, info.height)


def run_floor(video: Path) -> Cost:
    def decode() -> list[None]:
        return map_frames(video, probe(video, LIMITS), POLICY.sampling, LIMITS, lambda _: None)

    cpu, wall, _ = timed(decode)
    return Cost(cpu, wall, [], [])


def run_usual(video: Path, min_face: float, times: list[float]) -> Cost:
    import torch  # noqa: PLC0415  takes seconds, and the other ways do without
    from facenet_pytorch import MTCNN  # noqa: PLC0415

    torch.set_num_threads(1)
    mtcnn = MTCNN(keep_all=True, min_face_size=min_face, device="cpu")

    def look() -> list[list[list[float]]]:
        found = [mtcnn.detect(frame)[0] for frame in read_all(video, times)]
        return [[] if boxes is None else boxes.tolist() for boxes in found]

    cpu, wall, boxes = timed(look)
    return Cost(cpu, wall, boxes, times)


def read_all(video: Path, times: Iterable[float]) -> list[NDArray[np.uint8]]:
    """Read a whole video with OpenCV; the frames shown at these times, RGB."""
    cv2.setNumThreads(1)
    capture = cv2.VideoCapture(str(video), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    half = 0.5 / (capture.get(cv2.CAP_PROP_FPS) or 25.0)
    wanted = list(times)
    kept: list[NDArray[np.uint8]] = []
    while True:
        more, frame = capture.read()
        if not more:
            return kept
        shown = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        if len(kept) < len(wanted) and shown > wanted[len(kept)] - half:
            kept.append(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))


def timed(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Median CPU and wall seconds of some runs, and what the last one returned."""
    cpu: list[float] = []
    wall: list[float] = []
    while len(cpu) < REPEATS and sum(cpu) < ENOUGH:
        cpu_start, wall_start = time.process_time(), time.perf_counter()
        result = work()
        cpu.append(time.process_time() - cpu_start)
        wall.append(time.perf_counter() - wall_start)
    return statistics.median(cpu), statistics.median(wall), result


def overlaps(result: Result, least: float) -> list[float]:
    """Of each face of (a) with a side of at least `least` px: the IoU with the nearest of (b); 0: none."""
    return [
        max((iou(face, own) for own in found), default=0.0)
        for faces, found in zip(result.a.boxes, result.b.boxes, strict=True)
        for face in faces
        if max(face[2] - face[0], face[3] - face[1]) >= least
    ]


def iou(one: list[float], other: list[float]) -> float:
    """Intersection over union of two boxes."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    inside = max(width, 0.0) * max(height, 0.0)
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return inside / (areas - inside)


@dataclass(frozen=True)
class Figures:
    """Of some videos together."""

    ratios: dict[str, float]
    faces: int  # of (a), of at least `COUNTED_FACE` px
    found: int
    iou: float  # mean over those found
    large: int  # of (a), of at least Unmask's smallest face
    large_found: int

    @classmethod
    def of(cls, results: Sequence[Result]) -> "Figures":
        a, same, b, c = (
            sum(getattr(result, way).cpu for result in results) for way in ("a", "same", "b", "c")
        )
        all_faces = [value for result in results for value in overlaps(result, COUNTED_FACE)]
        found = [value for value in all_faces if value >= 0.5]
        large = [value for result in results for value in overlaps(result, result.smallest_face)]
        ratios = {"a/b": a / b, "a'/b": same / b, "b/c": b / c}
        ratios["share"] = len(found) / len(all_faces) if all_faces else 1.0
        mean = statistics.fmean(found) if found else 0.0
        return cls(ratios, len(all_faces), len(found), mean, len(large), sum(v >= 0.5 for v in large))


def show(results: Sequence[Result]) -> None:
    seconds = [f"{way}\ncpu / wall s" for way in ("a", "a'", "b", "c")]
    missed = [f"missed of a's\n≥ {least}" for least in (f"{COUNTED_FACE} px", "smallest")]
    table = Table("video", "smallest\nface, px", *seconds, "a/b", "a'/b", "b/c", *missed, "IoU")
    for result in results:
        figures = Figures.of([result])
        costs = [f"{cost.cpu:.2f} / {cost.wall:.2f}" for cost in (result.a, result.same, result.b, result.c)]
        ratios = [f"{figures.ratios[name]:.1f}" for name in ("a/b", "a'/b", "b/c")]
        all_missed = f"{figures.faces - figures.found} of {figures.faces}"
        large_missed = f"{figures.large - figures.large_found} of {figures.large}"
        face = f"{result.smallest_face:.0f}"
        table.add_row(result.video, face, *costs, *ratios, all_missed, large_missed, f"{figures.iou:.2f}")
    console.print(table)
    console.print(
        f"a: smallest face {DEFAULT_FACE} px; a' and b: as the second column says. One thread each."
    )


def judge(results: Sequence[Result]) -> None:
    """Hold the videos of 720 lines against the targets, all of them together."""
    figures = Figures.of(results)
    for name, (target, direction) in TARGETS.items():
        value = figures.ratios[name]
        reached = "reached" if direction * value >= direction * target else "NOT reached"
        bound = f"{'≥' if direction > 0 else '≤'} {target:g}"
        each = ", ".join(f"{result.video} {Figures.of([result]).ratios[name]:.3g}" for result in results)
        console.print(f"720p  {name:6} {value:.3g} ({each}); target {bound}: {reached}")
    console.print("720p together:", summary(results))


def summary(results: Sequence[Result]) -> str:
    figures = Figures.of(results)
    faces = [round(result.smallest_face) for result in results]
    usual, same, floor = (figures.ratios[name] for name in ("a/b", "a'/b", "b/c"))
    return (
        f"a/b {usual:.1f} (smallest face {DEFAULT_FACE} px against {min(faces)} to {max(faces)}), "
        f"a'/b {same:.1f} (the same smallest face), "
        f"b/c {floor:.2f}; {figures.faces - figures.found} of a's {figures.faces} faces ≥ "
        f"{COUNTED_FACE} px missed, {figures.large - figures.large_found} of {figures.large} that are no "
        f"smaller than what b looks for; mean IoU {figures.iou:.3f}"
    )


def described(result: Result) -> dict[str, Any]:
    """For --json: no boxes."""
    costs = {
        name: {"cpu": cost["cpu"], "wall": cost["wall"]}
        for name, cost in asdict(result).items()
        if isinstance(cost, dict)
    }
    plain = {name: value for name, value in asdict(result).items() if name not in costs}
    return {**plain, **costs, **asdict(Figures.of([result]))}


def _convert(cache: Path) -> Path:
    from components.export.detector import ensure_detector  # noqa: PLC0415  imports torch

    return ensure_detector(POLICY.detector, cache)


if __name__ == "__main__":
    main()
