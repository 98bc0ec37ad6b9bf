"""How far MTCNN on ONNX Runtime is from facenet-pytorch's own, on the same frames.

    python benchmarks/mtcnn_parity.py                  # clips of the sample, rendered on the spot
    python benchmarks/mtcnn_parity.py --media FOLDER   # one's own videos as well

Three ways of looking at each set of frames:

    arithmetic   with facenet-pytorch's own resampling and overlaps: what is left is networks and cascade
    same size    as Unmask resamples, both at full size with facenet-pytorch's defaults
    as used      Unmask's default policy; facenet-pytorch at full size with the same smallest face

Of facenet-pytorch's faces those count of which it is sure (probability ≥ 0.95); the others are often a hand
or a pattern. One is found where a box overlaps it by half (IoU ≥ 0.5). Errors of landmarks are means over the
five, as shares of the face's side. Ends with 1 where a tolerance does not hold.
"""

import argparse
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import numpy as np
import onnx
import torch
from facenet_pytorch import MTCNN
from facenet_pytorch.models.utils.detect_face import imresample
from numpy.typing import NDArray
from onnx import TensorProto
from rich.console import Console
from rich.progress import track
from rich.table import Table

from components.arrays import Floats32, Image
from components.detectors import mtcnn as cascade
from components.detectors.boxes import overlaps
from components.detectors.detections import Detections
from components.detectors.mtcnn import Mtcnn
from components.detectors.pyramid import Level, scales
from components.detectors.settings import MtcnnPolicy
from components.export.detector import convert
from components.video.frames import sample_frames
from components.video.limits import Limits
from sample import SampleSettings, generate

SAME_SIZE = MtcnnPolicy(min_face=20, longest_side=8192, factor=0.709, thresholds=(0.6, 0.7, 0.7), retry=False)
AS_USED = MtcnnPolicy(retry=False)
THEIR_OVERLAPS = (0.5, 0.7, 0.7)

SURE = 0.95
PEOPLE, FRAMES = 8, 3
SUFFIXES = {".mp4", ".mov", ".mkv", ".webm", ".avi"}

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Tolerance:
    """What has to hold of one way of looking."""

    share: float  # of faces found, at least
    overlap: float  # mean IoU, at least
    landmarks: float  # mean error, at most
    probability: float  # mean difference, at most


TOLERANCES = {
    "arithmetic": Tolerance(share=1.0, overlap=0.99, landmarks=0.002, probability=0.002),
    "same size": Tolerance(share=0.98, overlap=0.92, landmarks=0.02, probability=0.02),
    "as used": Tolerance(share=0.98, overlap=0.90, landmarks=0.025, probability=0.03),
}


@dataclass(frozen=True)
class Parity:
    """How far one detector's faces are from another's, in the same frames."""

    faces: int  # of the reference that is sure of them
    overlaps: Values  # of those found, (F,) IoU
    landmarks: Values  # (F,) mean error, shares of the side
    probabilities: Values  # (F,) absolute differences
    unsure: int  # other faces of the reference,
    unsure_found: int  # of which these are found
    more: int  # faces that the reference has not

    @property
    def share(self) -> float:
        return len(self.overlaps) / max(1, self.faces)

    def holds(self, tolerance: Tolerance) -> bool:
        return (
            self.faces > 0
            and self.share >= tolerance.share
            and self.overlaps.mean() >= tolerance.overlap
            and self.landmarks.mean() <= tolerance.landmarks
            and self.probabilities.mean() <= tolerance.probability
        )


def compare(reference: Sequence[Detections], found: Sequence[Detections]) -> Parity:
    """Hold detections against a reference's, frame by frame."""
    faces = sum(int((each.scores >= SURE).sum()) for each in reference)
    unsure = sum(len(each.scores) for each in reference) - faces
    shares, landmarks, probabilities, unsure_found, more = [], [], [], 0, 0
    for theirs, ours in zip(reference, found, strict=True):
        matrix = overlaps(theirs.boxes, ours.boxes)
        more += int((matrix.max(axis=0, initial=0) < 0.5).sum())
        for index in np.flatnonzero(matrix.max(axis=1, initial=0) >= 0.5):
            if theirs.scores[index] < SURE:
                unsure_found += 1
                continue
            match = matrix[index].argmax()
            x1, y1, x2, y2 = theirs.boxes[index]
            distances = np.linalg.norm(theirs.landmarks[index] - ours.landmarks[match], axis=1)
            shares.append(matrix[index, match])
            landmarks.append(distances.mean() / max(x2 - x1, y2 - y1))
            probabilities.append(abs(theirs.scores[index] - ours.scores[match]))
    errors = (np.array(shares), np.array(landmarks), np.array(probabilities))
    return Parity(faces, *errors, unsure, unsure_found, more)


def usual(frames: Sequence[Image], smallest: Sequence[float], factor: float) -> list[Detections]:
    """facenet-pytorch's faces, at full size."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        detector = MTCNN(keep_all=True, factor=factor, device="cpu")
    found = []
    for frame, face in zip(track(frames, "facenet-pytorch", transient=True), smallest, strict=True):
        detector.min_face_size = face
        boxes, scores, landmarks = detector.detect(frame, landmarks=True)
        some = [np.array(each, np.float32) for each in (boxes, scores, landmarks) if each is not None]
        found.append(Detections(*some) if len(some) == 3 else Detections.none())
    return found


@contextmanager
def exactly(networks: Path) -> Iterator[Mtcnn]:
    """The cascade with facenet-pytorch's resampling, its overlaps, and pixels that are not rounded."""
    with TemporaryDirectory() as folder:
        for file in networks.glob("*.onnx"):
            (Path(folder) / file.name).write_bytes(_of_floats(file))
        with (
            patch.object(cascade, "OVERLAPS", THEIR_OVERLAPS),
            patch.object(cascade, "SURE", 2.0),  # never: ONet looks at all
            patch.object(cascade, "_fits", lambda *_: True),
            patch.object(cascade, "build_pyramid", _build),
            patch.object(cascade, "cut_candidates", _cut),
        ):
            yield Mtcnn(Path(folder), SAME_SIZE)


