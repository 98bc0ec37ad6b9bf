"""Which videos look the same: copies that were scaled, brought to another frame rate or encoded anew.

All pairs are compared, which is affordable because almost all of them differ in their mean pictures.

Two videos are alike where both their pictures and what changes between these are. The pictures alone agree
wherever two people sit in one studio, the changes tell them apart: at the same moments nobody moves as
another does. `benchmarks/near_duplicates.py` measures copies and strangers, also such on one set, of a seed
that set no bound. Copies that are cropped much, mirrored, or cut to an excerpt are beyond what this can see.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from components.arrays import Flags, Ints64
from components.video.fingerprint import CHANGE_WORDS, LEAST_TELLING, PICTURE_WORDS, Words, fingerprint_words

MEAN_BITS = 12
"""Of the 64 of the mean picture, as many may differ."""

PICTURE_SHARE = 0.2
"""Of the bits of the pictures that say something in both videos, as many may differ."""

CHANGE_SHARE = 0.25
"""Of the bits of the changes that say something in both videos, as many may differ."""

FAR_BITS = 24
"""Of 64; a change that differs in more is another one."""

FAR_SHARE = 0.25
"""Of the changes, as many may be others: a long opening that many videos share makes no copies."""

BLOCK = 512
"""Fingerprints that are compared with as many others at once; their distances take 2 MiB."""


def near_duplicates(fingerprints: Sequence[str | None]) -> list[int | None]:
    """Finds the clusters of videos that look alike: all that look like the first of them.

    Not all that are tied by some chain of look-alikes: one such chain could run through a whole dataset.

    Args:
        fingerprints: `components.video.fingerprint.Fingerprint` of each video; None looks like nothing.

    Returns:
        For each video the index of the first video of its cluster; None where nothing looks like it.
    """
    videos: dict[str, list[int]] = {}  # of each fingerprint, in order of the first
    for index, fingerprint in enumerate(fingerprints):
        if fingerprint:
            videos.setdefault(fingerprint, []).append(index)
    clusters: dict[int, list[int]] = {}
    for leader, alike in zip(
        _leaders(fingerprint_words(list(videos))).tolist(), videos.values(), strict=True
    ):
        clusters.setdefault(leader, []).extend(alike)
    first_alike: list[int | None] = [None] * len(fingerprints)
    for cluster in clusters.values():
        if len(cluster) > 1:
            first = min(cluster)
            for index in cluster:
                first_alike[index] = first
    return first_alike


def _leaders(prints: Words) -> Ints64:
    """Returns for each of N fingerprints (N, W) the first of its cluster, itself if it has none (N,)."""
    leaders = np.arange(len(prints))
    for index, later in _near(np.ascontiguousarray(prints[:, 0])):
        if leaders[index] == index:
            free = later[leaders[later] == later]
            leaders[free[_alike(prints[index], prints[free])]] = index
    return leaders


def _near(means: Words) -> Iterator[tuple[int, Ints64]]:
    """Each index, in order, with the later ones whose mean pictures are near; most have none: left out."""
    for top in range(0, len(means), BLOCK):
        block = means[top : top + BLOCK]
        near = np.empty((len(block), len(means) - top), np.bool_)
        for left in range(top, len(means), BLOCK):
            differing = block[:, None] ^ means[None, left : left + BLOCK]
            near[:, left - top : left - top + BLOCK] = np.bitwise_count(differing) <= MEAN_BITS
        near[np.tril_indices(len(block))] = False
        for row in np.flatnonzero(near.any(axis=1)).tolist():
            yield top + row, np.flatnonzero(near[row]) + top


def _alike(fingerprint: Words, others: Words) -> Flags:
    """Returns which of N fingerprints (N, W) are near one (W,) in pictures and in changes (N,)."""
    pictures, shown = _differing(fingerprint[PICTURE_WORDS], others[:, PICTURE_WORDS])
    changes, moved = _differing(fingerprint[CHANGE_WORDS], others[:, CHANGE_WORDS])
    near = pictures.sum(axis=1) <= PICTURE_SHARE * 64 * shown
    near &= changes.sum(axis=1) <= CHANGE_SHARE * 64 * moved
    near &= np.count_nonzero(changes > FAR_BITS, axis=1) <= FAR_SHARE * moved
    return np.asarray(near & (np.minimum(shown, moved) >= LEAST_TELLING))


def _differing(bits: Words, others: Words) -> tuple[Ints64, Ints64]:
    """Returns bits that differ (N, H) in each hash that says something in both; how many hashes do (N,)."""
    telling = (bits != 0) & (others != 0)
    return np.bitwise_count(bits ^ others) * telling, telling.sum(axis=1)
