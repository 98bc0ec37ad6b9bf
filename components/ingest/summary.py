"""What ingest made of the data: `reports/splits.json`, and the same for a person to read. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, get_args

from rich.table import Table
from rich.text import Text

from components.datasets.found import Dataset
from components.datasets.identities import is_named
from components.datasets.layouts.base import LABELS, SPLITS
from components.params import LeakKind
from components.printable import printable
from components.splits.assignment import Excluded
from components.splits.audit import Leak, Tangle

Row = Mapping[str, Any]
DatasetSummary = dict[str, Any]

KINDS: tuple[LeakKind, ...] = get_args(LeakKind)
NOUNS: dict[LeakKind, str] = {
    "identity": "person",
    "source": "source recording",
    "content": "content",
    "near-duplicate": "near duplicate",
}

MOST_UNSEEN = 0.05
"""Share of the videos in a split without a fingerprint; above it nothing is said of near duplicates."""

REASONS: dict[Excluded, str] = {
    "unlabelled": "their dataset tells no label",
    "dataset": "ingest.datasets in params.yaml leaves them out",
    "bridge": "they would tie two splits, as swaps of people of both do",
    "leak": "ingest.leak: drop takes them out of training or validation",
}

TIES: dict[LeakKind | None, str] = {
    "identity": "videos of several people",
    "source": "shared source recordings",
    "content": "equal content",
    "near-duplicate": "near duplicates",
    None: "several kinds of ties together",
}


class _Tally:
    """Counts of the videos of one split."""

    def __init__(self) -> None:
        self.counts: dict[str, Counter[str]] = defaultdict(Counter)
        self.people: set[str] = set()
        self.groups: set[str] = set()

    def add(self, row: Row) -> None:
        for column in ("label", "method", "dataset"):
            self.counts[column][row[column]] += 1
        named = {person for person in row["identities"] if is_named([person])}
        self.counts["named"][str(bool(named))] += 1
        self.counts["seen"][str(row["fingerprint"] is not None)] += 1
        self.people |= named
        self.groups.add(row["group"])

    def summary(self) -> DatasetSummary:
        return {
            "videos": self.counts["label"].total(),
            **{label: self.counts["label"][label] for label in LABELS},
            "people": len(self.people),
            "unnamed": self.counts["named"]["False"],
            "unseen": self.counts["seen"]["False"],
            "groups": len(self.groups),
            "methods": dict(sorted(self.counts["method"].items())),
            "datasets": dict(sorted(self.counts["dataset"].items())),
        }


def summarise_dataset(
    rows: Iterable[Row],
    datasets: Sequence[Dataset],
    leaks: Iterable[Leak],
    tangle: Tangle | None = None,
    by_looks: bool = True,
    merged: Iterable[str] = (),
) -> DatasetSummary:
    """`reports/splits.json`.

    Args:
        rows: of `components.tables.MANIFEST`.
        datasets: with their layouts' notes.
        leaks: what stands in two splits.
        tangle: the group that holds most videos, if one does.
        by_looks: whether near duplicates were looked for.
        merged: notes on names that are written in several ways.

    Returns:
        `videos`; `splits`: for each its videos, real, fake, named people, videos that name nobody, videos
        without a fingerprint, groups, and videos per method and dataset; `excluded` and `broken`: videos
        by reason and by status;
        `datasets`: layout, videos and notes; `leaks`: how many of each kind;
        `tangle`, `by_looks` and `merged`: as given.
    """
    tallies = {split: _Tally() for split in SPLITS}
    excluded: Counter[str] = Counter(dict.fromkeys(get_args(Excluded), 0))
    broken: Counter[str] = Counter()
    for row in rows:
        if row["split"]:
            tallies[row["split"]].add(row)
        elif row["status"] != "ok":
            broken[row["status"]] += 1
        else:
            excluded[row["excluded"]] += 1
    leaks_by_kind = Counter(leak.kind for leak in leaks)
    return {
        "videos": sum(len(dataset.listing.entries) for dataset in datasets),
        "splits": {split: tally.summary() for split, tally in tallies.items()},
        "excluded": dict(excluded),
        "broken": dict(sorted(broken.items())),
        "datasets": {dataset.name: _described(dataset) for dataset in datasets},
        "leaks": {kind: leaks_by_kind[kind] for kind in KINDS},
        "tangle": asdict(tangle) if tangle else None,
        "by_looks": by_looks,
        "merged": list(merged),
    }


def splits_table(summary: DatasetSummary) -> Table:
    """Returns the splits, a line each."""
    columns = ("videos", "real", "fake", "people", "groups")
    shown = Table("split")
    for column in columns:
        shown.add_column(column, justify="right")
    shown.add_column("methods")
    for split, counts in summary["splits"].items():
        methods = ", ".join(f"{printable(name)}={count}" for name, count in counts["methods"].items())
        shown.add_row(split, *(str(counts[column]) for column in columns), Text(methods))
    return shown


def lines(summary: DatasetSummary) -> Iterator[str]:
    """What a person should know besides the table: remarks, what is left out, and what the splits prove."""
    for name, dataset in summary["datasets"].items():
        yield f"{name}: {dataset['videos']} videos, read as {dataset['layout']}"
        yield from (f"{name}: {note}" for note in dataset["notes"])
    yield from summary["merged"]
    for reason, count in summary["excluded"].items():
        if count:
            yield f"{count} usable videos take no part: {REASONS[reason]} ({reason})"
    if summary["broken"]:
        statuses = ", ".join(f"{status} {count}" for status, count in summary["broken"].items())
        yield f"{sum(summary['broken'].values())} videos cannot be used ({statuses}): reports/quarantine.csv"
    if summary["tangle"]:
        yield _tangle(**summary["tangle"])
    yield from _proof(summary)


def _tangle(videos: int, assigned: int, kind: LeakKind | None, parts: int) -> str:
    without = f"; without these they would be {parts} groups" if kind else ""
    return f"{videos} of {assigned} videos are tied into one group by {TIES[kind]}{without}"


def _proof(summary: DatasetSummary) -> Iterator[str]:
    assigned = sum(counts["videos"] for counts in summary["splits"].values())
    unnamed = sum(counts["unnamed"] for counts in summary["splits"].values())
    unseen = sum(counts["unseen"] for counts in summary["splits"].values())
    unproven: set[LeakKind] = set()
    if unnamed == assigned:
        unproven.add("identity")
    if not summary["by_looks"] or unseen > MOST_UNSEEN * assigned:
        unproven.add("near-duplicate")
    kept = [NOUNS[kind] for kind in KINDS if not summary["leaks"][kind] and kind not in unproven]
    if kept:
        yield f"No {', no '.join(kept)} stands in two splits."
    if not summary["by_looks"]:
        yield "Nothing looked for near duplicates: ingest.near_duplicates is off in params.yaml."
    elif unseen:
        yield f"{unseen} of {assigned} videos show too little to be compared by looks."
    if unnamed:
        yield (
            f"{unnamed} of {assigned} videos name nobody: nothing proves that these show no person of "
            "another split. A manifest.csv in their dataset's folder can name people (docs/datasets.md)."
        )
    for kind, count in summary["leaks"].items():
        if count:
            yield f"Leaks by {NOUNS[kind]}: {count}; `validate` names them (reports/validation/leaks.csv)"


def _described(dataset: Dataset) -> DatasetSummary:
    listing = dataset.listing
    return {"layout": dataset.layout, "videos": len(listing.entries), "notes": list(listing.notes)}
