"""Clips on disk: one lossless file for each video, named by its content and by how it is cut.

A file is in the safetensors format (https://github.com/huggingface/safetensors): named arrays behind an
index, read through a memory map. Crops are compressed one by one (`components.faces.compression`, which also
tells what else was tried), so that reading a few frames of one face costs the head of the file and these few.
"""

import json
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from components.errors import DataError, StageError
from components.faces.clip import Faces
from components.faces.compression import compress, decompress
from components.files import replacing
from components.sandbox.protocol import Arrays

SUFFIX = ".safetensors"

CROPS, HEAD_SUM = "crops", "head_sum"
"""Members of a file: the compressed crops one after another, and the checksum of all others, the head."""


class DamagedClipError(DataError):
    """A clip's file is missing or is not what `ClipStore.write` wrote."""


@dataclass(frozen=True)
class ClipStore:
    """A folder of clips. The same clip always becomes the same bytes, and is never seen half written."""

    folder: Path

    @staticmethod
    def name(sha256: str, cut_digest: str) -> str:
        """Returns the file of a video's clip: the same content is cut once in the same way."""
        return f"{sha256[:16]}-{cut_digest}{SUFFIX}"

    def write(self, name: str, faces: Faces) -> None:
        """Writes a video's faces in one step.

        Raises:
            StageError: the disk is full, or the folder cannot be written to.
        """
        try:
            with replacing(self.folder / name) as partial:
                partial.write_bytes(_encode(faces))
        except OSError as error:
            why = f"cannot be written ({error.strerror}); free disk space, or make the folder writable"
            raise StageError(f"{self.folder / name}: {why}") from error

    def read(self, name: str) -> Faces:
        """Reads a video's faces.

        Raises:
            DamagedClipError: the file is missing or damaged.
        """
        with self._opened(name) as opened:
            return Faces.from_parts(opened.numbers, opened.arrays | {CROPS: opened.crops()})

    def shape(self, name: str) -> tuple[int, ...]:
        """Returns (K, T, S, S, 3) of a file's crops, which are not read.

        Raises:
            DamagedClipError: the file is missing, or its head is damaged.
        """
        with self._opened(name) as opened:
            return opened.shape

    def read_crops(
        self, name: str, frames: Sequence[int] | None = None, clips: int | None = None
    ) -> NDArray[np.uint8]:
        """Reads crops alone: uint8 (K, T, S, S, 3) RGB of K faces, the main one first.

        Args:
            name: of the file.
            frames: which of a clip's frames to read, in that order; all by default.
            clips: how many of the faces to read; all by default.

        Raises:
            DamagedClipError: the file is missing, or something of what is asked for is damaged.
            IndexError: a clip has no such frame.
        """
        with self._opened(name) as opened:
            return opened.crops(frames, clips)

    def read_geometry(self, name: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Returns where a video's faces are, from the head of the file: no crop is read.

        Returns:
            Boxes (K, T, 4) and landmarks (K, T, 5, 2) of K faces, the main one first, in px of the upright
            video; `components.faces.in_crop` tells where that is in the crops.

        Raises:
            DamagedClipError: the file is missing, or its head is damaged.
        """
        with self._opened(name) as opened:
            return opened.arrays["boxes"], opened.arrays["landmarks"]

    def verify(self, name: str) -> Mapping[str, Any]:
        """Holds a whole file against its checksums, which is cheaper than to read it.

        Returns:
            The numbers of `Faces.parts`.

        Raises:
            DamagedClipError: the file is missing or damaged.
        """
        with self._opened(name) as opened:
            opened.compressed(range(opened.crop_count))
            return opened.numbers

    def prune(self, keep: Collection[str]) -> list[str]:
        """Removes every file but those named, half-written ones included; what was removed."""
        stale = sorted(path for path in self.folder.glob("*") if path.is_file() and path.name not in keep)
        for path in stale:
            path.unlink()
        return [path.name for path in stale]

    @contextmanager
    def _opened(self, name: str) -> Iterator["_OpenedClip"]:
        path = self.folder / name
        try:
            with safe_open(path, framework="np") as file:
                yield _OpenedClip(file)
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
            raise DamagedClipError(f"{path}: missing or damaged; run dvc repro faces") from error


class _OpenedClip:
    """A file whose head has been verified; crops are verified when they are read.

    Raises:
        SafetensorError, KeyError, TypeError, ValueError: it is not what `_encode` made.
    """

    def __init__(self, file: Any) -> None:
        self._crops = file.get_slice(CROPS)
        head = {member: file.get_tensor(member) for member in file.keys() if member != CROPS}  # noqa: SIM118
        if head.pop(HEAD_SUM).tolist() != [_checksum(head)]:
            raise ValueError("checksum")
        self._ends, self._sums = head.pop("ends").tolist(), head.pop("sums").tolist()
        content = json.loads(head.pop("numbers").tobytes())
        self.shape: tuple[int, ...] = tuple(content["shape"])  # of all crops
        self.numbers: dict[str, Any] = content["numbers"]
        self.arrays: Arrays = head

    @property
    def crop_count(self) -> int:
        return len(self._ends)

    def crops(self, frames: Sequence[int] | None = None, clips: int | None = None) -> NDArray[np.uint8]:
        """Reads crops as `ClipStore.read_crops` does."""
        faces, length, *crop_shape = self.shape
        rows = np.arange(faces * length).reshape(faces, length)[:clips]
        wanted = rows if frames is None else rows[:, np.asarray(frames, np.intp)]
        crops = decompress(self.compressed(wanted.ravel().tolist()), crop_shape[0])
        return crops.reshape(*wanted.shape, *crop_shape)

    def compressed(self, wanted: Sequence[int]) -> list[bytes]:
        """Crops by their place in the file."""
        contents = []
        for index in wanted:
            content = self._crops[self._ends[index - 1] if index else 0 : self._ends[index]].tobytes()
            if zlib.crc32(content) != self._sums[index]:
                raise ValueError("checksum")
            contents.append(content)
        return contents


def _encode(faces: Faces) -> bytes:
    numbers, arrays = faces.parts()
    crops = arrays.pop(CROPS)
    compressed = [compress(crop) for crop in crops.reshape(-1, *crops.shape[2:])]
    content = json.dumps({"shape": crops.shape, "numbers": numbers}, sort_keys=True).encode()
    head = arrays | {
        "numbers": np.frombuffer(content, np.uint8),
        "ends": np.cumsum([len(crop) for crop in compressed], dtype=np.int64),
        "sums": np.array([zlib.crc32(crop) for crop in compressed], np.uint32),
    }
    joined = np.frombuffer(b"".join(compressed), np.uint8)
    return save(head | {HEAD_SUM: np.array([_checksum(head)], np.uint32), CROPS: joined})


def _checksum(head: Arrays) -> int:
    """Returns the CRC-32 of all that the arrays are: names, types, shapes, contents."""
    total = 0
    for name, array in sorted(head.items()):
        described = f"{name} {array.dtype.str} {array.shape}".encode()
        total = zlib.crc32(array.tobytes(), zlib.crc32(described, total))
    return total
