"""The document as CSV tables, a row per bar of DVC's plots."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pandas as pd

from components.datasets.layouts.base import LABELS, SPLITS
from components.ingest.statistics.bins import UNITS
from components.ingest.statistics.results import FormatStatistics, Statistics

Row = dict[str, str | int | float | None]

LABELS_COLUMNS = ("split", "label", "videos", "dataset")
METHODS_COLUMNS = ("method", "label", "videos", "split")
FORMAT_COLUMNS = ("bin", "label", "share", "videos")


def write_tables(statistics: Statistics, folder: Path) -> None:
    """Writes labels.csv, methods.csv, and a histogram per property into formats/; the header always."""
    _write(label_rows(statistics), LABELS_COLUMNS, folder / "labels.csv")
    _write(method_rows(statistics), METHODS_COLUMNS, folder / "methods.csv")
    for name, details in statistics.formats.items():
        _write(format_rows(details, UNITS[name]), FORMAT_COLUMNS, folder / "formats" / f"{name}.csv")


def _write(rows: Iterable[Row], columns: Sequence[str], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    frame = pd.DataFrame(list(rows), columns=pd.Index(columns))
    frame.to_csv(path, index=False, lineterminator="\n")


def label_rows(statistics: Statistics) -> Iterator[Row]:
    """Yields videos of each class by split and dataset."""
    for split in SPLITS:
        for dataset, splits in statistics.cells.items():
            if split in splits:
                for label in LABELS:
                    videos = getattr(splits[split], label)
                    yield {"split": split, "label": label, "videos": videos, "dataset": dataset}


def method_rows(statistics: Statistics) -> Iterator[Row]:
    """Yields videos of each method by split."""
    for method in statistics.methods:
        for split in SPLITS:
            videos = getattr(method, split)
            yield {"method": method.method, "label": method.label, "videos": videos, "split": split}


def format_rows(details: FormatStatistics, unit: str) -> Iterator[Row]:
    """Yields the share of each class in each bin: comparable, however many more fakes there are."""
    totals = {label: sum(getattr(place, label) for place in details.bins) for label in LABELS}
    for place in details.bins:
        for label in LABELS:
            videos = getattr(place, label)
            share = round(videos / totals[label], 6) if totals[label] else None
            yield {"bin": f"{place.bin} {unit}".strip(), "label": label, "share": share, "videos": videos}
