"""Clusters of fingerprints whose distances are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.faces.fingerprint import coarse_words, words
from components.ingest import near_duplicates as module
from components.ingest.near_duplicates import COARSE_BITS, FINE_BITS, near_duplicates

RNG = np.random.default_rng(3)
A, B, C = (RNG.bytes(128) for _ in range(3))


def away(content: bytes, count: int, seed: int = 0) -> bytes:
    """The content with so many bits changed, none of them in the first picture."""
    bits = np.unpackbits(np.frombuffer(content, np.uint8))
    bits[256 + np.random.default_rng(seed).permutation(768)[:count]] ^= 1
    return np.packbits(bits).tobytes()


def coarsely_away(content: bytes, count: int) -> bytes:
    """The content with so many of the first picture's 64 lowest frequencies changed."""
    bits = np.unpackbits(np.frombuffer(content, np.uint8))
    corner = [16 * row + column for row in range(8) for column in range(8)]
    bits[corner[:count]] ^= 1
    return np.packbits(bits).tobytes()


@pytest.mark.parametrize(
    ("videos", "clusters"),
    [
        ([], []),
        ([None, None], [None, None]),
        ([A, B, C], [None, None, None]),
        ([A, A], [0, 0]),
        ([None, A, None, A], [None, 1, None, 1]),
        ([B, A, C, A, B], [0, 1, None, 1, 0]),
        ([A, away(A, FINE_BITS)], [0, 0]),
        ([A, away(A, FINE_BITS + 1)], [None, None]),
        ([A, coarsely_away(A, COARSE_BITS)], [0, 0]),
        ([A, coarsely_away(A, COARSE_BITS + 1)], [None, None]),
        # A chain: the ends are alike only through the middle, wherever that stands.
        ([A, away(A, 300), away(A, 150)], [0, 0, 0]),
        ([away(A, 150), B, A, away(A, 300)], [0, None, 0, 0]),
    ],
)
def test_clusters(videos: list[bytes | None], clusters: list[int | None]) -> None:
    assert near_duplicates([video.hex() if video else None for video in videos]) == clusters


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 260)), max_size=30), st.integers(1, 9))
def test_as_comparing_all_pairs_one_by_one(drawn: list[tuple[int, int]], block: int) -> None:
    bases = [np.random.default_rng(seed).bytes(128) for seed in range(6)]
    videos = [away(bases[base], count, seed=base) for base, count in drawn]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK", block)
        patch.setattr(module, "CHUNK", block)
        assert near_duplicates([video.hex() for video in videos]) == one_by_one(videos)


def one_by_one(videos: list[bytes]) -> list[int | None]:
    first = list(range(len(videos)))
    for a, one in enumerate(videos):
        for b, other in enumerate(videos):
            if (int.from_bytes(one) ^ int.from_bytes(other)).bit_count() <= FINE_BITS:
                low, high = sorted((first[a], first[b]))
                first = [low if number == high else number for number in first]
    return [number if first.count(number) > 1 else None for number in first]


def test_coarse_words_are_the_corner_of_lowest_frequencies() -> None:
    fine = words([A.hex(), coarsely_away(A, 64).hex(), away(A, 768).hex()])
    coarse = coarse_words(fine)
    assert np.bitwise_count(coarse[0] ^ coarse[1]) == 64
    assert coarse[0] == coarse[2]
