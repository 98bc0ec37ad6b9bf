"""Clips on disk: one lossless file for each video, named by its content and by how it is cut."""

import io
import json
import os
import zipfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.errors import DataError
from components.faces.clip import Faces

SUFFIX = ".npz"


class DamagedClipError(DataError):
    """A clip's file is missing or is not what `ClipStore.write` wrote."""


@dataclass(frozen=True)
class ClipStore:
    """A folder of clips. The same clip always becomes the same bytes, and is never seen half written."""

    folder: Path

    @staticmethod
    def name(sha256: str, cut_digest: str) -> str:
        """The file of a video's clip: the same content is cut once in the same way."""
        return f"{sha256[:16]}-{cut_digest}{SUFFIX}"

    def write(self, name: str, faces: Faces) -> None:
        """Write a video's faces in one step."""
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = self.folder / f".{name}.{os.getpid()}"
        partial.write_bytes(_encode(faces))
        partial.replace(self.folder / name)

    def read(self, name: str) -> Faces:
        """Read a video's faces; their checksums are verified.

        Raises:
            DamagedClipError: the file is missing or damaged.
        """
        members = self._members(name)
        try:
            numbers = json.loads(members.pop("numbers").tobytes())
            return Faces.from_parts(numbers, members)
        except (KeyError, TypeError, ValueError) as error:
            raise self._damaged(name) from error

    def read_crops(self, name: str) -> NDArray[np.uint8]:
        """Read the crops alone: uint8 (K, T, S, S, 3) RGB of K faces, the main one first.

        Raises:
            DamagedClipError: the file is missing or damaged.
        """
        return self._members(name, "crops")["crops"]

    def prune(self, keep: Collection[str]) -> list[str]:
        """Remove every file but those named, half-written ones included; what was removed."""
        stale = sorted(path for path in self.folder.glob("*") if path.is_file() and path.name not in keep)
        for path in stale:
            path.unlink()
        return [path.name for path in stale]

    def _members(self, name: str, *wanted: str) -> dict[str, NDArray[Any]]:
        try:
            with (self.folder / name).open("rb") as file, np.load(file, allow_pickle=False) as archive:
                return {member: archive[member] for member in wanted or archive.files}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise self._damaged(name) from error

    def _damaged(self, name: str) -> DamagedClipError:
        return DamagedClipError(f"{self.folder / name}: missing or damaged; run dvc repro faces")


def _encode(faces: Faces) -> bytes:
    """An uncompressed npz: crops of noise hardly shrink, and training reads them in every epoch."""
    numbers, arrays = faces.parts()
    content = np.frombuffer(json.dumps(numbers, sort_keys=True).encode(), np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays, numbers=content)
    return buffer.getvalue()
