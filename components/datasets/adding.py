"""Brings a dataset, as it was downloaded, into a folder of its own under `data/`.

Files are linked, not copied: `dvc add`, which comes next, makes DVC's own copies of what the links name (or,
where `cache.type` says so, hard links, which cost no space but write-protect the originals).
"""

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from components.datasets.found import MARKER, Dataset, find_layout, pictures_remedy, read_dataset, supersedes
from components.datasets.layouts import LAYOUTS, Layout, layout_of
from components.datasets.layouts.base import SPLIT_NAMES, some
from components.datasets.naming import normalised
from components.datasets.scan import FileStat
from components.datasets.tree import Tree, walk
from components.errors import DataError
from components.files import replacing, write_text

RESERVED = frozenset({"real", "fake", "celeb-real", "celeb-fake", "data", *SPLIT_NAMES})
"""Folders that mean something where a dataset stands in `data/` itself."""

_PARTIAL = ".unmask-adding-"
"""What a file is called while it is on its way; short, as its own name may be as long as names can be."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")


@dataclass(frozen=True)
class AddingPlan:
    """What is to be brought.

    Attributes:
        dataset: as its layout read it where it stands now; its paths are those inside its folder.
        target: its folder under `data/`.
        missing: paths of files that are not in the target yet, or have changed since.
        present: how many are there already.
        unreadable: paths that the dataset names and that are gone, or cannot be read; they are left out.
        absent: videos that it lists and of which no file can be read.
        gone: paths in the target that the dataset has no more; they stay.
        bytes: of the missing files.
    """

    dataset: Dataset
    target: Path
    missing: tuple[str, ...]
    present: int
    unreadable: tuple[str, ...]
    absent: tuple[str, ...]
    gone: tuple[str, ...]
    bytes: int


def make_plan(source: Path, data: Path, layout: str | None = None, name: str | None = None) -> AddingPlan:
    """Reads a dataset where it stands, and compares it with what is in `data/` already.

    Args:
        source: its folder.
        data: the project's data folder.
        layout: which way it is laid out; by default its shape tells.
        name: of its folder under `data/`; by default the layout's.

    Raises:
        DataError: the folder holds no dataset of that layout, or the name is taken by another one.
    """
    if not source.is_dir():
        what = "is a file" if source.exists() else "no such folder"
        raise DataError(f"{source}: {what}; name the folder that the dataset was unpacked to")
    _check_apart(source.resolve(), data.resolve())
    tree = walk(source)
    chosen = _choose(tree, layout)
    dataset = read_dataset(tree, chosen)
    if not dataset.listing.entries:
        remedy = pictures_remedy([dataset]) or f"its shape is {chosen.TITLE}"
        raise DataError(f"{source}: not one video of layout {chosen.NAME}; {remedy}")
    target = _target(data, name or chosen.NAME)
    _check_target(target, chosen)
    clips = [member for entry in dataset.listing.entries for member in tree.members(entry.path)]
    paths = [*clips, *dataset.listing.annotations]
    files = {path: stat for path in paths if (stat := _readable(tree, path))}
    entries = dataset.listing.entries
    here = tuple(entry for entry in entries if not files.keys().isdisjoint(tree.members(entry.path)))
    if not here:
        remedy = f"write paths as they stand inside of {source}"
        raise DataError(f"{source}: not one of the videos that it lists can be read: {some(paths)}; {remedy}")
    missing = tuple(path for path, stat in files.items() if not _is_current(stat, target / path))
    if len(missing) == len(files):
        _check_unused(target)
    return AddingPlan(
        dataset=replace(dataset, name=target.name, listing=replace(dataset.listing, entries=here)),
        target=target,
        missing=missing,
        present=len(files) - len(missing),
        unreadable=tuple(path for path in paths if path not in files),
        absent=tuple(entry.path for entry in entries if files.keys().isdisjoint(tree.members(entry.path))),
        gone=tuple(path for path in _present(target) if path not in files),
        bytes=sum(files[path].size for path in missing),
    )


def check_complete(plan: AddingPlan, most_missing: float) -> None:
    """A dataset that lacks many of the videos that it lists was read with wrong paths, or half unpacked.

    Args:
        plan: of what is to be brought.
        most_missing: share of the listed videos that may be missing.

    Raises:
        DataError: more of them are.
    """
    absent = len(plan.absent)
    listed = len(plan.dataset.listing.entries) + absent
    if absent > most_missing * listed:
        raise DataError(
            f"{plan.dataset.tree.root}: {absent} of {listed} listed videos cannot be found or read: "
            f"{some([*plan.absent])}; correct their paths, or go on without them (--allow-missing)"
        )


def bring(plan: AddingPlan, copy: bool = False) -> Iterator[str]:
    """Links or copies what is missing, file by file; an interrupted run goes on where it was.

    Yields:
        Each path when it is there.

    Raises:
        DataError: a file cannot be written.
    """
    with _writing(plan.target):
        for left in plan.target.rglob(f"{_PARTIAL}*"):  # by a run that was killed
            left.unlink()
        _mark(plan.target, plan.dataset.layout)
    for path in plan.missing:
        with _writing(plan.target / path):
            _place(plan.dataset.tree.root.resolve() / path, plan.target / path, copy)
        yield path


@contextmanager
def _writing(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        remedy = "make room or mend the permissions, then run the same command again"
        if error.errno == errno.ENAMETOOLONG:
            remedy = "give it a shorter name"
        raise DataError(f"{target}: cannot be written ({error.strerror}); {remedy}") from error


def _mark(target: Path, layout: str) -> None:
    """Names the layout. A marker that is right is left alone: DVC may hold it as a link into its cache."""
    if not (target / MARKER).is_file():
        write_text(f"layout: {layout}\n", target / MARKER)


def _place(source: Path, target: Path, copy: bool) -> None:
    """Puts a file there in one step, so that no half of it is ever taken for a video."""
    with replacing(target, f"{_PARTIAL}{os.getpid()}") as partial:
        if copy:
            shutil.copy2(source, partial)
        else:
            partial.symlink_to(source)


def _choose(tree: Tree, name: str | None) -> Layout:
    if name is None:
        match = find_layout(tree)
        if match is None:
            known = ", ".join(LAYOUTS)
            raise DataError(
                f"{tree.root}: no layout fits this folder; {_deeper(tree)}put its videos into folders "
                f"real/ and fake/, list them in a manifest.csv, or name a layout with --dataset ({known})"
            )
        return match
    layout = layout_of(name)
    if layout is None:
        raise DataError(f"--dataset {name}: no such layout; choose one of {', '.join(LAYOUTS)}")
    return layout


def _deeper(tree: Tree) -> str:
    """Archives often hold one folder more than expected."""
    fitting = [name for name in tree.top_folders if find_layout(tree.subtree(name))]
    return f"inside it {some(fitting)} would fit: add that, or " if fitting else ""


def _check_apart(source: Path, data: Path) -> None:
    if source == data or data in source.parents or source in data.parents:
        raise DataError(f"{source}: is inside {data}, or holds it; name a folder elsewhere")


def _target(data: Path, name: str) -> Path:
    """The dataset's folder: the one that is there already, if its name is equal to the one asked for."""
    there = data.iterdir() if data.is_dir() else ()
    target = next((path for path in sorted(there) if normalised(path.name) == normalised(name)), data / name)
    taken = normalised(name) in RESERVED and not (target / MARKER).is_file()
    if not _NAME.fullmatch(name) or taken:
        words = ", ".join(sorted(RESERVED))
        raise DataError(f"--name {name!r}: use letters, digits and . _ + -, and none of {words}")
    return target


