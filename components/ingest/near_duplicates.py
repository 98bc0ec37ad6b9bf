"""Which videos look the same: copies that were scaled, brought to another frame rate or encoded anew.

All pairs are compared, which is affordable because almost all of them differ in the coarsest 64 bits.

The bounds lie between what copies and what strangers measure on a rendered sample and some real clips: copies
at the hardest settings differ in at most 6 coarse bits and 120 bits in all, strangers in at least 10 and 254.
`benchmarks/near_duplicates.py` measures both on a sample of another seed. Copies that were cropped by more
than a little, or mirrored, are beyond what this hash can see.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from components.faces.fingerprint import coarse_words, words

Words = NDArray[np.uint64]
Indices = NDArray[np.int64]
Labels = NDArray[np.int32]

COARSE_BITS = 12
"""Of the 64 of the first picture's lowest frequencies, as many may differ."""

FINE_BITS = 160
"""Of all 1024 bits of a fingerprint, as many may differ."""

BLOCK = 512
"""Fingerprints that are compared with as many others at once; their distances take 2 MiB."""

CHUNK = 1 << 16
"""Pairs whose 1024 bits are compared at once, in 16 MiB, however many videos look the same."""


def near_duplicates(fingerprints: Sequence[str | None]) -> list[int | None]:
    """Find the clusters of videos that look alike: A is in one cluster with C if both look like B.

    Args:
        fingerprints: `components.faces.fingerprint.Fingerprint` of each video; None looks like nothing.

    Returns:
        For each video the index of the first video of its cluster; None where nothing looks like it.
    """
    videos: dict[str, list[int]] = {}  # of each fingerprint, in order of the first
    for index, fingerprint in enumerate(fingerprints):
        if fingerprint:
            videos.setdefault(fingerprint, []).append(index)
    clusters: dict[int, list[int]] = {}
    for label, alike in zip(_clusters(words(list(videos))).tolist(), videos.values(), strict=True):
        clusters.setdefault(label, []).extend(alike)
    found: list[int | None] = [None] * len(fingerprints)
    for cluster in clusters.values():
        if len(cluster) > 1:
            first = min(cluster)
            for index in cluster:
                found[index] = first
    return found


def _clusters(fine: Words) -> Labels:
    """The number of the cluster of each of N fingerprints (N,), given as words (N, W)."""
    labels = np.arange(len(fine), dtype=np.int32)
    for first, second in _near(coarse_words(fine)):
        apart = labels[first] != labels[second]  # what is known to belong together is not compared again
        pairs = _alike(fine, first[apart], second[apart])
        if pairs.size:
            labels = _merged(labels, *pairs)
    return labels


def _near(coarse: Words) -> Iterator[tuple[Indices, Indices]]:
    """Indices of the pairs whose coarse words are near, each pair once, some at a time."""
    for top in range(0, len(coarse), BLOCK):
        for left in range(top, len(coarse), BLOCK):
            differing = coarse[top : top + BLOCK, None] ^ coarse[None, left : left + BLOCK]
            first, second = np.nonzero(np.bitwise_count(differing) <= COARSE_BITS)
            first, second = first + top, second + left
            once = first < second
            first, second = first[once], second[once]
            for start in range(0, len(first), CHUNK):
                yield first[start : start + CHUNK], second[start : start + CHUNK]


def _alike(fine: Words, first: Indices, second: Indices) -> Indices:
    """Those of the pairs that are near in all pictures (2, P)."""
    distance = np.bitwise_count(fine[first] ^ fine[second]).sum(axis=1, dtype=np.int64)
    return np.stack([first, second])[:, distance <= FINE_BITS]


def _merged(labels: Labels, first: Indices, second: Indices) -> Labels:
    """The labels, with one for all that some pair ties together."""
    ties = (np.ones(len(first), np.bool_), (labels[first], labels[second]))
    graph = coo_array(ties, shape=(len(labels), len(labels)))
    merged: Labels = connected_components(graph, directed=False)[1]
    return merged[labels]
