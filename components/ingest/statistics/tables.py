"""The document as CSV tables, a row per bar of DVC's plots."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd

from components.ingest.layouts.base import LABELS, SPLITS
from components.ingest.statistics.results import Format, Statistics

Row = dict[str, str | int | float | None]

COLUMNS = {
    "labels": ("split", "label", "videos", "dataset"),
    "methods": ("method", "label", "videos", "split"),
    "formats": ("bin", "label", "share", "videos"),
}


def write_tables(statistics: Statistics, folder: Path) -> None:
    """Write labels.csv, methods.csv and a histogram per property in formats/, each under a header even when empty."""
    (folder / "formats").mkdir(parents=True, exist_ok=True)
    tables: Mapping[str, tuple[str, Iterator[Row]]] = {
        "labels": ("labels", label_rows(statistics)),
        "methods": ("methods", method_rows(statistics)),
        **{f"formats/{name}": ("formats", format_rows(found)) for name, found in statistics.formats.items()},
    }
    for name, (columns, rows) in tables.items():
        frame = pd.DataFrame(list(rows), columns=pd.Index(COLUMNS[columns]))
        frame.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")


def label_rows(statistics: Statistics) -> Iterator[Row]:
    """Videos of each class by split and dataset."""
    for split in SPLITS:
        for dataset, splits in statistics.cells.items():
            if split in splits:
                for label in LABELS:
                    videos = getattr(splits[split], label)
                    yield {"split": split, "label": label, "videos": videos, "dataset": dataset}


def method_rows(statistics: Statistics) -> Iterator[Row]:
    """Videos of each method by split."""
    for found in statistics.methods:
        for split in SPLITS:
            videos = getattr(found, split)
            yield {"method": found.method, "label": found.label, "videos": videos, "split": split}


def format_rows(found: Format) -> Iterator[Row]:
    """The share of each class in each bin: comparable, however many more fakes there are."""
    totals = {label: sum(getattr(place, label) for place in found.bins) for label in LABELS}
    for place in found.bins:
        for label in LABELS:
            videos = getattr(place, label)
            share = round(videos / totals[label], 6) if totals[label] else None
            yield {"bin": place.bin, "label": label, "share": share, "videos": videos}
