"""What a frozen backbone sees in clips, computed once: epochs then train what classifies the features.

Files are in NumPy's own format and can be deleted at any time. A candidate that differs from another in
nothing that its features depend on finds them there, such as another trial of a search.
"""

import hashlib
import json
import logging
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import version
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.lib.format import open_memmap
from rich.console import Console
from rich.progress import track
from torch import Tensor

from components import models
from components.arrays import Floats32
from components.errors import ParamsError
from components.files import replacing
from components.models import Candidate
from components.params import CandidateParams
from components.training.dataset import ClipDataset
from components.training.loader import whole_batches

ROOM = 16e9
"""Bytes that a folder of features may take; those that were used last stay, whatever they take."""

IN_USE = 24 * 3600.0
"""Seconds for which features are taken to be needed after they were looked up."""


log = logging.getLogger(__name__)


class FeatureClips(ClipDataset):
    """Clips, as a backbone sees them: float32 `(K, T, C)` of K faces.

    Args:
        clips: of which the features are.
        path: of an array `(N, C)`: all frames of the first video's faces, then the next one's, and so on.
    """

    def __init__(self, clips: ClipDataset, path: Path) -> None:
        super().__init__(clips.videos, clips.store, clips.faces, clips.policy)
        self._kept = [clips.shape(index)[:2] for index in range(len(clips))]
        self._starts = starts(clips)
        self._path = path
        self._rows: Floats32 | None = None

    def shape(self, index: int) -> torch.Size:
        """Returns `(K, T, C)` of a video."""
        return torch.Size((*self._kept[index], self._mapped.shape[1]))

    def _read(self, index: int, frames: Sequence[int] | None = None, faces: int | None = None) -> Tensor:
        first, kept = self._starts[index], self._kept[index]
        rows = self._mapped[first : first + kept.numel()].reshape(*kept, -1)[:faces]
        return torch.from_numpy(rows if frames is None else rows[:, list(frames)])

    @property
    def _mapped(self) -> Floats32:
        if self._rows is None:
            self._rows = np.load(self._path, mmap_mode="c")  # copy on write: torch wants what it can write to
        return self._rows

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_rows": None}  # a process maps for itself; NumPy would send the content


def starts(clips: ClipDataset) -> list[int]:
    """Returns where each video starts among the frames of all `(N + 1,)`; the last one is their number."""
    frames = (clips.shape(index)[:2].numel() for index in range(len(clips)))
    return list(accumulate(frames, initial=0))


def cached_features(
    model: Candidate, clips: ClipDataset, settings: CandidateParams, folder: Path
) -> FeatureClips:
    """Returns the features of all stored frames, computed now unless they have been.

    Args:
        model: whose backbone is frozen.
        clips: of all faces that are looked at.
        settings: of the candidate.
        folder: where features stay.

    Raises:
        ParamsError: what the network makes of single frames is learnt.
    """
    path = folder / f"{features_digest(model, clips, settings)}.npy"
    if path.is_file():
        path.touch()  # `_make_room` goes by the last use
        log.info("%s: features of %d clips are there already", settings.network.name, len(clips))
    else:
        width = _width(model, clips, settings)
        _make_room(folder)
        _write(_features(model, clips, settings), starts(clips), width, path)
    return FeatureClips(clips, path)


def features_digest(model: Candidate, clips: ClipDataset, settings: CandidateParams) -> str:
    """Returns sixteen hex digits that stand for all that features depend on."""
    seen = {
        "network": settings.network.model_dump(mode="json", include={"name", "backbone", "stages"}),
        "input": [model.input_size, list(model.mean), list(model.std)],
        "clips": [[video.clip, *clips.shape(index)] for index, video in enumerate(clips.videos)],
        "machine": [torch.__version__, version("timm"), torch.cuda.is_available()],
    }
    digest = hashlib.sha256(json.dumps(seen, sort_keys=True).encode())
    for file in sorted(Path(models.__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    for name, value in model.state_dict().items():
        if name.startswith("backbone."):
            digest.update(name.encode() + value.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def _write(
    features: Iterable[tuple[Sequence[int], Tensor]], first: Sequence[int], width: int, path: Path
) -> None:
    """Beside its place, then moved there: a kill leaves no half a file."""
    with replacing(path) as partial:
        rows = open_memmap(partial, "w+", np.float32, (first[-1], width))
        _reserve(partial)
        for indices, of_videos in features:
            for index, of_video in zip(indices, of_videos, strict=True):
                rows[first[index] : first[index + 1]] = of_video.flatten(0, 1)
        rows.flush()


def _reserve(path: Path) -> None:
    """Takes the disk that a mapped file needs: where it is full, writing to the map would end the process."""
    with path.open("r+b") as file, suppress(AttributeError):  # not every system can reserve
        os.posix_fallocate(file.fileno(), 0, path.stat().st_size)


def _features(
    model: Candidate, clips: ClipDataset, settings: CandidateParams
) -> Iterator[tuple[list[int], Tensor]]:
    """Yields which videos, and their features `(B, K, T, C)`."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    batches = whole_batches(clips, settings.batch_size, settings.workers)
    shown = track(
        batches,
        "Features",
        len(batches),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
    with _evaluated(model, device):
        for batch in shown:
            prepared = model.prepare(batch.faces.to(device).flatten(0, 1)).flatten(0, 1)
            with torch.no_grad():
                features = model.embed(prepared)
            yield batch.indices, features.reshape(*batch.faces.shape[:3], -1).float().cpu()


def _width(model: Candidate, clips: ClipDataset, settings: CandidateParams) -> int:
    """C; of a network that sees single frames the same way throughout its training."""
    frame = clips.main_face(0, [0])[0][None]  # (1, 1, 3, S, S)
    with _evaluated(model, torch.device("cpu")):  # a frozen batch norm must not learn from it
        features = model.embed(model.prepare(frame).flatten(0, 1))
    if features.requires_grad:
        raise ParamsError(
            f"cache_features: {settings.network.name} learns what it sees in single frames; "
            "set cache_features: false"
        )
    return features.shape[1]


@contextmanager
def _evaluated(model: Candidate, device: torch.device) -> Iterator[None]:
    """Yields the network on a device, in evaluation mode; afterwards as it was, on the CPU."""
    training = model.training
    model.to(device).eval()
    try:
        yield
    finally:
        model.cpu().train(training)


def _make_room(folder: Path) -> None:
    """Removes the features that were used longest ago, until there is half of the room.

    Those of the last day stay: a training, this one or one beside it, may be about to open them.
    """
    files = sorted(_last_uses(folder), reverse=True)
    for (used, file, _), total in zip(files, accumulate(size for *_, size in files), strict=True):
        if total > ROOM / 2 and used < time.time() - IN_USE:
            file.unlink(missing_ok=True)


def _last_uses(folder: Path) -> Iterator[tuple[float, Path, int]]:
    """Yields when each file was used last, and its bytes; also of what a kill left half written."""
    for file in folder.glob("*"):
        with suppress(FileNotFoundError):  # whoever makes room beside this one was first
            state = file.stat()
            yield state.st_mtime, file, state.st_size
