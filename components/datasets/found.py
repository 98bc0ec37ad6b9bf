"""The datasets under `data/`: one in the folder itself, and any number in folders of their own beside it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import yaml

from components.datasets.layouts import (
    LABELS,
    LAYOUTS,
    Layout,
    Listing,
    classroom,
    folders,
    layout_of,
    manifest,
)
from components.datasets.layouts.base import SPLIT_NAMES, Entry, some
from components.datasets.tree import Tree, walk
from components.errors import DataError
from components.video.picture_files import is_picture_name

MARKER = "unmask.yaml"
"""In a dataset's folder: `layout: NAME`. Written by `unmask data add`; without it the shape decides."""

ROOT_NAME = "data"
"""What the dataset that stands in `data/` itself is called."""

NO_LAYOUT = "none"

ADD_REMEDY = (
    "put videos under data/real and data/fake, add a dataset with `unmask data add DIR`, "
    "or make sample videos with `unmask sample-data data`"
)


PICTURES_REMEDY = (
    "put those of each video into a folder of its own (real/NAME/0001.png), "
    "or list them, with who is in them, in a manifest.csv"
)
"""What to do with pictures of which nobody says what they belong to."""


@dataclass(frozen=True)
class Dataset:
    """One dataset as its layout read it.

    Attributes:
        name: of its folder inside `data/`; `ROOT_NAME` for what stands in `data/` itself.
        layout: its name; `NO_LAYOUT` where none fits `data/`: its videos are left out, and a note says so.
        tree: its files.
        listing: entries with paths inside `data/`, sorted; annotations with paths inside its own folder.
    """

    name: str
    layout: str
    tree: Tree
    listing: Listing


def read_datasets(data: Path) -> list[Dataset]:
    """Recognise and list every dataset of a data folder, by name.

    Raises:
        DataError: there is no such folder, it holds no videos or those of one class only, or an annotation
            file cannot be understood.
    """
    datasets = list_datasets(data)
    entries = [entry for dataset in datasets for entry in dataset.listing.entries]
    _check_names(datasets, data)
    _check_paths(entries, data)
    _check_classes(entries, data, datasets)
    return datasets


def list_datasets(data: Path) -> list[Dataset]:
    """Returns the same without asking whether they make up something to train on.

    Raises:
        DataError: there is no such folder, or an annotation file cannot be understood.
    """
    if not data.is_dir():
        raise DataError(f"{data}: no such folder; {ADD_REMEDY}")
    return sorted(_datasets(walk(data)), key=lambda dataset: dataset.name)


def read_dataset(tree: Tree, layout: Layout) -> Dataset:
    """Lists one dataset with a layout.

    Raises:
        DataError: an annotation file cannot be understood.
    """
    return _dataset(tree, layout.NAME, layout.read(tree))


def find_layout(tree: Tree) -> Layout | None:
    """Returns the layout that a folder's marker names, or the first that recognises its shape.

    Raises:
        DataError: the marker names no layout.
    """
    if MARKER in tree.files:
        marked = _marked(tree)
        return manifest if supersedes(manifest, marked) and manifest.recognises(tree) else marked
    return next((layout for layout in LAYOUTS.values() if layout.recognises(tree)), None)


def supersedes(layout: Layout, marked: Layout | None) -> bool:
    """Tells whether a layout may be read where another is marked: a manifest says more than class folders."""
    return layout is manifest and marked in (folders, classroom)


def _datasets(tree: Tree) -> Iterator[Dataset]:
    marked = {folder for folder in tree.top_folders if f"{folder}/{MARKER}" in tree.files}
    root = tree.without(marked)
    layout = find_layout(root)
    if layout is folders:  # a folder called like a split may be a dataset with a manifest of its own
        listed = {name for name in map(root.folders.get, SPLIT_NAMES) if name and _has_manifest(tree, name)}
        root, marked = root.without(listed), marked | listed
    listing = layout.read(root) if layout else Listing(())
    listed_tops = _tops(listing)
    below = (
        tree.subtree(folder) for folder in tree.top_folders if folder not in listed_tops or folder in marked
    )
    apart = {folder.name: (folder, layout_below) for folder in below if (layout_below := find_layout(folder))}
    rest = root.without(apart)
    if layout:
        yield _dataset(rest, layout.NAME, listing)
    elif rest.files or rest.odd or rest.again or rest.hidden or rest.kernel:
        yield _dataset(rest, NO_LAYOUT, listing)
    yield from (read_dataset(folder, layout_below) for folder, layout_below in apart.values())


