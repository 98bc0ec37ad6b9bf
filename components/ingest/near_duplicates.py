"""Which videos look the same: copies that were scaled, cut to another frame rate or encoded anew.

All pairs are compared, which is affordable because almost all of them differ in the coarsest 64 bits.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from components.faces.fingerprint import bits

Words = NDArray[np.uint64]

COARSE = 8
"""The first comparison takes COARSE × COARSE lowest frequencies of the first picture: one word of 64 bits."""

COARSE_BITS = 16
"""Of these 64, as many may differ."""

FINE_BITS = 200
"""Of all bits of a fingerprint, as many may differ."""

BLOCK = 2048
"""Fingerprints that are compared with as many others at once; a block of distances then fits the cache."""


def near_duplicates(fingerprints: Sequence[str | None]) -> list[int | None]:
    """Find the clusters of videos that look alike: A is in one cluster with C if both look like B.

    Args:
        fingerprints: `components.faces.fingerprint.Fingerprint` of each video; None looks like nothing.

    Returns:
        For each video the index of the first video of its cluster; None where nothing looks like it.
    """
    known = [index for index, fingerprint in enumerate(fingerprints) if fingerprint]
    if not known:
        return [None] * len(fingerprints)
    unique, members = np.unique([fingerprints[index] for index in known], return_inverse=True)
    clusters = _clusters(unique.tolist())[members]
    _, first, cluster, size = np.unique(clusters, return_index=True, return_inverse=True, return_counts=True)
    found: list[int | None] = [None] * len(fingerprints)
    for position in np.flatnonzero(size[cluster] > 1):
        found[known[position]] = known[first[cluster[position]]]
    return found


def _clusters(fingerprints: Sequence[str]) -> NDArray[np.int32]:
    """The number of the cluster of each of N fingerprints (N,)."""
    coarse, fine = _words(fingerprints)
    pairs = [pair for block in _blocks(coarse) if (pair := _alike(fine, *block)).size]
    first, second = np.concatenate(pairs, axis=1) if pairs else np.empty((2, 0), np.int64)
    graph = coo_array((np.ones(len(first), np.bool_), (first, second)), shape=(len(fine), len(fine)))
    labels: NDArray[np.int32] = connected_components(graph, directed=False)[1]
    return labels


def _words(fingerprints: Sequence[str]) -> tuple[Words, Words]:
    """The coarse word of each fingerprint (N,), and all of its words (N, W)."""
    picture = bits(fingerprints)  # (N, PICTURES, SIDE, SIDE)
    coarse = np.packbits(picture[:, 0, :COARSE, :COARSE].reshape(len(picture), -1), axis=1)
    fine = np.packbits(picture.reshape(len(picture), -1), axis=1)
    return coarse.view(np.uint64)[:, 0], fine.view(np.uint64)


def _blocks(coarse: Words) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Indices of pairs whose coarse words are near, each pair once, block by block."""
    for top in range(0, len(coarse), BLOCK):
        rows = coarse[top : top + BLOCK, None]
        for left in range(top, len(coarse), BLOCK):
            distance = np.bitwise_count(rows ^ coarse[None, left : left + BLOCK])
            first, second = np.nonzero(distance <= COARSE_BITS)
            first, second = first + top, second + left
            once = first < second
            yield first[once], second[once]


def _alike(fine: Words, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.int64]:
    """Those of the pairs that are near in all pictures (2, P)."""
    distance = np.bitwise_count(fine[first] ^ fine[second]).sum(axis=1, dtype=np.int64)
    return np.stack([first, second])[:, distance <= FINE_BITS]
