"""Fingerprints of drawn pictures: people on one set, and their copies."""

from collections import Counter
from collections.abc import Callable, Sequence

import cv2
import numpy as np
import pytest

from components.arrays import Image
from components.splits.near_duplicates import near_duplicates
from components.video.fingerprint import (
    BLANK,
    SAMPLED_PICTURES,
    Fingerprint,
    fingerprint_words,
    make_fingerprint,
    shrink,
)

Change = Callable[[list[Image]], list[Image]]

HEIGHT, WIDTH = 180, 320
SET = cv2.resize(np.random.default_rng(9).integers(0, 255, (6, 9, 3), np.uint8), (WIDTH, HEIGHT))
BLACK = np.zeros_like(SET)


def talk(seed: int, count: int = SAMPLED_PICTURES, background: Image = SET, size: int = 16) -> list[Image]:
    """Somebody who sits where all sit on this set, and moves a little."""
    rng = np.random.default_rng(seed)
    colour = tuple(int(value) for value in rng.integers(40, 230, 3))
    home = np.array([240, 80]) + rng.normal(0, 4, 2)
    pictures = []
    for _ in range(count):
        picture = background.copy()
        x, y = (home + rng.normal(0, 4, 2)).round().astype(int).tolist()
        cv2.ellipse(picture, (x, 80 + 2 * size), (2 * size, size), 0, 0, 360, (60, 60, 90), -1)
        cv2.ellipse(picture, (x, y), (size * 3 // 4, size), rng.normal(0, 8), 0, 360, colour, -1)
        cv2.ellipse(picture, (x, y + size // 2), (5, int(rng.integers(0, 7))), 0, 0, 360, (30, 30, 60), -1)
        pictures.append(picture)
    return pictures


def copied(pictures: list[Image]) -> list[Image]:
    """Half the size, brighter, and coarsely encoded."""
    found = []
    for picture in pictures:
        small = cv2.convertScaleAbs(cv2.resize(picture, (WIDTH // 2, HEIGHT // 2)), alpha=1.05, beta=4)
        content = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 40])[1]
        found.append(np.asarray(cv2.imdecode(content, cv2.IMREAD_COLOR), np.uint8))
    return found


def fingerprint(pictures: Sequence[Image]) -> Fingerprint | None:
    return make_fingerprint([shrink(picture) for picture in pictures])


def darker(pictures: list[Image]) -> list[Image]:
    return [cv2.convertScaleAbs(picture, alpha=0.4) for picture in pictures]


CHANGES: dict[str, Change] = {
    "one set": lambda pictures: pictures,
    "a black start": lambda pictures: [BLACK, BLACK, *pictures[2:]],
    "a title card": lambda pictures: [SET[::-1].copy(), SET[::-1].copy(), *pictures[2:]],
    "a dark set": darker,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_strangers_on_one_set_are_no_copies_but_copies_are(change: Change) -> None:
    videos = [change(talk(seed)) for seed in range(20)]
    prints = [fingerprint(pictures) for pictures in videos]
    assert None not in prints
    clusters = Counter(index for index in near_duplicates(prints) if index is not None)
    assert max(clusters.values(), default=0) <= 3  # by their pictures all 20 are one cluster
    again = [near_duplicates([one, fingerprint(copied(v))]) for one, v in zip(prints, videos, strict=True)]
    assert again.count([0, 0]) >= 19


@pytest.mark.parametrize(
    ("pictures", "says_something"),
    [
        (talk(1), True),
        ([BLACK, BLACK, BLACK, BLACK, *talk(1, SAMPLED_PICTURES - 4)], True),
        ([BLACK, BLACK, BLACK, BLACK, BLACK, *talk(1, SAMPLED_PICTURES - 5)], False),  # two changes
        ([SET] * SAMPLED_PICTURES, False),  # a still says which set it is, not which video
        (talk(1, SAMPLED_PICTURES - 1), False),
        ([], False),
    ],
)
def test_what_says_too_little_has_no_fingerprint(pictures: list[Image], says_something: bool) -> None:
    assert (fingerprint(pictures) is not None) == says_something


@pytest.mark.parametrize("grey", [0, 127, 255])
def test_noise_is_blank(grey: int) -> None:
    rng = np.random.default_rng(1)
    flat = [np.clip(grey + rng.integers(-2, 3, (90, 120, 3)), 0, 255).astype(np.uint8) for _ in range(4)]
    assert fingerprint([*flat, *talk(1, SAMPLED_PICTURES - 4)]) == fingerprint(
        [*[flat[0]] * 4, *talk(1, SAMPLED_PICTURES - 4)]
    )
    assert fingerprint(flat * (SAMPLED_PICTURES // 4)) is None


def test_a_change_from_or_to_a_blank_picture_says_nothing() -> None:
    found = fingerprint([BLACK, *talk(1, 3), BLACK, *talk(2, SAMPLED_PICTURES - 5)])
    blank = [index for index, word in enumerate(fingerprint_words([found or ""])[0].tolist()) if not word]
    assert blank == [1, 5, SAMPLED_PICTURES + 1, SAMPLED_PICTURES + 4, SAMPLED_PICTURES + 5]
    assert len(BLANK) == 16
