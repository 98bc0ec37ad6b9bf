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
found where (b) has a box that overlaps it by half (IoU ≥ 0.5) in the same frame. Where the video is rendered
it is known where heads are: what (a) finds elsewhere is no face, and is told apart.
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
from scenes import film_all, heads

from components.faces.clip import Faces
from components.faces.detections import Detections
from components.faces.detector import open_detector
from components.faces.extract import extract
from components.faces.policy import CropPolicy, Even, Limits, MtcnnPolicy
from components.faces.video import map_frames, probe

Submit = Callable[..., Any]

POLICY = CropPolicy(sampling=Even(frames=16))
LIMITS = Limits()
DEFAULT_FACE, COUNTED_FACE = 20, 40
"""px: facenet-pytorch's smallest face, and from which side on its faces are expected of Unmask."""

REPEATS, ENOUGH = 3, 8.0
TARGETS = {"a/b": (8.0, 1), "a'/b": (3.0, 1), "b/c": (2.5, -1), "share": (0.98, 1)}
"""At 720 lines: at least (1) or at most (-1)."""

SUFFIXES = {".mp4", ".mov", ".mkv", ".webm", ".avi"}

console = Console(width=150)


Box = list[float]
"""x1, y1, x2, y2 in px of the video, and the detector's score."""


@dataclass(frozen=True)
class Cost:
    """Of one video, done one way."""

    cpu: float  # seconds
    wall: float  # seconds
    faces: list[list[Box]]  # of each sampled frame; none for the floor
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
    heads: list[list[tuple[float, float]]] | None  # of each frame, px; None where nobody knows


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
            results["media"] = measure(own, detector, known=False)
            show(results["media"])
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


def measure(videos: Sequence[Path], detector: Path, known: bool = True) -> list[Result]:
    """Every video every way; a way's process is warmed up before it is timed, and handles one at a time."""
    ways = (run_unmask, run_floor, run_usual)
    processes = [ProcessPoolExecutor(1, get_context("spawn")) for _ in ways]
    unmask, floor, usual = (process.submit for process in processes)
    try:
        unmask(run_unmask, videos[0], detector).result()
        floor(run_floor, videos[0]).result()
        usual(run_usual, videos[0], 100.0, [0.0]).result()
        return [
            _result(video, unmask, floor, usual, detector, known)
            for video in track(videos, "measuring", console=Console(stderr=True))
        ]
    finally:
        for process in processes:
            process.shutdown()


def _result(video: Path, unmask: Submit, floor: Submit, usual: Submit, detector: Path, known: bool) -> Result:
    b, (width, height) = unmask(run_unmask, video, detector).result()
    there = [[(x * width, y * height) for x, y in heads(video, time)] for time in b.times] if known else None
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
        heads=there,
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
        video, info, POLICY.sampling, LIMITS, lambda frame: (frame.time, boxes_of(opened.detect(frame.image)))
    )
    if not isinstance(faces, Faces):
        console.print(f"{video.name}: {faces.status}, {faces.reason}")
    times, found = ([list(part) for part in zip(*looked, strict=True)]) if looked else ([], [])
    return Cost(cpu, wall, found, times), (info.width, info.height)


def boxes_of(found: Detections) -> list[Box]:
    return [[*box, score] for box, score in zip(found.boxes.tolist(), found.scores.tolist(), strict=True)]


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

    def look() -> list[list[Box]]:
        found = [mtcnn.detect(frame) for frame in read_all(video, times)]
        return [
            [] if boxes is None else np.column_stack([boxes, scores]).astype(float).tolist()
            for boxes, scores in found
        ]

    cpu, wall, faces = timed(look)
    return Cost(cpu, wall, faces, times)


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


@dataclass(frozen=True)
class Expected:
    """A face of (a), and what (b) makes of it."""

    side: float  # px
    score: float
    overlap: float  # IoU with the nearest of (b); 0: none
    real: bool  # a head is there; also where nobody knows


def expected(result: Result) -> list[Expected]:
    """All faces of (a)."""
    known = result.heads or [None] * len(result.a.faces)
    return [
        Expected(
            side=max(face[2] - face[0], face[3] - face[1]),
            score=face[4],
            overlap=max((iou(face, own) for own in found), default=0.0),
            real=there is None or any(holds(face, head) for head in there),
        )
        for faces, found, there in zip(result.a.faces, result.b.faces, known, strict=True)
        for face in faces
    ]


def holds(face: Box, head: tuple[float, float]) -> bool:
    return face[0] < head[0] < face[2] and face[1] < head[1] < face[3]


