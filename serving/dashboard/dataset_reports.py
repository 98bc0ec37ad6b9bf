"""What the last run found out about the data, as rows of tables for people."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from components.documents import read_document
from components.errors import StageError
from components.ingest.statistics.results import FormatStatistics, Holdings, LabelCounts, Statistics
from components.metric_names import title
from components.project import Project

Row = dict[str, str]

MAX_QUARANTINED = 1000
"""So many broken videos are listed on the page; the file holds them all."""

SPLIT_HEADINGS = {"train": "Training", "val": "Validation", "test": "Test"}
PROPERTY_TITLES = {
    "duration": "Duration, s",
    "resolution": "Shorter side, px",
    "fps": "Frame rate, fps",
    "bitrate": "Bit rate, kbit/s",
    "codec": "Codec",
}
STATUSES = {
    "undecodable": "not decodable",
    "too_short": "too short",
    "too_large": "too large",
}
EXCLUDED = {
    "unlabelled": "without a label",
    "dataset": "left out by params.yaml",
    "bridge": "between splits",
    "leak": "leaking into a later split",
}
LEAKS = {
    "identity": "the same person",
    "source": "the same source recording",
    "content": "the same file",
    "near-duplicate": "near duplicates",
}


@dataclass(frozen=True)
class DatasetReports:
    """What stages `ingest` and `describe` left; None or empty where they left nothing."""

    statistics: Statistics | None
    splits: Mapping[str, Any] | None
    quarantined: tuple[Row, ...]
    figures: tuple[Path, ...]
    contact_sheet: Path | None
    failures: tuple[str, ...] = ()  # critical expectations that do not hold, as `validate` found


def read_dataset_reports(project: Project) -> DatasetReports:
    """Reads what is there.

    Raises:
        StageError: a report is there and cannot be read.
    """
    folder = project.reports / "dataset"
    document, sheet = folder / "statistics.json", folder / "contact_sheet.png"
    return DatasetReports(
        statistics=read_document(Statistics, document) if document.is_file() else None,
        splits=_read_splits(project.splits) if project.splits.is_file() else None,
        quarantined=tuple(_read_quarantine(project.quarantine)) if project.quarantine.is_file() else (),
        figures=tuple(sorted((folder / "figures").glob("*.png"))),
        contact_sheet=sheet if sheet.is_file() else None,
        failures=tuple(_read_failures(project.reports / "validation" / "validation.json")),
    )


def _read_failures(file: Path) -> Iterator[str]:
    if not file.is_file():
        return
    try:
        for expectation in json.loads(file.read_text(encoding="utf-8"))["expectations"]:
            if expectation["severity"] == "critical" and not expectation["success"]:
                yield str(expectation["name"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StageError(f"{file}: cannot be read; run dvc repro validate again") from error


def _read_splits(path: Path) -> Mapping[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise StageError(f"{path}: not JSON ({error}); delete it and run dvc repro") from error
    if not isinstance(content, dict):
        raise StageError(f"{path}: holds no report; delete it and run dvc repro")
    return content


def _read_quarantine(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        for row in islice(csv.DictReader(file), MAX_QUARANTINED):
            yield {
                "Video": row.get("path") or "",
                "Dataset": row.get("dataset") or "",
                "Status": STATUSES.get(row.get("status") or "", row.get("status") or ""),
                "Reason": row.get("reason") or "",
            }


def key_figures(total: Holdings) -> dict[str, tuple[str, str]]:
    """Returns the first things to know, each with a line that explains it."""
    broken, excluded = sum(total.broken.values()), sum(total.excluded.values())
    return {
        "Videos": (f"{total.videos:,}", f"{total.dealt:,} take part"),
        "Fake": (percent(total.fake_share), f"{total.fake:,} fake, {total.real:,} real"),
        "People": (f"{total.people:,}", f"videos that name nobody: {total.unnamed:,}"),
        "Running time": (duration(total.seconds), size(total.bytes)),
        "Broken": (f"{broken:,}", reasons(total.broken, STATUSES) or "every video could be read"),
        "Left out": (f"{excluded:,}", reasons(total.excluded, EXCLUDED) or "every sound video takes part"),
    }


def split_rows(statistics: Statistics) -> list[Row]:
    """Returns a row per split."""
    return [{"Split": SPLIT_HEADINGS[split], **_counts(held)} for split, held in statistics.splits.items()]


def dataset_rows(statistics: Statistics) -> list[Row]:
    """Returns a row per dataset."""
    return [
        {
            "Dataset": name,
            **_counts(held),
            "Length": duration(held.seconds),
            "Size": size(held.bytes),
            "Broken": f"{sum(held.broken.values()):,}",
            "Left out": f"{sum(held.excluded.values()):,}",
        }
        for name, held in statistics.datasets.items()
    ]


def format_display_rows(formats: Mapping[Any, FormatStatistics]) -> list[Row]:
    """Returns a row per property of the files: how it spreads, and how far it alone gives the label away."""
    return [
        {
            "Property": PROPERTY_TITLES.get(name, name),
            "5 %": format_number(details.spread.p5) if details.spread else "–",
            "Median": format_number(details.spread.median) if details.spread else "–",
            "95 %": format_number(details.spread.p95) if details.spread else "–",
            "Tells real from fake": _alone(details),
        }
        for name, details in formats.items()
    ]


def leak_rows(splits: Mapping[str, Any]) -> list[Row]:
    """Returns a row per kind of leak that ingest found."""
    return [
        {"In two splits": LEAKS.get(kind, kind), "Found": f"{count:,}"}
        for kind, count in splits.get("leaks", {}).items()
        if count
    ]


def note_rows(splits: Mapping[str, Any]) -> list[Row]:
    """Returns how each dataset was read, and what a person should know of it."""
    rows: list[Row] = []
    for name, dataset in splits.get("datasets", {}).items():
        first = f"{dataset.get('videos', 0):,} videos, read as {dataset.get('layout', 'unknown')}"
        rows.extend({"Dataset": name, "Note": note} for note in (first, *dataset.get("notes", ())))
    return rows


def proof(splits: Mapping[str, Any], statistics: Statistics) -> str | None:
    """What ingest has shown the splits to be disjoint by; None where it has not looked, or found leaks."""
    if "leaks" not in splits or leak_rows(splits):
        return None
    unnamed = sum(held.unnamed for held in statistics.splits.values())
    named = "No person, " if not unnamed else "No "
    known = f"{named}source recording, file or near duplicate is known to stand in two splits."
    doubt = f" {unnamed:,} of {statistics.total.dealt:,} videos name nobody: one person may stand in several."
    return known + doubt * bool(unnamed)


def names_everybody(statistics: Statistics) -> bool:
    """Tells whether every video in a split names who is in it."""
    return not any(held.unnamed for held in statistics.splits.values())


def _counts(held: LabelCounts) -> Row:
    return {
        "Videos": f"{held.videos:,}",
        "Real": f"{held.real:,}",
        "Fake": f"{held.fake:,}",
        "Fake share": percent(held.fake_share),
        "People named": f"{held.people:,}",
        "Name nobody": f"{held.unnamed:,}",
    }


def _alone(details: FormatStatistics) -> str:
    if details.shortcut is None:
        return "not defined"
    return f"{details.shortcut.accuracy:.0%} ± {details.shortcut.margin:.0%}"


def reasons(counts: Mapping[str, int], words: Mapping[str, str]) -> str:
    """`3 too short, 1 not decodable`, the most frequent first."""
    order: Sequence[tuple[str, int]] = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{count:,} {words.get(name, title(name).lower())}" for name, count in order)


def percent(value: float | None) -> str:
    """Returns one decimal; a class that is there is never rounded away."""
    if value is None:
        return "–"
    if 0.0 < value < 0.001:
        return "< 0.1%"
    return "> 99.9%" if 0.999 < value < 1.0 else f"{value:.1%}"


def format_number(value: float) -> str:
    """Returns three figures that count, with separators."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def duration(seconds: float) -> str:
    """Seconds, minutes or hours."""
    if seconds < 120:
        return f"{seconds:,.0f} s"
    return f"{seconds / 60:,.0f} min" if seconds < 7200 else f"{seconds / 3600:,.0f} h"


def size(content: int) -> str:
    """Returns bytes in decimal units."""
    for unit, limit in (("kB", 1e6), ("MB", 1e9), ("GB", 1e12)):
        if content < limit:
            return f"{format_number(content / limit * 1000)} {unit}"
    return f"{format_number(content / 1e12)} TB"
