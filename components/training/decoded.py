"""Decoded crops on disk, mapped into memory: whoever reads a clip a second time need not decode it again.

The pages are shared by the processes of a loader, by candidates that train side by side, and by later
trainings. Files are in NumPy's own format, one for each clip, and can be deleted at any time.
"""

import logging
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.faces.compression import Crops
from components.faces.store import ClipStore
from components.files import replacing

FREE_SHARE = 0.5
"""Of the free disk that may be taken at most."""

MOST_MAPPED = 16_384
"""Files mapped at a time; Linux allows a process 65530 maps."""


log = logging.getLogger(__name__)


class DecodedClips:
    """A clip store that keeps what it has decoded, for as many clips as there is room.

    It reads what `store` reads, byte for byte, whatever is kept.

    Args:
        store: of the compressed clips.
        folder: for the decoded ones. Those of clips that are gone are removed from it.
        names: of the clips; the first are kept where there is not room for all.
        room: bytes of disk.
    """

    def __init__(self, store: ClipStore, folder: Path, names: Iterable[str], room: float) -> None:
        self._store = store
        self._folder = folder
        self._shapes = {name: store.shape(name) for name in dict.fromkeys(names)}
        self._kept = names_that_fit(self._shapes, min(room, _spare(folder, self._shapes)))
        self._mapped: dict[str, Crops] = {}
        for path in folder.glob("*"):
            if self._is_stale(path.name.removesuffix(".npy")):
                path.unlink(missing_ok=True)

    def shape(self, name: str) -> tuple[int, ...]:
        """Returns what `ClipStore.shape` does."""
        return self._shapes[name]

    def read_geometry(self, name: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Reads geometry as `ClipStore.read_geometry` does."""
        return self._store.read_geometry(name)

    def read_crops(self, name: str, frames: Sequence[int] | None = None, clips: int | None = None) -> Crops:
        """Reads crops as `ClipStore.read_crops` does; maybe a view for several, so not to be written to."""
        if name not in self._kept:
            return self._store.read_crops(name, frames, clips)
        crops = self._whole(name)[:clips]
        return crops if frames is None else crops[:, list(frames)]

    def __getstate__(self) -> dict[str, object]:
        return self.__dict__ | {"_mapped": {}}  # a process maps for itself; NumPy would send the content

    def _whole(self, name: str) -> Crops:
        """Returns all crops of a clip that is kept, (K, T, S, S, 3)."""
        if name not in self._mapped:
            if len(self._mapped) >= MOST_MAPPED:
                self._mapped.clear()
            path, shape = self._folder / f"{name}.npy", self._shapes[name]
            crops = mapped(path, shape)
            if crops is None:  # what was decoded now is not held on to: it would fill the memory
                decoded = self._store.read_crops(name)
                keep(decoded, path)
                return decoded
            self._mapped[name] = crops
        return self._mapped[name]

    def _is_stale(self, name: str) -> bool:
        """Also of half-written files: their writer does without. Other candidates may use other clips."""
        return name not in self._kept and (name in self._shapes or not (self._store.folder / name).is_file())


def names_that_fit(shapes: Mapping[str, tuple[int, ...]], room: float) -> frozenset[str]:
    """Returns the first clips that fit into so many bytes."""
    ends = np.cumsum([np.prod(shape, dtype=np.int64) for shape in shapes.values()])
    return frozenset(list(shapes)[: int(np.searchsorted(ends, room, side="right"))])


def mapped(path: Path, shape: tuple[int, ...]) -> Crops | None:
    """Returns a file as an array that reads from it; None where it is missing, or not whole."""
    try:
        crops = np.load(path, mmap_mode="c")  # copy on write: torch wants what can be written to
    except (OSError, ValueError, EOFError):  # a disk that filled up leaves a file too short
        return None
    return crops if (crops.shape, crops.dtype) == (shape, np.uint8) else None


def keep(crops: Crops, path: Path) -> None:
    """Writes a file beside its place, then moves it there, where that is possible."""
    try:
        with replacing(path) as partial, partial.open("wb") as file:
            np.save(file, crops)
    except OSError as error:
        log.debug("%s: not kept (%s)", path, error.strerror)


def _spare(folder: Path, shapes: Mapping[str, tuple[int, ...]]) -> float:
    """Returns bytes that clips may take: what they have already, and some of what is free."""
    taken = sum(path.stat().st_size for name in shapes if (path := folder / f"{name}.npy").is_file())
    existing = next(parent for parent in (folder, *folder.parents) if parent.is_dir())
    return taken + FREE_SHARE * shutil.disk_usage(existing).free