def _has_manifest(tree: Tree, folder: str) -> bool:
    return manifest.recognises(tree.subtree(folder))


def _dataset(tree: Tree, layout: str, listing: Listing) -> Dataset:
    entries = listing.entries
    if tree.name:
        entries = tuple(replace(entry, path=tree.inside(entry.path)) for entry in entries)
    entries = tuple(sorted(entries, key=lambda entry: entry.path))
    notes = (*listing.notes, *_notes(tree, layout, listing))
    return Dataset(tree.name or ROOT_NAME, layout, tree, Listing(entries, notes, listing.annotations))


def _notes(tree: Tree, layout: str, listing: Listing) -> Iterator[str]:
    """Yields what no layout looks at."""
    listed_tops, known = _tops(listing), {entry.path for entry in listing.entries}
    # Videos in folders of which the layout lists some are its own to report.
    left = [path for path in tree.clips() if path not in known and path.split("/", 1)[0] not in listed_tops]
    if left and layout == NO_LAYOUT:
        yield f"left out, as no layout fits: {len(left)} videos: {some(left)}; name one in FOLDER/{MARKER}"
    elif left:
        yield f"left out, in no folder that the layout {layout} lists: {len(left)} videos: {some(left)}"
    if loose := tree.loose_pictures({*known, *left}):
        names = some(loose)
        yield f"left out, {len(loose)} pictures, no clip in the layout {layout}: {names}; {PICTURES_REMEDY}"
    explained = {*known, *listing.annotations, *listing.noted, MARKER}
    others = [path for path in tree.others() if path not in explained and not is_picture_name(path)]
    if others:
        yield f"left out, neither by name nor by content a video: {len(others)} files: {some(others)}"
    if tree.hidden:
        yield f"left out, hidden: {len(tree.hidden)}: {some(list(tree.hidden))}"
    if tree.odd:
        yield f"left out, names that no table can hold: {some(list(tree.odd))}"
    if tree.again:
        yield f"left out, links to folders that are listed under another path: {some(list(tree.again))}"
    if tree.kernel:
        yield f"not entered, folders of the system's own: {some(list(tree.kernel))}"


def _top(path: str) -> str:
    return path.split("/", 1)[0] if "/" in path else ""


def _tops(listing: Listing) -> set[str]:
    """Top-level folders that hold what is listed; not the folder itself, where other files may lie."""
    return {_top(path) for path in (*(entry.path for entry in listing.entries), *listing.annotations)} - {""}


def _marked(tree: Tree) -> Layout:
    file = tree.root / MARKER
    try:
        content = yaml.safe_load(tree.read_text(MARKER))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise DataError(f"{file}: not valid YAML; write `layout: NAME`") from error
    name = content.get("layout") if isinstance(content, dict) else None
    layout = layout_of(name) if isinstance(name, str) else None
    if layout is None:
        raise DataError(f"{file}: layout {name!r}; write one of {', '.join(LAYOUTS)}")
    return layout


def _check_names(datasets: Sequence[Dataset], data: Path) -> None:
    for dataset, following in pairwise(datasets):
        if dataset.name == following.name:
            raise DataError(
                f"{data / dataset.name}: {ROOT_NAME!r} names {data} itself; rename the folder inside"
            )


def _check_paths(entries: Sequence[Entry], data: Path) -> None:
    seen: set[str] = set()
    for entry in entries:
        if entry.path in seen:
            raise DataError(
                f"{data / entry.path}: listed by two datasets; take it out of {data}/manifest.csv"
            )
        seen.add(entry.path)


def pictures_remedy(datasets: Iterable[Dataset]) -> str:
    """Returns what to do about pictures that are no clip; empty where there are none."""
    loose = [
        dataset.tree.inside(path)
        for dataset in datasets
        for path in dataset.tree.loose_pictures(_paths_within(dataset))
    ]
    return f"{len(loose)} pictures are no clip ({some(loose, limit=2)}): {PICTURES_REMEDY}" if loose else ""


def _paths_within(dataset: Dataset) -> Iterator[str]:
    """Returns the paths of the entries, inside the dataset's own folder."""
    return (entry.path[len(dataset.tree.inside("")) :] for entry in dataset.listing.entries)


def _check_classes(entries: Sequence[Entry], data: Path, datasets: Sequence[Dataset]) -> None:
    present = {entry.label for entry in entries}
    missing = [label for label in LABELS if label not in present]
    if missing:
        what = f"no {missing[0]} videos; a detector needs both classes:" if entries else "no videos;"
        raise DataError(f"{data}: {what} {pictures_remedy(datasets) or ADD_REMEDY}")
