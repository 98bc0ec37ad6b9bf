"""Clusters of fingerprints whose distances are known."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.splits import near_duplicates as module
from components.splits.near_duplicates import (
    CHANGE_SHARE,
    FAR_BITS,
    FAR_SHARE,
    MEAN_BITS,
    PICTURE_SHARE,
    near_duplicates,
)
from components.video.fingerprint import SAMPLED_PICTURES

RNG = np.random.default_rng(3)
A, B, C = (RNG.bytes(128) for _ in range(3))

CHANGES = range(1 + SAMPLED_PICTURES, 2 * SAMPLED_PICTURES)
MOST_PICTURE_BITS = int(PICTURE_SHARE * 64 * SAMPLED_PICTURES)
MOST_CHANGE_BITS = int(CHANGE_SHARE * 64 * len(CHANGES))


def away(
    content: bytes, bits: int, first: int = 1 + SAMPLED_PICTURES, count: int = len(CHANGES), seed: int = 0
) -> bytes:
    """The content with so many bits changed, evenly in so many words from the first on."""
    rng, changed = (
        np.random.default_rng(seed),
        np.unpackbits(np.frombuffer(content, np.uint8)).reshape(-1, 64),
    )
    order = rng.permutation(64)
    for number in range(bits):
        changed[first + number % count, order[number // count]] ^= 1
    return np.packbits(changed).tobytes()


def pictures_away(content: bytes, bits: int) -> bytes:
    return away(content, bits, 1, SAMPLED_PICTURES)


def without(content: bytes, *blank: int) -> bytes:
    """The content with some words blank."""
    found = np.frombuffer(content, np.uint64).copy()
    found[list(blank)] = 0
    return found.tobytes()


@pytest.mark.parametrize(
    ("videos", "clusters"),
    [
        ([], []),
        ([None, None], [None, None]),
        ([A, B, C], [None, None, None]),
        ([A, A], [0, 0]),
        ([None, A, None, A], [None, 1, None, 1]),
        ([B, A, C, A, B], [0, 1, None, 1, 0]),
        ([A, away(A, MOST_CHANGE_BITS)], [0, 0]),
        ([A, away(A, MOST_CHANGE_BITS + 1)], [None, None]),
        ([A, pictures_away(A, MOST_PICTURE_BITS)], [0, 0]),
        ([A, pictures_away(A, MOST_PICTURE_BITS + 1)], [None, None]),
        ([A, away(A, MEAN_BITS, 0, 1)], [0, 0]),
        ([A, away(A, MEAN_BITS + 1, 0, 1)], [None, None]),
        # What is blank in one of them counts neither for nor against it, but enough must be left.
        ([without(A, 1, 9), A], [0, 0]),
        ([without(A, *CHANGES[:4]), away(A, 4 * 64, count=4)], [0, 0]),
        ([without(A, *CHANGES[:5]), A], [None, None]),
        ([without(A, 1, 2, 3), without(A, 4, 5, 6)], [None, None]),
        # Few changes that differ much are other ones, though all together are near.
        ([A, away(A, FAR_BITS * 2, count=2)], [0, 0]),
        ([A, away(A, (FAR_BITS + 1) * int(FAR_SHARE * 7), count=int(FAR_SHARE * 7))], [0, 0]),
        ([A, away(A, (FAR_BITS + 1) * 2, count=2)], [None, None]),
        # A chain: its ends are alike only through the middle, and that follows the first that it looks like.
        ([A, away(A, 180), away(A, 90)], [0, None, 0]),
        ([away(A, 90), B, A, away(A, 180)], [0, None, 0, 0]),
    ],
)
def test_clusters(videos: list[bytes | None], clusters: list[int | None]) -> None:
    assert near_duplicates([video.hex() if video else None for video in videos]) == clusters


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 180)), max_size=30), st.integers(1, 9))
def test_as_comparing_all_pairs_one_by_one(drawn: list[tuple[int, int]], block: int) -> None:
    bases = [np.random.default_rng(seed).bytes(128) for seed in range(6)]
    videos = [away(bases[base], count, seed=base) for base, count in drawn]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK", block)
        assert near_duplicates([video.hex() for video in videos]) == one_by_one(videos)


def one_by_one(videos: list[bytes]) -> list[int | None]:
    first: list[int] = []
    for index, one in enumerate(videos):
        leaders = sorted(set(first))
        near = [n for n in leaders if distance(videos[n], one) <= MOST_CHANGE_BITS]
        first.append(near[0] if near else index)
    return [number if first.count(number) > 1 else None for number in first]


def distance(one: bytes, other: bytes) -> int:
    return (int.from_bytes(one) ^ int.from_bytes(other)).bit_count()


def test_videos_that_begin_in_black_are_not_all_compared_in_full() -> None:
    """As 100 ms take 4,000 that differ in all, so do 4,000 whose first picture is blank."""
    videos = [without(RNG.bytes(128), 1, 1 + SAMPLED_PICTURES).hex() for _ in range(4000)]
    start = time.perf_counter()
    assert near_duplicates(videos) == [None] * 4000
    assert time.perf_counter() - start < 1.0