def _check_target(target: Path, layout: Layout) -> None:
    """A folder of that name must be an earlier state of the same dataset."""
    if not target.exists():
        return
    marker = target / MARKER
    if not target.is_dir() or not marker.is_file():
        raise DataError(f"{target}: is there already and was not added as a dataset; choose another --name")
    present = find_layout(Tree(target, target.name, {MARKER: None}))
    if present is not layout and not supersedes(layout, present):
        present_name = present.NAME if present else "another"
        raise DataError(
            f"{target}: holds a dataset of layout {present_name}, not {layout.NAME}; choose another --name"
        )


def _check_unused(target: Path) -> None:
    """Two parts of a dataset, each with lists of its own, must not end up in one folder."""
    if _present(target):
        raise DataError(
            f"{target}: holds other files of this layout, and none of these; choose another --name, "
            "or add the folder that holds all parts"
        )


def _present(target: Path) -> list[str]:
    return [path for path in walk(target).files if path != MARKER] if target.is_dir() else []


def _readable(tree: Tree, path: str) -> FileStat | None:
    return tree.files.get(path) if os.access(tree.root / path, os.R_OK) else None


def _is_current(stat: FileStat, target: Path) -> bool:
    """Tells whether a file is there and no older than its source. DVC's own copy has a time of its own."""
    try:
        there = target.stat()
    except OSError:
        return False
    return there.st_size == stat.size and there.st_mtime_ns >= stat.mtime_ns
