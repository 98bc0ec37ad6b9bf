"""Which videos belong together: connected components over people, recordings, content, looks. Pure."""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from components.datasets.identities import is_named
from components.datasets.layouts.base import Label, Prescribed
from components.params import LeakKind

Group = str
Tie = tuple[LeakKind, str]
"""What two videos may share, such as ("identity", "p003")."""


@dataclass(frozen=True)
class Sample:
    """What grouping and assignment need to know about a video.

    Attributes:
        label: None where nobody tells.
        identities: the people in it, or what stands for the file where nobody is named; at least one.
        sources: names of the recordings that it is, or was made from.
        sha256: of its content; None where that must tie nothing, as for broken files.
        near_duplicate: what all videos that look like it have in common; None where none does.
        usable: whether it can take part; the others get a group, but no split.
        prescribed: what the dataset's own list says.
    """

    video_id: str
    dataset: str
    label: Label | None
    method: str
    identities: tuple[str, ...]
    sources: tuple[str, ...] = ()
    sha256: str | None = None
    near_duplicate: str | None = None
    usable: bool = True
    prescribed: Prescribed | None = None


def ties(sample: Sample) -> Iterator[Tie]:
    """Yields all that puts a video into a group, unnamed people too."""
    yield from (("identity", identity) for identity in sample.identities)
    yield from recordings(sample.sources, sample.sha256, sample.near_duplicate)


def leak_keys(
    identities: Iterable[str], sources: Iterable[str], sha256: str | None, near_duplicate: str | None
) -> Iterator[Tie]:
    """Yields what must not be shared across splits: only people whom somebody named can be proved apart."""
    yield from (("identity", identity) for identity in identities if is_named([identity]))
    yield from recordings(sources, sha256, near_duplicate)


def recordings(sources: Iterable[str], sha256: str | None, near_duplicate: str | None) -> Iterator[Tie]:
    """Yields the ties other than people."""
    yield from (("source", source) for source in sources)
    if sha256 is not None:
        yield "content", sha256
    if near_duplicate is not None:
        yield "near-duplicate", near_duplicate


def group_samples(samples: Sequence[Sample], taken: Sequence[bool]) -> list[Group]:
    """Group of each sample, named after the first identity in it by name; what takes no part ties nothing."""
    items = [ties(sample) if takes else () for sample, takes in zip(samples, taken, strict=True)]
    return name_groups([sample.identities for sample in samples], connected(items))


def name_groups(identities: Iterable[Sequence[str]], components: Sequence[int]) -> list[Group]:
    """Names of each item's component: the first by name of all identities in it."""
    firsts: dict[int, str] = {}
    for people, component in zip(identities, components, strict=True):
        first = min(people)
        firsts[component] = min(firsts.get(component, first), first)
    return [firsts[component] for component in components]


def connected(items: Sequence[Iterable[Hashable]]) -> list[int]:
    """Returns the number of each item's connected component, where shared keys tie items."""
    numbers: dict[Hashable, int] = {}
    owners, keys = [], []
    for index, item in enumerate(items):
        for key in item:
            owners.append(index)
            keys.append(numbers.setdefault(key, len(items) + len(numbers)))
    size = len(items) + len(numbers)
    if not size:
        return []
    edges = coo_array((np.ones(len(owners), dtype=np.int8), (owners, keys)), shape=(size, size))
    labels = connected_components(edges, directed=False)[1]
    components: list[int] = labels[: len(items)].tolist()
    return components
