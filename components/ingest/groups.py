"""Which videos belong together: the connected components of shared people, recordings and content.

A group never crosses a split. Building groups is pure; so is the audit that proves them kept.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import networkx as nx

from components.errors import LeakageError
from components.ingest.layouts.base import Label, Split

Group = str

REMEDY = "correct the columns identity and split in data/manifest.csv, or leave split empty"


@dataclass(frozen=True)
class Sample:
    """What grouping and dealing need to know about a video.

    Attributes:
        identities: the people in it, or what stands for the file where nobody is named; at least one.
        sources: names of the recordings that it is, or was made from.
        sha256: of its content; None where that must tie nothing, as for broken files.
        usable: whether it takes part; the others get a group, but no split.
        split: where the dataset prescribes one.
    """

    video_id: str
    label: Label
    method: str
    identities: tuple[str, ...]
    sources: tuple[str, ...] = ()
    sha256: str | None = None
    usable: bool = True
    split: Split | None = None


def group_samples(samples: Sequence[Sample]) -> list[Group]:
    """Group of each sample, named after the first identity in it."""
    ties: nx.Graph[Hashable] = nx.Graph()
    for index, sample in enumerate(samples):
        ties.add_edges_from((index, tie) for tie in _ties(sample))
    groups: dict[Hashable, Group] = {}
    for component in nx.connected_components(ties):
        members = [node for node in component if isinstance(node, int)]
        name = min(identity for index in members for identity in samples[index].identities)
        groups.update(dict.fromkeys(members, name))
    return [groups[index] for index in range(len(samples))]


def audit(rows: Iterable[Mapping[str, Any]]) -> None:
    """Prove that no group, no identity and no content stands in two splits.

    Args:
        rows: of `components.tables.MANIFEST`.

    Raises:
        LeakageError: one does; the message names it and a video on either side.
    """
    seen: dict[tuple[str, str], Mapping[str, Any]] = {}
    for row in rows:
        if row["split"] is None:
            continue
        for key in _audited(row):
            first = seen.setdefault(key, row)
            if first["split"] != row["split"]:
                sides = " and in ".join(f"{side['split']} ({side['video_id']})" for side in (first, row))
                raise LeakageError(f"{' '.join(key)} stands in {sides}; {REMEDY}")


def _ties(sample: Sample) -> Iterator[tuple[str, str]]:
    yield from (("identity", identity) for identity in sample.identities)
    yield from (("source", source) for source in sample.sources)
    if sample.sha256 is not None:
        yield "content", sample.sha256


def _audited(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "group", row["group"]
    yield from (("identity", identity) for identity in row["identities"])
    yield "content", row["sha256"]