def iou(one: Box, other: Box) -> float:
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
    faces: int  # of (a), of at least `COUNTED_FACE` px, where there is a head
    missed: int  # of these by (b)
    alarms: int  # as large, where there is none
    alarms_missed: int  # of these by (b), which is right
    doubtful: int  # of the missed, those of which (a) is less than 95 % sure
    large: int  # of the faces, those of at least Unmask's smallest face
    large_missed: int
    iou: float  # mean over faces that (b) finds

    @classmethod
    def of(cls, results: Sequence[Result]) -> "Figures":
        a, same, b, c = (
            sum(getattr(result, way).cpu for result in results) for way in ("a", "same", "b", "c")
        )
        counted = [
            (face, face.side >= result.smallest_face)
            for result in results
            for face in expected(result)
            if face.side >= COUNTED_FACE
        ]
        faces = [face for face, _ in counted if face.real]
        alarms = [face for face, _ in counted if not face.real]
        large = [face for face, is_large in counted if face.real and is_large]
        missed = [face for face in faces if face.overlap < 0.5]
        share = 1 - len(missed) / len(faces) if faces else 1.0
        return cls(
            ratios={"a/b": a / b, "a'/b": same / b, "b/c": b / c, "share": share},
            faces=len(faces),
            missed=len(missed),
            alarms=len(alarms),
            alarms_missed=sum(face.overlap < 0.5 for face in alarms),
            doubtful=sum(face.score < 0.95 for face in missed),
            large=len(large),
            large_missed=sum(face.overlap < 0.5 for face in large),
            iou=statistics.fmean([face.overlap for face in faces if face.overlap >= 0.5] or [0.0]),
        )

    def told(self) -> str:
        """Ratios, and what they are paid with."""
        usual, same, floor = (self.ratios[name] for name in ("a/b", "a'/b", "b/c"))
        told = (
            f"a/b {usual:.1f}, a'/b {same:.1f}, b/c {floor:.2f}; {self.missed} of a's {self.faces} faces "
            f"≥ {COUNTED_FACE} px missed (of {self.doubtful} of these a is less than 95 % sure), "
            f"{self.large_missed} of the {self.large} no smaller than what b looks for; "
            f"mean IoU {self.iou:.3f}"
        )
        if not self.alarms:
            return told
        return (
            f"{told}; with {self.alarms} more boxes of a that hold no head, "
            f"{self.missed + self.alarms_missed} of {self.faces + self.alarms} missed"
        )


def show(results: Sequence[Result]) -> None:
    seconds = [f"{way}\ncpu / wall s" for way in ("a", "a'", "b", "c")]
    missed = [f"missed of a's\n≥ {least}" for least in (f"{COUNTED_FACE} px", "smallest")]
    table = Table("video", "smallest\nface, px", *seconds, "a/b", "a'/b", "b/c", *missed, "IoU")
    for result in results:
        figures = Figures.of([result])
        costs = [f"{cost.cpu:.2f} / {cost.wall:.2f}" for cost in (result.a, result.same, result.b, result.c)]
        ratios = [f"{figures.ratios[name]:.1f}" for name in ("a/b", "a'/b", "b/c")]
        misses = [f"{figures.missed} of {figures.faces}", f"{figures.large_missed} of {figures.large}"]
        face = f"{result.smallest_face:.0f}"
        table.add_row(result.video, face, *costs, *ratios, *misses, f"{figures.iou:.2f}")
    console.print(table)
    console.print(
        f"a: smallest face {DEFAULT_FACE} px; a' and b: as the second column says. One thread each."
    )
    console.print("together:", Figures.of(results).told())


def judge(results: Sequence[Result]) -> None:
    """Hold the videos of 720 lines against the targets, all of them together."""
    figures = Figures.of(results)
    for name, (target, direction) in TARGETS.items():
        value = figures.ratios[name]
        reached = "reached" if direction * value >= direction * target else "NOT reached"
        bound = f"{'≥' if direction > 0 else '≤'} {target:g}"
        each = ", ".join(f"{result.video} {Figures.of([result]).ratios[name]:.3g}" for result in results)
        console.print(f"720p  {name:6} {value:.3g} ({each}); target {bound}: {reached}")
    faces = " ".join(sorted({f"{result.smallest_face:.0f}" for result in results}))
    console.print(f"720p  smallest face: a {DEFAULT_FACE} px, a' and b {faces} px; {figures.told()}")


def described(result: Result) -> dict[str, Any]:
    """For --json: no boxes."""
    ways = {"a": result.a, "a'": result.same, "b": result.b, "c": result.c}
    seconds = {way: {"cpu": cost.cpu, "wall": cost.wall} for way, cost in ways.items()}
    size = {name: getattr(result, name) for name in ("video", "width", "height", "smallest_face")}
    return {**size, **seconds, **asdict(Figures.of([result]))}


def _convert(cache: Path) -> Path:
    from components.export.detector import ensure_detector  # noqa: PLC0415  imports torch

    return ensure_detector(POLICY.detector, cache)


if __name__ == "__main__":
    main()
