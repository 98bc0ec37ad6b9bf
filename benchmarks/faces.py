"""What finding the faces of a video costs, beside the usual way, and how many of its faces are found.

    python benchmarks/faces.py                  # rendered: a speaker and a crowd at 360, 720 and 1080 lines
    python benchmarks/faces.py --media FOLDER   # one's own videos as well
    python benchmarks/faces.py --videos DIR     # keeps what is rendered, and takes what is there

Of each video 16 frames, on one thread of a CPU, each way in a process of its own:

    a   OpenCV reads all frames, facenet-pytorch's MTCNN looks at 16 at full size, smallest face 20 px
    a'  the same with the smallest face that Unmask looks for
    b   Unmask: probe, decode, detect, track, crop (`components.faces.extract`)
    c   the floor: probe and decode these frames, and do nothing with them

CPU seconds are medians of three runs, or of as many as begin within 8 seconds. A face of (a) counts as
found where (b) has a box that overlaps it by half (IoU ≥ 0.5) in the same frame. Where the video is rendered
it is known where heads are: what (a) finds elsewhere is no face, and is told apart.
"""

import argparse
import json
import os
import statistics
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from face_ways import POLICY, Box, Cost, read_all, run_floor, run_unmask, run_usual
from PIL import Image, ImageDraw
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scenes import film_all, heads

from components.detectors.settings import MtcnnPolicy

Submit = Callable[..., Any]
Heads = list[tuple[float, float]]

DEFAULT_FACE, COUNTED_FACE = 20, 40
"""px: facenet-pytorch's smallest face, and from which side on its faces are expected of Unmask."""

TARGETS = {"a/b": (8.0, 1), "a'/b": (3.0, 1), "b/c": (2.5, -1), "share": (0.98, 1)}
"""At 720 lines: at least (1) or at most (-1)."""

SUFFIXES = {".mp4", ".mov", ".mkv", ".webm", ".avi"}

console = Console(width=150)


@dataclass(frozen=True)
class Result:
    """Of one video, done every way."""

    video: Path
    width: int
    height: int
    smallest_face: float  # px of the video, of (a') and (b)
    a: Cost
    same: Cost
    b: Cost
    c: Cost
    heads: Sequence[Heads | None] | None  # of each frame, px; None where nobody knows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--media", type=Path, help="folder of real videos; left out where it is not there")
    parser.add_argument("--videos", type=Path, help="where rendered videos are kept")
    parser.add_argument("--detector", type=Path, help="folder of MTCNN's networks; converted if not given")
    parser.add_argument("--missed", type=Path, metavar="FILE", help="draw what (b) misses, a .png to look at")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures")
    arguments = parser.parse_args()
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # children inherit them
    with TemporaryDirectory(prefix="unmask-faces-") as scratch:
        detector = arguments.detector or alone(_convert, Path(scratch) / "detector")
        rendered = film_all(arguments.videos or Path(scratch) / "videos")
        results = {"rendered": measure(rendered, detector)}
        show(results["rendered"])
        check_targets([result for result in results["rendered"] if min(result.width, result.height) == 720])
        if arguments.media and (own := find(arguments.media)):
            results["media"] = measure(own, detector, known=False)
            show(results["media"])
    if arguments.missed:
        draw_missed([result for found in results.values() for result in found], arguments.missed)
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
        video=video,
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


@dataclass(frozen=True)
class Expected:
    """A face of (a), and what (b) makes of it."""

    frame: int
    box: Box
    side: float  # px
    score: float
    overlap: float  # IoU with the nearest of (b); 0: none
    real: bool  # a head is there; also where nobody knows


def expected(result: Result) -> list[Expected]:
    """All faces of (a)."""
    unknown: list[Heads | None] = [None] * len(result.a.faces)
    known = result.heads or unknown
    return [
        Expected(
            frame=index,
            box=face,
            side=max(face[2] - face[0], face[3] - face[1]),
            score=face[4],
            overlap=max((iou(face, own) for own in found), default=0.0),
            real=there is None or any(holds(face, head) for head in there),
        )
        for index, (faces, found, there) in enumerate(zip(result.a.faces, result.b.faces, known, strict=True))
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
        table.add_row(result.video.stem, face, *costs, *ratios, *misses, f"{figures.iou:.2f}")
    console.print(table)
    console.print(
        f"a: smallest face {DEFAULT_FACE} px; a' and b: as the second column says. One thread each."
    )
    console.print("together:", Figures.of(results).told())


def check_targets(results: Sequence[Result]) -> None:
    """Hold the videos of 720 lines against the targets, all of them together."""
    figures = Figures.of(results)
    for name, (target, direction) in TARGETS.items():
        value = figures.ratios[name]
        reached = "reached" if direction * value >= direction * target else "NOT reached"
        bound = f"{'≥' if direction > 0 else '≤'} {target:g}"
        each = ", ".join(f"{result.video.stem} {Figures.of([result]).ratios[name]:.3g}" for result in results)
        console.print(f"720p  {name:6} {value:.3g} ({each}); target {bound}: {reached}")
    faces = " ".join(sorted({f"{result.smallest_face:.0f}" for result in results}))
    console.print(f"720p  smallest face: a {DEFAULT_FACE} px, a' and b {faces} px; {figures.told()}")


def draw_missed(results: Sequence[Result], path: Path) -> None:
    """What (b) misses of the faces of (a), with some of the picture around, side by side."""
    side, columns, tiles = 180, 8, []
    for result in results:
        missed = [face for face in expected(result) if face.side >= COUNTED_FACE and face.overlap < 0.5]
        frames = read_all(result.video, result.b.times) if missed else []
        for face in missed:
            left, top, right, bottom, score = face.box
            edge = face.side / 3
            around = (left - edge, top - edge, right + edge, bottom + edge)
            tile = Image.fromarray(frames[face.frame]).crop(around).resize((side, side))
            ImageDraw.Draw(tile).text((4, 4), f"{score:.2f} {result.video.stem}", "red")
            tiles.append(tile)
    sheet = Image.new("RGB", (columns * side, max(1, -(-len(tiles) // columns)) * side))
    for index, tile in enumerate(tiles):
        sheet.paste(tile, (index % columns * side, index // columns * side))
    sheet.save(path)


def described(result: Result) -> dict[str, Any]:
    """For --json: no boxes."""
    ways = {"a": result.a, "a'": result.same, "b": result.b, "c": result.c}
    seconds = {way: {"cpu": cost.cpu, "wall": cost.wall} for way, cost in ways.items()}
    size = {name: getattr(result, name) for name in ("width", "height", "smallest_face")}
    return {"video": result.video.stem, **size, **seconds, **asdict(Figures.of([result]))}


def _convert(cache: Path) -> Path:
    from components.export.detector import ensure_detector  # noqa: PLC0415  imports torch

    return ensure_detector(POLICY.detector, cache)


if __name__ == "__main__":
    main()
