"""The datasets under `data/`: one in the folder itself, and any number side by side in folders of their own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from components.errors import DataError
from components.ingest.layouts import LABELS, LAYOUTS, Layout, Listing, layout_of
from components.ingest.layouts.base import Entry, some
from components.ingest.tree import Tree, walk

MARKER = "unmask.yaml"
"""In a dataset's folder: `layout: NAME`. Written by `unmask data add`; without it the shape decides."""

ROOT_NAME = "data"
"""What the dataset that stands in `data/` itself is called."""

REMEDY = (
    "put videos under data/real and data/fake, add a dataset with `unmask data add DIR`, "
    "or make sample videos with `unmask sample-data data`"
)


@dataclass(frozen=True)
class Dataset:
    """One dataset as its layout read it; `listing` has paths inside `data/`, sorted."""

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
    if not data.is_dir():
        raise DataError(f"{data}: no such folder; {REMEDY}")
    datasets = sorted(_datasets(walk(data)), key=lambda dataset: dataset.name)
    entries = [entry for dataset in datasets for entry in dataset.listing.entries]
    _check_paths(entries, data)
    _check_classes(entries, data)
    return datasets


def read_dataset(tree: Tree, layout: Layout) -> Dataset:
    """List one dataset with a layout.

    Raises:
        DataError: an annotation file cannot be understood.
    """
    listing = layout.read(tree)
    entries = sorted(
        (replace(entry, path=tree.inside(entry.path)) for entry in listing.entries), key=lambda entry: entry.path
    )
    odd = (f"left out, names that no table can hold: {some(list(tree.odd))}",) if tree.odd else ()
    listing = Listing(tuple(entries), (*listing.notes, *odd), listing.annotations)
    return Dataset(tree.name or ROOT_NAME, layout.NAME, tree, listing)


def find_layout(tree: Tree) -> Layout | None:
    """The layout that a folder's marker names, or the first that recognises its shape.

    Raises:
        DataError: the marker names no layout.
    """
    if MARKER in tree.files:
        return _marked(tree)
    return next((layout for layout in LAYOUTS.values() if layout.recognises(tree)), None)


def _datasets(tree: Tree) -> Iterator[Dataset]:
    marked = {folder for folder in tree.folders.values() if f"{folder}/{MARKER}" in tree.files}
    root = tree.without(marked)
    layout = find_layout(root)
    claimed: set[str] = set()
    if layout:
        dataset = read_dataset(root, layout)
        claimed = {entry.path.split("/", 1)[0] for entry in dataset.listing.entries}
        yield dataset
    for folder in tree.folders.values():
        below = tree.subtree(folder)
        if folder not in claimed and (layout := find_layout(below)):
            yield read_dataset(below, layout)


def _marked(tree: Tree) -> Layout:
    file = tree.root / MARKER
    try:
        content = yaml.safe_load(tree.read_text(MARKER))
    except yaml.YAMLError as error:
        raise DataError(f"{file}: not valid YAML; write `layout: NAME`") from error
    name = content.get("layout") if isinstance(content, dict) else None
    layout = layout_of(name) if isinstance(name, str) else None
    if layout is None:
        raise DataError(f"{file}: layout {name!r}; write one of {', '.join(LAYOUTS)}")
    return layout


def _check_paths(entries: Sequence[Entry], data: Path) -> None:
    seen: set[str] = set()
    for entry in entries:
        if entry.path in seen:
            raise DataError(f"{data / entry.path}: listed by two datasets; take it out of {data}/manifest.csv")
        seen.add(entry.path)


def _check_classes(entries: Sequence[Entry], data: Path) -> None:
    if not entries:
        raise DataError(f"{data}: no videos; {REMEDY}")
    missing = set(LABELS) - {entry.label for entry in entries}
    if missing:
        raise DataError(f"{data}: no {missing.pop()} videos; a detector needs both classes: {REMEDY}")
