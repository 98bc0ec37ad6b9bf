"""What lies in a folder: one walk for all that look for videos, and an account of what it leaves out."""

import mimetypes
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from components.datasets.picture_clips import find_clips
from components.printable import some
from components.video.formats import VIDEO_SUFFIXES, begins_as_video
from components.video.picture_files import is_picture_name


class FileStat(NamedTuple):
    """What tells a changed file without reading it."""

    size: int  # bytes
    mtime_ns: int


@dataclass(frozen=True)
class Scan:
    """A folder's visible files, and what stands beside them. All paths are inside the folder, with "/".

    Attributes:
        files: sorted; None for what is no file to read, such as a link to one that is gone, or a pipe.
        by_content: of them, those that are videos by their first bytes, where the name does not tell.
        again: folders, and links to some, that are listed under another path already; they are not entered.
        hidden: files and folders whose name begins with a dot; they are not looked at.
        unreadable: folders that cannot be listed, "" for the folder itself, with the system's reason.
        kernel: folders that the system makes up, such as /proc, and links to some or to where the system is
            installed, such as /usr; they are not entered.
    """

    files: Mapping[str, FileStat | None] = field(default_factory=dict)
    by_content: frozenset[str] = frozenset()
    again: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    unreadable: Mapping[str, str] = field(default_factory=dict)
    kernel: tuple[str, ...] = ()

    @cached_property
    def videos(self) -> list[str]:
        """What is to be scored: videos by their name or by their content, and folders of pictures."""
        return sorted([*filter(self._is_video, self.files), *self.clips])

    @cached_property
    def clips(self) -> dict[str, list[str]]:
        """Folders of pictures that are one clip each, "" for the folder itself, and their pictures."""
        return find_clips(self.files, self._is_video)

    def _is_video(self, path: str) -> bool:
        return is_video_name(path) or path in self.by_content

    @cached_property
    def others(self) -> list[str]:
        """The files that are none of it."""
        taken = {*self.videos, *chain(*self.clips.values())}
        return [path for path in self.files if path not in taken]

    def left_out(self) -> Iterator[str]:
        """One part of a sentence for each kind of thing that is passed over, with its number and names."""
        loose = [path for path in self.others if is_picture_name(path)]
        kinds = {
            ("picture by itself", "pictures by themselves"): loose,
            ("file that is no video", "files that are no videos"): sorted({*self.others} - {*loose}),
            ("folder listed under another path", "folders listed under another path"): self.again,
            ("folder that cannot be read", "folders that cannot be read"): list(self.unreadable),
            ("folder of the system's own", "folders of the system's own"): self.kernel,
            ("hidden", "hidden"): self.hidden,
        }
        for (singular, several), paths in kinds.items():
            if paths:
                names = [path or "." for path in paths]
                yield f"{len(names)} {singular if len(names) == 1 else several} ({some(names, limit=3)})"


def scan(root: Path, seen: set[Path] | None = None) -> Scan:
    """Lists a folder.

    Links to folders are followed, but no folder is listed twice, none that holds the root, and nothing of the
    installed system. Only files whose suffix tells nothing are opened, to read their beginning; of what the
    kernel makes up, where reading may block or act, none.

    Args:
        root: the folder.
        seen: real paths of folders that another scan has listed; those of this one are added.
    """
    walk = _Walk(set() if seen is None else seen)
    walk.follow(root)
    files = dict(sorted(walk.files.items()))
    return Scan(
        files=files,
        by_content=frozenset(
            path
            for path, state in files.items()
            if state and state.size and _untold(path) and begins_as_video(root / path)
        ),
        again=tuple(sorted(walk.again)),
        hidden=tuple(sorted(walk.hidden)),
        unreadable=dict(sorted(walk.unreadable.items())),
        kernel=tuple(sorted(walk.kernel)),
    )


def is_video_name(path: str) -> bool:
    """Tells by the suffix whether a file should be a video."""
    return _suffix(path) in VIDEO_SUFFIXES


def _suffix(path: str) -> str:
    """Returns the suffix as `posixpath.splitext` does, in half the time: there may be 100,000 files."""
    dot = path.rfind(".")
    return path[dot:].casefold() if dot > path.rfind("/") + 1 else ""


