"""The files of a dataset folder, walked once: what layouts read names from, and ingest sizes and times."""

import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from components.datasets.naming import normalised
from components.datasets.picture_clips import find_clips
from components.datasets.scan import FileStat, is_video_name, scan
from components.datasets.text import read_text
from components.errors import DataError
from components.video.picture_files import is_picture_name


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
        hidden: files and folders whose name begins with a dot; they are not looked at.
        by_content: of `files`, videos by their first bytes, where the name does not tell.
        kernel: folders that the system makes up, such as /proc, and links to some; they are not entered.
    """

    root: Path
    name: str = ""
    files: Mapping[str, FileStat | None] = field(default_factory=dict)
    odd: tuple[str, ...] = ()
    again: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    by_content: frozenset[str] = frozenset()
    kernel: tuple[str, ...] = ()

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
        paths_by_key: dict[str, list[str]] = {}
        for path, key in self._keys.items():
            paths_by_key.setdefault(key, []).append(path)
        return paths_by_key

    @cached_property
    def _by_top(self) -> dict[str, dict[str, FileStat | None]]:
        # In one go: there may be as many folders as videos.
        files_by_top: dict[str, dict[str, FileStat | None]] = {}
        for path, size in self.files.items():
            top, slash, inside = path.partition("/")
            if slash:
                files_by_top.setdefault(top, {})[inside] = size
        return files_by_top

    @cached_property
    def _beside(self) -> Mapping[tuple[str, str], list[str]]:
        """What is not listed: paths in each top-level folder, by kind and the folder's name."""
        others_by_top: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        kinds = {"odd": self.odd, "again": self.again, "hidden": self.hidden, "kernel": self.kernel}
        for kind, paths in kinds.items():
            for path in paths:
                top, slash, inside = path.partition("/")
                if slash:
                    others_by_top[kind, top].append(inside)
        return others_by_top

    def find(self, path: str) -> str | None:
        """Returns a file's path as it stands, however it is written: see `normalised`.

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
        """Returns paths under a folder that are videos, by their name or their content."""
        return [path for path in self.under(folder) if path in self._videos]

    def others(self, folder: str = "") -> list[str]:
        """Returns paths under a folder that are no videos."""
        return [path for path in self.under(folder) if path not in self._videos]

    @cached_property
    def _videos(self) -> frozenset[str]:
        return frozenset(filter(is_video_name, self.files)) | (self.by_content & self.files.keys())

    def clips(self, folder: str = "") -> list[str]:
        """Returns paths below a folder that are videos, or folders of pictures."""
        return [*self.videos(folder), *self.picture_clips(folder)]

    def picture_clips(self, folder: str = "") -> list[str]:
        """Returns paths below a folder, but not itself, that are folders of pictures."""
        prefix = f"{normalised(folder)}/" if folder else ""
        return [path for path in self.pictures if path and normalised(path).startswith(prefix)]

    @cached_property
    def pictures(self) -> dict[str, list[str]]:
        """Folders of pictures that may be one clip each, "" for the folder itself, and their pictures."""
        return find_clips(self.files, self.is_video)

    def find_clip(self, path: str) -> str | None:
        """Returns the path of a folder of pictures as it stands, however it is written: see `normalised`."""
        return path if path in self.pictures else self._pictures_by_key.get(normalised(path))

    @cached_property
    def _pictures_by_key(self) -> dict[str, str]:
        return {normalised(path): path for path in reversed(list(self.pictures))}

    def members(self, path: str) -> list[str]:
        """Returns the files that an entry stands for: itself, or the pictures of a folder."""
        return self.pictures.get(path, [path])

    def loose_pictures(self, entries: Iterable[str]) -> list[str]:
        """Returns pictures that no entry stands for."""
        taken = {member for path in entries for member in self.members(path)}
        return [path for path in self.files if is_picture_name(path) and path not in taken]

    def is_video(self, path: str) -> bool:
        """Tells whether a file is a video, by its name or its content."""
        return path in self._videos

    def subtree(self, folder: str) -> "Tree":
        """Returns a top-level folder as a tree of its own; its name is that of the folder."""
        files = self._by_top.get(folder, {})
        return Tree(
            root=self.root / folder,
            name=folder,
            files=files,
            odd=tuple(self._beside["odd", _escaped(folder)]),
            again=tuple(self._beside["again", folder]),
            hidden=tuple(self._beside["hidden", folder]),
            by_content=frozenset(path for path in files if f"{folder}/{path}" in self.by_content),
            kernel=tuple(self._beside["kernel", folder]),
        )

    def without(self, folders: Collection[str]) -> "Tree":
        """Returns the same tree without some of its top-level folders."""
        return replace(
            self,
            files={path: stat for path, stat in self.files.items() if path.split("/", 1)[0] not in folders},
            odd=_outside(self.odd, {_escaped(folder) for folder in folders}),
            again=_outside(self.again, folders),
            hidden=_outside(self.hidden, folders),
            kernel=_outside(self.kernel, folders),
        )

    def inside(self, path: str) -> str:
        """Returns a path of this dataset as a path inside `data/`."""
        return f"{self.name}/{path}" if self.name else path

    def holds(self, path: str) -> bool:
        """Tells whether there is something of this path, which the walk may have passed over as hidden."""
        try:
            return path in self.files or (self.root / path).exists()
        except OSError:
            return False

    def read_text(self, path: str) -> str:
        """Returns the text of an annotation file.

        Raises:
            DataError: see `components.datasets.text.read_text`.
        """
        return read_text(self.root / path).content


def walk(root: Path) -> Tree:
    """Lists a folder's visible files; links to folders are followed, but no folder is listed twice.

    Raises:
        DataError: a folder cannot be read.
    """
    scanned = scan(root)
    for path, reason in scanned.unreadable.items():
        raise DataError(f"{root / path}: cannot be read ({reason}); mend its permissions")
    files = {path: stat for path, stat in scanned.files.items() if not is_odd(path)}
    odd = sorted(_escaped(path) for path in scanned.files if is_odd(path))
    return Tree(
        root, "", files, tuple(odd), scanned.again, scanned.hidden, scanned.by_content, scanned.kernel
    )


def is_odd(path: str) -> bool:
    """Tells a path that breaks messages, by control characters, or tables, as it is not UTF-8."""
    return not path.isprintable() and any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in path)


def _outside(paths: Iterable[str], folders: Collection[str]) -> tuple[str, ...]:
    return tuple(path for path in paths if path.split("/", 1)[0] not in folders)


def _escaped(path: str) -> str:
    return ascii(path)[1:-1]