def _of_floats(file: Path) -> bytes:
    """A network that takes pixels as float32."""
    model = onnx.load(file)
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.FLOAT
    del model.graph.value_info[:]
    content: bytes = model.SerializeToString()
    return content


def _build(image: Image, smallest: float, factor: float) -> list[Level]:
    height, width = image.shape[:2]
    sizes = [
        (int(height * scale + 1), int(width * scale + 1), scale)
        for scale in scales(min(height, width), smallest, factor)
    ]
    return [Level(image, 1.0), *(Level(_resample(image, h, w), scale) for h, w, scale in sizes)]


def _cut(levels: Sequence[Level], boxes: Floats32, side: int) -> tuple[Floats32, Any]:
    image = levels[0].image
    low = np.maximum(boxes[:, :2].astype(int), 1) - 1
    high = np.minimum(boxes[:, 2:].astype(int), image.shape[1::-1])
    inside = (high > low).all(axis=1)
    crops = [
        _resample(image[y1:y2, x1:x2], side, side)
        for (x1, y1), (x2, y2) in zip(low[inside].tolist(), high[inside].tolist(), strict=True)
    ]
    return boxes[inside], np.array(crops, np.float32).reshape(-1, side, side, 3)


def _resample(image: Image, height: int, width: int) -> Any:
    pixels = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None].float()
    return np.ascontiguousarray(imresample(pixels, (height, width))[0].permute(1, 2, 0).numpy())


def look(frames: Sequence[Image], networks: Path) -> dict[str, Parity]:
    """The three ways of looking, by name."""
    at_20 = usual(frames, [SAME_SIZE.min_face] * len(frames), SAME_SIZE.factor)
    shrunk = [max(1.0, max(frame.shape) / AS_USED.longest_side) for frame in frames]
    at_same = usual(frames, [AS_USED.min_face * scale for scale in shrunk], SAME_SIZE.factor)
    with exactly(networks) as exact:
        arithmetic = compare(at_20, [exact.detect(frame) for frame in track(frames, transient=True)])
    full, used = Mtcnn(networks, SAME_SIZE), Mtcnn(networks, AS_USED)
    return {
        "arithmetic": arithmetic,
        "same size": compare(at_20, [full.detect(frame) for frame in frames]),
        "as used": compare(at_same, [used.detect(frame) for frame in frames]),
    }


def show(console: Console, name: str, frames: int, looked: dict[str, Parity]) -> bool:
    """Print what was found; whether all tolerances hold."""
    table = Table(title=f"{name}: {frames} frames. In brackets: what is tolerated")
    for column in ("", "faces", "found", "unsure", "more", "IoU: mean", "least", "landmarks: mean", "most"):
        table.add_column(column, justify="right" if column else "left")
    for column in ("probability: mean", "most", "holds"):
        table.add_column(column, justify="right")
    for way, parity in looked.items():
        table.add_row(way, *_cells(parity, TOLERANCES[way]))
    console.print(table)
    return all(parity.holds(TOLERANCES[way]) for way, parity in looked.items())


def _cells(parity: Parity, tolerance: Tolerance) -> list[str]:
    if not len(parity.overlaps):
        return [str(parity.faces), "0", str(parity.unsure), str(parity.more), *["–"] * 6, "no"]
    return [
        str(parity.faces),
        f"{parity.share:.3f} (≥ {tolerance.share})",
        f"{parity.unsure_found}/{parity.unsure}",
        str(parity.more),
        f"{parity.overlaps.mean():.4f} (≥ {tolerance.overlap})",
        f"{parity.overlaps.min():.3f}",
        f"{parity.landmarks.mean():.4f} (≤ {tolerance.landmarks})",
        f"{parity.landmarks.max():.3f}",
        f"{parity.probabilities.mean():.4f} (≤ {tolerance.probability})",
        f"{parity.probabilities.max():.3f}",
        "yes" if parity.holds(tolerance) else "no",
    ]


def frames_of(videos: Sequence[Path]) -> list[Image]:
    """Some frames of each video."""
    return [frame for video in videos for frame in sample_frames(video, FRAMES, Limits())[0]]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--media", type=Path, help="a folder of videos")
    media = parser.parse_args().media
    console = Console(width=150)
    torch.set_num_threads(1)
    with TemporaryDirectory() as scratch:
        networks, sample = Path(scratch) / "detector", Path(scratch) / "sample"
        convert(networks)
        generate(sample, SampleSettings(people=PEOPLE), progress=False)
        sets = {"sample": sorted(sample.rglob("*.mp4"))}
        if media is not None:
            sets[media.name] = sorted(path for path in media.rglob("*") if path.suffix.lower() in SUFFIXES)
        held = []
        for name, videos in sets.items():
            frames = frames_of(videos)
            held.append(show(console, name, len(frames), look(frames, networks)))
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
