"""The files of a dataset folder, walked once: what layouts read names from, and ingest sizes and times."""

import os
import stat
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from posixpath import splitext
from typing import NamedTuple

from components.errors import DataError
from components.ingest.naming import normalised
from components.ingest.text import read_text

# What files of the containers that components.faces.video accepts are called.
VIDEO_SUFFIXES = frozenset(
    {".3gp", ".asf", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov"}
    | {".mp4", ".mpeg", ".mpg", ".mts", ".ogv", ".ts", ".webm", ".wmv"}
)


class FileStat(NamedTuple):
    """What tells a changed file without reading it."""

    size: int  # bytes
    mtime_ns: int


@dataclass(frozen=True)
class Tree:
    """A folder's visible files.

    Attributes:
        root: the folder.
        name: of the folder inside `data/`; empty for `data/` itself.
        files: paths inside the folder, with forward slashes and sorted; None for what is no file to read,
            such as a link to one that is gone, or a pipe.
        odd: paths that fit in no table and no message, escaped; they are left out of `files`.
        again: links to folders that are listed under another path already; they are not followed.
    """

    root: Path
    name: str = ""
    files: Mapping[str, FileStat | None] = field(default_factory=dict)
    odd: tuple[str, ...] = ()
    again: tuple[str, ...] = ()

    @cached_property
    def top_folders(self) -> list[str]:
        """Names of the top-level folders that hold files, as they stand."""
        return sorted(self._by_top)

    @cached_property
    def folders(self) -> dict[str, str]:
        """Top-level folders that hold files: their normalised names, and as they stand."""
        return {normalised(name): name for name in reversed(self.top_folders)}

    @cached_property
    def _keys(self) -> dict[str, str]:
        return {path: normalised(path) for path in self.files}

    @cached_property
    def _by_key(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for path, key in self._keys.items():
            found.setdefault(key, []).append(path)
        return found

    @cached_property
    def _by_top(self) -> dict[str, dict[str, FileStat | None]]:
        # In one go: there may be as many folders as videos.
        found: dict[str, dict[str, FileStat | None]] = {}
        for path, size in self.files.items():
            top, slash, inside = path.partition("/")
            if slash:
                found.setdefault(top, {})[inside] = size
        return found

    def find(self, path: str) -> str | None:
        """A file's path as it stands, however it is written: see `normalised`.

        Of several files whose names differ in nothing else, the one of the same letters and case is meant.
        """
        if path in self.files:
            return path
        composed = unicodedata.normalize("NFC", path)
        alike = self._by_key.get(normalised(path), [])
        return min(alike, key=lambda found: unicodedata.normalize("NFC", found) != composed, default=None)

    def under(self, folder: str) -> Iterator[str]:
        """Paths in a folder and its subfolders, however its name is written; all files for the empty name."""
        prefix = f"{normalised(folder)}/" if folder else ""
        return (path for path, key in self._keys.items() if key.startswith(prefix))

    def videos(self, folder: str = "") -> list[str]:
        """Paths under a folder that are videos by their suffix."""
        return [path for path in self.under(folder) if path in self._videos]

    def others(self, folder: str = "") -> list[str]:
        """Paths under a folder that are not videos by their suffix."""
        return [path for path in self.under(folder) if path not in self._videos]

    @cached_property
    def _videos(self) -> frozenset[str]:
        return frozenset(filter(is_video_name, self.files))

    def subtree(self, folder: str) -> "Tree":
        """A top-level folder as a tree of its own; its name is that of the folder."""
        above = f"{_escaped(folder)}/"
        odd = tuple(path.removeprefix(above) for path in self.odd if path.startswith(above))
        again = tuple(path.partition("/")[2] for path in self.again if path.startswith(f"{folder}/"))
        return Tree(self.root / folder, folder, self._by_top.get(folder, {}), odd, again)

    def without(self, folders: Collection[str]) -> "Tree":
        """The same tree without some of its top-level folders."""
        files = {path: stat for path, stat in self.files.items() if path.split("/", 1)[0] not in folders}
        escaped = {_escaped(folder) for folder in folders}
        odd = tuple(path for path in self.odd if path.split("/", 1)[0] not in escaped)
        again = tuple(path for path in self.again if path.split("/", 1)[0] not in folders)
        return Tree(self.root, self.name, files, odd, again)

    def inside(self, path: str) -> str:
        """A path of this dataset as a path inside `data/`."""
        return f"{self.name}/{path}" if self.name else path

    def holds(self, path: str) -> bool:
        """Tell whether there is something of this path, which the walk may have passed over as hidden."""
        try:
            return path in self.files or (self.root / path).exists()
        except OSError:
            return False

    def read_text(self, path: str) -> str:
        """The text of an annotation file.

        Raises:
            DataError: see `components.ingest.text.read_text`.
        """
        return read_text(self.root / path).content


def walk(root: Path) -> Tree:
    """List a folder's visible files; links to folders are followed, but no folder is listed twice.

    Raises:
        DataError: a folder cannot be read.
    """
    walked = _Walk()
    walked.follow(root)
    found = {path: size for path, size in sorted(walked.files.items()) if not is_odd(path)}
    odd = sorted(_escaped(path) for path in walked.files if is_odd(path))
    return Tree(root, "", found, tuple(odd), tuple(sorted(walked.again)))


def is_video_name(path: str) -> bool:
    """Tell by the suffix whether a file should be a video."""
    return splitext(path)[1].casefold() in VIDEO_SUFFIXES


def is_odd(path: str) -> bool:
    """Tell a path that breaks messages, by control characters, or tables, as it is not UTF-8."""
    return not path.isprintable() and any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in path)


def _escaped(path: str) -> str:
    return ascii(path)[1:-1]


class _Walk:
    """What a walk has found. Links wait until all folders proper are listed, so that those keep their paths.

    Listed under every path that leads there, a few folders that link to each other would never end.
    """

    def __init__(self) -> None:
        self.files: dict[str, FileStat | None] = {}
        self.again: list[str] = []
        self._seen: set[Path] = set()

    def follow(self, root: Path) -> None:
        waiting = {"": root}
        while waiting:
            found: dict[str, Path] = {}
            for path, folder in sorted(waiting.items()):
                found |= self._enter(folder, path)
            waiting = found

    def _enter(self, folder: Path, path: str) -> dict[str, Path]:
        """List a folder and all below it; the links to other folders are returned."""
        links: dict[str, Path] = {}
        open_folders = [(folder, path, Path(os.path.realpath(folder)))]
        while open_folders:
            folder, path, real = open_folders.pop()
            if real in self._seen:
                self.again.append(path)
                continue
            self._seen.add(real)
            for entry in _visible(folder):
                inside = f"{path}/{entry.name}" if path else entry.name
                if not _is_folder(entry):
                    self.files[inside] = _stat(entry)
                elif entry.is_symlink():
                    links[inside] = Path(entry.path)
                else:
                    open_folders.append((Path(entry.path), inside, real / entry.name))
        return links


def _visible(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        raise DataError(f"{folder}: cannot be read ({error.strerror}); mend its permissions") from error


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _stat(entry: os.DirEntry[str]) -> FileStat | None:
    try:
        found = entry.stat()
    except OSError:
        return None
    # Whoever opens a pipe waits for ever.
    return FileStat(found.st_size, found.st_mtime_ns) if stat.S_ISREG(found.st_mode) else None
