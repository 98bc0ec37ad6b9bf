"""Clips for `benchmarks/training.py`: rendered and cut once, then scaled as candidates need it."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory

import cv2
import numpy as np
from numpy.typing import NDArray

from components.export.detector import convert
from components.faces.clip import Faces
from components.faces.policy import CropPolicy
from components.faces.pool import WorkerPool
from components.faces.store import SUFFIX, ClipStore
from components.training.dataset import ClipDataset
from components.training.decoded import DecodedClips
from components.training.videos import LABELS, Video
from components.video.limits import Limits
from components.video.sampling import Even
from sample import SampleSettings, generate

SEED = 515
"""Of the rendered people; those of the sample and of the starter weights are others."""

LARGEST = 412
"""px, the largest crop that a recipe stores."""

ROOM = 64e9  # bytes, of decoded clips: all of them


def render(folder: Path, people: int) -> None:
    """Cut clips of rendered people into `folder`, unless some are there; two videos of each."""
    if any(folder.glob(f"*{SUFFIX}")):
        return
    with TemporaryDirectory(prefix="unmask-videos-") as scratch:
        place = Path(scratch)
        settings = SampleSettings(people=people, width=640, height=480, frames=16, seed=SEED, workers=0)
        generate(place / "data", settings, progress=False)
        convert(place / "detector")
        videos = sorted((place / "data").glob("*/*.mp4"))
        policy = CropPolicy(sampling=Even(frames=16), size=LARGEST, margin=0.3)
        with WorkerPool(os.cpu_count() or 1, Limits(), policy, place / "detector") as pool:
            for index, faces in pool.extract(videos):
                if isinstance(faces, Faces):
                    video = videos[index]
                    ClipStore(folder).write(f"{video.parent.name}-{video.stem}{SUFFIX}", faces)


def sources(folder: Path, most: int = 64) -> list[tuple[Faces, int, str]]:
    """Clips, each with its label and its person.

    Those of a project do not tell either by their names. Where they are taken for their pixels alone, every
    second one counts as a fake.
    """
    names = sorted(path.name for path in folder.glob(f"*{SUFFIX}"))[:most]
    if len(names) < 2:
        raise SystemExit(f"{folder}: no clips; name a folder of a project, artifacts/clips, or a new one")
    store = ClipStore(folder)
    return [(store.read(name), *_told(name, index)) for index, name in enumerate(names)]


def _told(name: str, index: int) -> tuple[int, str]:
    label, _, rest = name.removesuffix(SUFFIX).partition("-")
    if label in LABELS:
        return LABELS[label], rest.partition("_")[0]
    return index % 2, name


class Stored:
    """Clips as a project with this policy would store them, repeated until there are as many as asked for.

    Args:
        folder: for the files; each clip has one of its own, also where the content is that of another.
        taken: the clips.
        policy: says side and lengths.
        count: of clips to learn from. Two more of two frames are there to validate on: what is measured
            here are the steps.
    """

    def __init__(
        self, folder: Path, taken: Sequence[tuple[Faces, int, str]], policy: CropPolicy, count: int
    ) -> None:
        self.policy = policy
        self._folder = folder
        lengths = np.linspace(*policy.sampling.lengths, min(count, len(taken))).round().astype(int)
        made = [
            scaled(faces, policy.size, int(length))
            for (faces, _, _), length in zip(
                taken, np.random.default_rng(0).permutation(lengths), strict=False
            )
        ]
        self._clips = ClipStore(folder / "clips")
        for row, faces in enumerate(made):
            self._clips.write(_file("train", row), faces)
        for row in range(len(made), count):
            os.link(self._path("train", row % len(made)), self._path("train", row))
        for row in (0, 1):
            self._clips.write(_file("val", row), scaled(taken[row][0], policy.size, 2))
        self.train = [_video("train", row) for row in range(count)]
        self.val = [_video("val", row) for row in (0, 1)]

    def _path(self, split: str, row: int) -> Path:
        return self._clips.folder / _file(split, row)

    def datasets(self, cold: bool = False, most: int | None = None) -> tuple[ClipDataset, ClipDataset]:
        """To learn from, at most so many, and to validate on; cold: nothing of them is decoded yet."""
        decoded = self._folder / "decoded"
        if cold:
            rmtree(decoded, ignore_errors=True)
        names = [video.clip for video in (*self.train, *self.val)]
        store = DecodedClips(self._clips, decoded, names, ROOM)
        return ClipDataset(self.train[:most], store, 1, self.policy), ClipDataset(self.val, store)


def _file(split: str, row: int) -> str:
    return f"{split}{row}{SUFFIX}"


def _video(split: str, row: int) -> Video:
    methods = {number: method for method, number in LABELS.items()}
    name = f"{split}{row}"
    return Video(name, name, split, row % 2, methods[row % 2], _file(split, row))


def scaled(faces: Faces, size: int, length: int) -> Faces:
    """The main face in crops of another side, its frames repeated in turn where there are fewer."""
    places = np.arange(length) % len(faces.times)
    main = faces.main
    crops = np.stack([_resized(main.crops[place], size) for place in places])
    clip = replace(
        main,
        crops=crops,
        boxes=main.boxes[places],
        scores=main.scores[places],
        landmarks=main.landmarks[places],
        origins=main.origins[places],
    )
    return replace(faces, clips=(clip,), times=np.arange(float(length)), frames=length)


def _resized(crop: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    way = cv2.INTER_AREA if size < crop.shape[0] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(crop, (size, size), interpolation=way), np.uint8)


def labelled(
    folder: Path, taken: Iterable[tuple[Faces, int, str]], policy: CropPolicy
) -> tuple[ClipDataset, ClipDataset]:
    """Clips with the labels that they have; the last third of the people is there to validate on."""
    rows = list(taken)
    people = sorted({person for _, _, person in rows})
    validated = set(people[-max(1, len(people) // 3) :])
    methods = {number: method for method, number in LABELS.items()}
    store, videos = ClipStore(folder), []
    for number, (faces, label, person) in enumerate(rows):
        name = f"{number}{SUFFIX}"
        store.write(name, scaled(faces, policy.size, policy.sampling.lengths[0]))
        split = "val" if person in validated else "train"
        videos.append(Video(name, person, split, label, methods[label], name))
    train, val = ([video for video in videos if video.split == split] for split in ("train", "val"))
    return ClipDataset(train, store, 1, policy), ClipDataset(val, store)
