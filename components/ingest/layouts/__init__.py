"""Ways of laying out a dataset, one module each; the first in `LAYOUTS` that fits reads the folder."""

from pathlib import Path

from components.errors import DataError
from components.ingest.layouts import folders, manifest_csv
from components.ingest.layouts.base import LABELS, Entry, Layout, Listing

__all__ = ["LAYOUTS", "Entry", "Listing", "read_listing"]

LAYOUTS: tuple[Layout, ...] = (manifest_csv, folders)

_REMEDY = "make some with `unmask sample-data data`, or put videos under data/real and data/fake"


def read_listing(data: Path) -> Listing:
    """List a data folder's videos, sorted by path.

    Raises:
        DataError: there is no such folder, it holds no videos or those of one class only, or its manifest.csv
            contradicts itself.
    """
    if not data.is_dir():
        raise DataError(f"{data}: no such folder; {_REMEDY}")
    layout = next((layout for layout in LAYOUTS if layout.recognises(data)), None)
    listing = layout.read(data) if layout else Listing(())
    _check_classes(listing, data)
    return Listing(tuple(sorted(listing.entries, key=lambda entry: entry.path)), listing.notes)


def _check_classes(listing: Listing, data: Path) -> None:
    if not listing.entries:
        raise DataError(f"{data}: no videos; {_REMEDY}")
    missing = set(LABELS) - {entry.label for entry in listing.entries}
    if missing:
        raise DataError(f"{data}: no {missing.pop()} videos; a detector needs both classes: {_REMEDY}")
