"""Genuine faces for the starter weights: rendered people, cut as the pipeline cuts them.

`benchmarks/starter.py` calls this. What is there already is not made again.
"""

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from components.export.detector import convert
from components.faces.clip import Clip, Failure
from components.faces.policy import CropPolicy
from components.faces.pool import WorkerPool
from components.video.limits import Limits
from components.video.sampling import Even
from sample.encode import write_video
from sample.session import record_genuine
from sample.settings import SampleSettings

SEED = 41_177  # the sample's is 2026; tests and other benchmarks use neither
STRIDE = 3  # of 24 frames the shipped policy looks at every third
FRAMES = 8

# A forgery may be made before the crop is shrunk, as real ones are. Half of 128 px is the shipped 64 px, bit
# for bit: at these face sizes components/faces/crop.py itself halves what it cut at 128 px.
POLICY = CropPolicy(sampling=Even(frames=FRAMES), size=128, margin=0.3)


@dataclass(frozen=True)
class Faces:
    """Genuine clips of N people; landmarks and boxes are px of the video."""

    crops: NDArray[np.uint8]  # (N, T, S, S, 3) RGB
    boxes: NDArray[np.float32]  # (N, T, 4)
    landmarks: NDArray[np.float32]  # (N, T, 5, 2)
    people: NDArray[np.int64]  # (N,)

    def only(self, rows: NDArray[np.bool_]) -> "Faces":
        return Faces(self.crops[rows], self.boxes[rows], self.landmarks[rows], self.people[rows])


def faces_of(people: int, folder: Path, workers: int) -> Faces:
    """Render and cut the people that are missing, and read all."""
    arrays = folder / f"faces_{people}"
    if not (arrays / "people.npy").exists():
        videos = render_all(people, folder / "videos", workers)
        cut_all(videos, arrays, folder / "detector", workers)
    return read(arrays)


def render_all(people: int, folder: Path, workers: int) -> list[Path]:
    """A genuine video of each person."""
    folder.mkdir(parents=True, exist_ok=True)
    videos = [folder / f"p{person:05d}.mp4" for person in range(people)]
    missing = [person for person, video in enumerate(videos) if not video.exists()]
    start = time.monotonic()
    with ProcessPoolExecutor(workers, get_context("spawn"), _start_worker) as pool:
        for done, _ in enumerate(pool.map(_render, missing, repeat(folder), chunksize=8), start=1):
            if done % 200 == 0:
                _tell("rendered", done, len(missing), start)
    return videos


def _start_worker() -> None:
    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _render(person: int, folder: Path) -> None:
    settings = SampleSettings(frames=FRAMES, seed=SEED)
    write_video(folder / f"p{person:05d}.mp4", record_genuine(settings, person, STRIDE), settings.fps)


def cut_all(videos: list[Path], folder: Path, detector: Path, workers: int) -> None:
    """The faces in the videos, as arrays with a row for each video.

    People whose face is not found in every frame are left out of `people.npy`, which is written last.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shape = (len(videos), FRAMES, POLICY.size, POLICY.size, 3)
    crops = open_memmap(folder / "crops.npy", "w+", np.uint8, shape)
    boxes, landmarks = np.zeros((*shape[:2], 4), np.float32), np.zeros((*shape[:2], 5, 2), np.float32)
    people = []
    for person, clip in _cut(videos, detector, workers):
        crops[person], boxes[person], landmarks[person] = clip.crops, clip.boxes, clip.landmarks
        people.append(person)
    crops.flush()
    np.save(folder / "boxes.npy", boxes)
    np.save(folder / "landmarks.npy", landmarks)
    np.save(folder / "people.npy", np.array(sorted(people)))


def _cut(videos: list[Path], detector: Path, workers: int) -> Iterator[tuple[int, Clip]]:
    if not detector.exists():
        convert(detector, POLICY.detector)
    start = time.monotonic()
    with WorkerPool(workers, Limits(), POLICY, detector) as pool:
        for done, (person, found) in enumerate(pool.extract(videos), start=1):
            if done % 500 == 0:
                _tell("cut", done, len(videos), start)
            if not isinstance(found, Failure) and found.face_share == 1:
                yield person, found.main


def read(folder: Path) -> Faces:
    """What `cut_all` wrote, in the order of people."""
    people = np.load(folder / "people.npy")
    arrays = [
        np.load(folder / f"{name}.npy", mmap_mode="r")[people] for name in ("crops", "boxes", "landmarks")
    ]
    return Faces(*arrays, people)


def _tell(what: str, done: int, total: int, start: float) -> None:
    rate = done / (time.monotonic() - start)
    print(f"{what} {done} of {total}, {rate:.1f} people/s", flush=True)
