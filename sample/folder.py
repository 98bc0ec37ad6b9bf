"""The folder of a sample: claimed for one generator at a time, never shared with other files."""

import fcntl
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from components.errors import BusyError, DataError
from components.files import write_text
from sample.settings import SampleSettings

GENERATOR_VERSION = 1
"""Raised by hand whenever code in this room changes what a seed yields."""
SAMPLE_MARKER = ".sample.json"
MANIFEST = "manifest.csv"
_FILES = r"(p\d{3,}_[ab]\.(mp4|mask\.npz)|manifest\.csv|\.sample\.json)"
_FILE = re.compile(_FILES)
_PARTIAL = re.compile(rf"\.{_FILES}\.\d+")


@contextmanager
def claimed(folder: Path, settings: SampleSettings) -> Iterator[None]:
    """Holds the folder for a sample of these settings: empty, or begun with the same ones.

    A sample of other settings is removed; what a killed generator left half-written is, too.

    Raises:
        DataError: the folder holds files that are not of a sample.
        BusyError: another process is generating here.
    """
    if folder.exists() and not folder.is_dir():
        raise DataError(f"{folder}: is a file, not a folder; name another one")
    folder.mkdir(parents=True, exist_ok=True)
    with _lock(folder):
        _prepare(folder, _fingerprint(settings))
        yield


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """Locks the folder itself: a lock file would become part of the data."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise BusyError(
            f"{folder}: another process is making sample data here; wait for it, or end it"
        ) from error
    finally:
        os.close(handle)


def _prepare(folder: Path, fingerprint: str) -> None:
    present = _own_files(folder)
    marker = folder / SAMPLE_MARKER
    same = marker.is_file() and marker.read_text(encoding="utf-8") == fingerprint
    for path in present:
        if not same or _PARTIAL.fullmatch(path.name):
            path.unlink()
    for part in ("real", "fake"):
        (folder / part).mkdir(exist_ok=True)
    if not same:
        write_text(fingerprint, marker)


def _own_files(folder: Path) -> list[Path]:
    """Returns all files in the folder, the marker last, so that a killed clean-up can be taken up again.

    Raises:
        DataError: one of them is no part of a sample.
    """
    present = sorted(path for path in folder.rglob("*") if not path.is_dir())
    marked = folder / SAMPLE_MARKER in present
    for path in present:
        name = path.name
        if not (marked and _FILE.fullmatch(name)) and not _PARTIAL.fullmatch(name):
            strange = path.relative_to(folder)
            raise DataError(f"{folder}: holds {strange}, which is no part of a sample; name a new folder")
    return sorted(present, key=lambda path: path.name == SAMPLE_MARKER)


def _fingerprint(settings: SampleSettings) -> str:
    content = {"generator": GENERATOR_VERSION, "settings": settings.model_dump(exclude={"workers"})}
    return json.dumps(content, indent=2) + "\n"
