"""The manifest in figures. Pure: rows in, a document out."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

import numpy as np

from components.datasets.identities import is_named
from components.datasets.layouts.base import LABELS, SPLITS, Label, Split
from components.ingest.statistics.bins import (
    EDGES,
    MAX_CODECS,
    MEASURES,
    OTHER,
    UNTOLD,
    FileProperty,
    Row,
    bin_labels,
    label_of,
)
from components.ingest.statistics.results import (
    Bin,
    FormatStatistics,
    Holdings,
    LabelCounts,
    MethodCount,
    Shortcut,
    Spread,
    Statistics,
)

GroupKey = TypeVar("GroupKey", bound=Hashable)

PROPERTIES: tuple[FileProperty, ...] = ("duration", "resolution", "fps", "bitrate", "codec")


def compute_statistics(rows: Sequence[Row]) -> Statistics:
    """Counts everything that a curator asks for.

    Args:
        rows: of `components.tables.MANIFEST`, in any order; the result does not depend on it.
    """
    assigned = [row for row in rows if row["split"]]
    by_split = _grouped(assigned, lambda row: row["split"])
    cells = _grouped(assigned, lambda row: (row["dataset"], row["split"]))
    datasets = _grouped(rows, lambda row: row["dataset"])
    return Statistics(
        total=holdings(rows),
        datasets={name: holdings(datasets[name]) for name in sorted(datasets)},
        splits={split: count_labels(by_split[split]) for split in SPLITS},
        cells={
            name: {split: count_labels(cells[name, split]) for split in SPLITS if (name, split) in cells}
            for name in sorted(datasets)
        },
        methods=methods(assigned),
        formats={name: describe_format(assigned, name) for name in PROPERTIES},
    )


def _grouped(rows: Iterable[Row], key: Callable[[Row], GroupKey]) -> defaultdict[GroupKey, list[Row]]:
    groups: defaultdict[GroupKey, list[Row]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return groups


def count_labels(rows: Sequence[Row]) -> LabelCounts:
    """Returns what some rows hold."""
    by_label = Counter(row["label"] for row in rows)
    return LabelCounts(
        videos=len(rows),
        real=by_label["real"],
        fake=by_label["fake"],
        unlabelled=by_label[None],
        people=len({name for row in rows for name in row["identities"] or () if is_named([name])}),
        unnamed=sum(not is_named(row["identities"] or ()) for row in rows),
        seconds=round(math.fsum(row["duration"] or 0.0 for row in rows), 3),
        bytes=sum(row["bytes"] or 0 for row in rows),
    )


def holdings(rows: Sequence[Row]) -> Holdings:
    """Returns what a dataset holds, and what of it takes no part."""
    broken = Counter(row["status"] for row in rows if row["status"] != "ok")
    excluded = Counter(row["excluded"] for row in rows if row["status"] == "ok" and row["excluded"])
    return Holdings(
        **count_labels(rows).model_dump(),
        dealt=sum(row["split"] is not None for row in rows),
        broken=dict(sorted(broken.items())),
        excluded=dict(sorted(excluded.items())),
    )


def methods(rows: Sequence[Row]) -> tuple[MethodCount, ...]:
    """Returns a count per label and method, genuine videos first, then by name."""
    counts = Counter((row["label"], row["method"], row["split"]) for row in rows)
    kinds = sorted({(LABELS.index(label), method) for label, method, _ in counts if label})
    return tuple(
        MethodCount(
            label=LABELS[label],
            method=method,
            **{split: counts[LABELS[label], method, split] for split in SPLITS},
        )
        for label, method in kinds
    )


def describe_format(rows: Sequence[Row], name: FileProperty) -> FormatStatistics:
    """Bins of one property over labelled rows that stand in a split."""
    labelled = [row for row in rows if row["label"]]
    binned, order = _bins(labelled, name)
    counts = Counter(zip(binned, (row["label"] for row in labelled), strict=True))
    return FormatStatistics(
        bins=tuple(Bin(bin=place, real=counts[place, "real"], fake=counts[place, "fake"]) for place in order),
        spread=_spread(labelled, name),
        shortcut=find_shortcut(
            (row["split"], row["label"], place) for row, place in zip(labelled, binned, strict=True)
        ),
    )


def _bins(rows: Sequence[Row], name: FileProperty) -> tuple[list[str], list[str]]:
    """Returns the bin of each row; and the bins in order, from the first that holds something to the last."""
    if name == "codec":
        codecs = [row["codec"] or UNTOLD for row in rows]
        frequent = sorted(Counter(codecs).items(), key=lambda item: (-item[1], item[0]))[:MAX_CODECS]
        order = [codec for codec, _ in frequent]
        binned = [codec if codec in order else OTHER for codec in codecs]
        return binned, order + [OTHER] * (OTHER in binned)
    binned = [label_of(MEASURES[name](row), EDGES[name]) for row in rows]
    places, present = bin_labels(EDGES[name]), set(binned)
    held = [index for index, place in enumerate(places) if place in present]
    order = list(places[held[0] : held[-1] + 1]) if held else []
    return binned, order + [UNTOLD] * (UNTOLD in present)


def _spread(rows: Sequence[Row], name: FileProperty) -> Spread | None:
    measured = [MEASURES[name](row) for row in rows] if name in MEASURES else []
    values = np.array([value for value in measured if value is not None], dtype=float)
    if not len(values):
        return None
    points = np.percentile(values, (0, 5, 50, 95, 100)).round(3)
    return Spread(**dict(zip(Spread.model_fields, map(float, points), strict=True)))


def find_shortcut(videos: Iterable[tuple[Split, Label, str]]) -> Shortcut | None:
    """What a bin alone gives away of the label, learnt on training videos and held against all others.

    Balanced, so that 92 % fakes are no merit of the property; held out, so that many bins of few videos
    are none either. A bin without training videos is a guess at random.

    Args:
        videos: split, label and bin of each.

    Returns:
        None where one side of the splits lacks a class.
    """
    learnt, held_out = ({label: Counter[str]() for label in LABELS} for _ in range(2))
    for split, label, place in videos:
        (learnt if split == "train" else held_out)[label][place] += 1
    if not all(counts.total() for counts in (*learnt.values(), *held_out.values())):
        return None
    recalls = {label: _recall(label, learnt, counts) for label, counts in held_out.items()}
    variance = sum(_variance(recalls[label], counts.total()) for label, counts in held_out.items())
    return Shortcut(
        accuracy=round(sum(recalls.values()) / 2, 4), margin=round(1.96 / 2 * math.sqrt(variance), 4)
    )


def _recall(label: Label, learnt: Mapping[Label, Counter[str]], held_out: Counter[str]) -> float:
    """Returns the share of a class's held-out videos that are guessed right; a tie counts half."""
    other: Label = "fake" if label == "real" else "real"
    right = 0.0
    for place, videos in held_out.items():
        # Shares cross-multiplied: whole numbers, so that a tie is a tie.
        lead = learnt[label][place] * learnt[other].total() - learnt[other][place] * learnt[label].total()
        right += videos * (0.5 if lead == 0 else lead > 0)
    return right / held_out.total()


def _variance(recall: float, videos: int) -> float:
    """Returns the variance of a share, by Agresti and Coull (1998): a 1 from three videos is not certain."""
    share = (recall * videos + 2) / (videos + 4)
    return share * (1 - share) / (videos + 4)
