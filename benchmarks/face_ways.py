"""Ways to find the faces of a video, each timed: Unmask, its floor, and the usual one."""

import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from components.detectors.detections import Detections
from components.detectors.registry import open_detector
from components.faces.clip import Failure
from components.faces.extract import extract
from components.faces.policy import CropPolicy
from components.video.frames import map_frames, probe
from components.video.limits import Limits
from components.video.sampling import Even

POLICY = CropPolicy(sampling=Even(frames=16))
LIMITS = Limits()

REPEATS, ENOUGH = 3, 8.0
"""Runs of each way, unless these CPU seconds are used up."""

Box = list[float]
"""x1, y1, x2, y2 in px of the video, and the detector's score."""


@dataclass(frozen=True)
class Cost:
    """Of one video, done one way."""

    cpu: float  # seconds
    wall: float  # seconds
    faces: list[list[Box]]  # of each sampled frame; none for the floor
    times: list[float]  # seconds, of each sampled frame


def run_unmask(video: Path, detector: Path) -> tuple[Cost, tuple[int, int]]:
    cv2.setNumThreads(1)
    opened = open_detector(POLICY.detector, detector)
    cpu, wall, faces = timed(lambda: extract(video, POLICY, LIMITS, opened))
    info = probe(video, LIMITS)
    looked = map_frames(
        video, info, POLICY.sampling, LIMITS, lambda frame: (frame.time, boxes_of(opened.detect(frame.image)))
    )
    if isinstance(faces, Failure):
        print(f"{video.name}: {faces.status}, {faces.reason}")
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
    kept: list[Any] = []
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