def _untold(path: str) -> bool:
    """Returns whether a suffix says neither that a file is a video nor that it is none."""
    suffix = _suffix(path)
    return suffix not in VIDEO_SUFFIXES and suffix not in _other_suffixes()


@cache
def _other_suffixes() -> frozenset[str]:
    """Suffixes of what is no video: a folder may hold a hundred thousand, which nobody should open."""
    known = mimetypes.MimeTypes()
    types = {**known.types_map[False], **known.types_map[True]}
    other = {suffix for suffix, kind in types.items() if not _may_be_video(kind)}
    return frozenset(other | known.encodings_map.keys() | _NO_TYPE)


def _may_be_video(kind: str) -> bool:
    return kind.startswith("video/") or kind == "application/octet-stream"


# What Python knows no type of: sound in containers that hold films too, and what stands beside data.
_NO_TYPE = frozenset(
    {".m4a", ".m4b", ".mka", ".oga", ".weba", ".wma", ".log", ".md", ".webp", ".yaml", ".yml"}
    | {".npy", ".npz", ".parquet", ".pkl", ".pt", ".pth"}
)


class _Walk:
    """What a walk has found. Links wait until all folders proper are listed, so that those keep their paths.

    Listed under every path that leads there, a few folders that link to each other would never end.
    """

    def __init__(self, seen: set[Path]) -> None:
        self.files: dict[str, FileStat | None] = {}
        self.again: list[str] = []
        self.hidden: list[str] = []
        self.unreadable: dict[str, str] = {}
        self.kernel: list[str] = []
        self._seen = seen
        self._above: frozenset[Path] = frozenset()

    def follow(self, root: Path) -> None:
        self._above = frozenset(Path(os.path.realpath(root)).parents)
        waiting = {"": root}
        while waiting:
            links: dict[str, Path] = {}
            for path, folder in sorted(waiting.items()):
                links |= self._enter(folder, path)
            waiting = links

    def _enter(self, folder: Path, path: str) -> dict[str, Path]:
        """Lists a folder and all below it; the links to other folders are returned."""
        links: dict[str, Path] = {}
        open_folders = [(folder, path, Path(os.path.realpath(folder)))]
        while open_folders:
            folder, path, real = open_folders.pop()
            linked = bool(path) and folder.is_symlink()
            if _device(folder) in _kernel_devices() or (linked and _is_installed(real)):
                self.kernel.append(path)
                continue
            if real in self._seen or real in self._above:
                self.again.append(path)
                continue
            self._seen.add(real)
            for entry in self._entries(folder, path):
                inside = f"{path}/{entry.name}" if path else entry.name
                if entry.name.startswith("."):
                    self.hidden.append(inside)
                elif not _is_folder(entry):
                    self.files[inside] = _stat(entry)
                elif entry.is_symlink():
                    links[inside] = Path(entry.path)
                else:
                    open_folders.append((Path(entry.path), inside, real / entry.name))
        return links

    def _entries(self, folder: Path, path: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(folder) as entries:
                return list(entries)
        except OSError as error:
            self.unreadable[path] = error.strerror or type(error).__name__
            return []


_KERNEL_FOLDERS = (Path("/proc"), Path("/sys"))

_INSTALLED = tuple(map(Path, ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc", "/boot")))
"""Where a system lies (Filesystem Hierarchy Standard 3.0): a hundred thousand files, pictures among them."""


def _is_installed(real: Path) -> bool:
    return any(real.is_relative_to(folder) for folder in _INSTALLED)


@cache
def _kernel_devices() -> frozenset[int | None]:
    """File systems of the kernel's own. Where none is mounted there, its folder lies on that of "/"."""
    return frozenset(map(_device, _KERNEL_FOLDERS)) - {_device(Path("/")), None}


def _device(folder: Path) -> int | None:
    try:
        return folder.stat().st_dev
    except OSError:
        return None


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _stat(entry: os.DirEntry[str]) -> FileStat | None:
    try:
        state = entry.stat()
    except OSError:
        return None
    # Whoever opens a pipe waits for ever.
    return FileStat(state.st_size, state.st_mtime_ns) if stat.S_ISREG(state.st_mode) else None
