"""Uploaded videos on disk, for as long as they are scored."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePath
from typing import Protocol

from components.video.formats import VIDEO_SUFFIXES
from components.video.picture_files import PICTURE_SUFFIXES


class Upload(Protocol):
    """What is used of Streamlit's uploaded files."""

    @property
    def name(self) -> str:
        """The name that the browser gave."""

    def getbuffer(self) -> memoryview:
        """Returns the content."""


@contextmanager
def on_disk(uploads: Sequence[Upload]) -> Iterator[list[Path]]:
    """Writes uploads to temporary files, in the order given; they are deleted however the block ends."""
    with ExitStack() as files:
        paths = []
        for upload in uploads:
            file = files.enter_context(
                tempfile.NamedTemporaryFile(prefix="unmask-", suffix=_suffix(upload.name))
            )
            file.write(upload.getbuffer())
            file.flush()
            paths.append(Path(file.name))
        yield paths


def _suffix(name: str) -> str:
    """Returns the suffix of a video or picture; nothing else of a client's name reaches the file system."""
    suffix = PurePath(name).suffix.lower()
    return suffix if suffix in VIDEO_SUFFIXES | PICTURE_SUFFIXES else ""
