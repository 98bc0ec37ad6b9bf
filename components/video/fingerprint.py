"""What a video looks like and how it moves, in a few bytes: copies that were encoded anew keep both.

Pictures alone would tie all who are filmed on one set, so a fingerprint also tells what changes from each
picture to the next: what stands still cancels out, and no two people move alike. A video in which next to
nothing moves has no fingerprint: nothing would tell it from another one on the same set.

The hash of a picture is ImageHash's `phash` (Zauner, 2010, "Implementation and Benchmarking of Perceptual
Image Hash Functions"): which of the lowest frequencies of a small grey picture are above their median. That
of a change is which of them grew.
"""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from components.arrays import Floats32, Image

Words = NDArray[np.uint64]

SAMPLED_PICTURES = 8
"""Sampled from a video."""

HASHED_SIDE = 32
"""Of a sampled picture when it is hashed, px."""

LOWEST = 8
"""A hash has a bit for each of the LOWEST × LOWEST lowest frequencies."""

BLANK = "0" * (LOWEST * LOWEST // 4)
"""Hash of what says nothing."""

HASHES = 2 * SAMPLED_PICTURES
"""Of the mean picture, of each picture, and of each change from one to the next."""

PICTURE_WORDS = slice(1, 1 + SAMPLED_PICTURES)
CHANGE_WORDS = slice(1 + SAMPLED_PICTURES, HASHES)

Fingerprint = Annotated[str, Field(pattern=f"^[0-9a-f]{{{HASHES * len(BLANK)}}}$")]
"""The hashes of a video, one after another."""

LEAST_CONTRAST = 1.0
"""Standard deviation of a small picture, grey levels of 255; below it, it is as good as blank."""

LEAST_CHANGE = 0.7
"""Standard deviation of a change, grey levels; below it there is more noise in it than movement."""

LEAST_TELLING = 3
"""Pictures, and changes, that must say something; two videos are compared by what says something in both."""


def shrink(image: Image) -> Floats32:
    """Returns what is hashed of an RGB picture (H, W, 3): its grey levels (SIDE, SIDE)."""
    from PIL import Image as Picture  # noqa: PLC0415 - a worker that only probes does not pay for it

    grey = Picture.fromarray(image).convert("L").convert("F")  # finer than 8 bits: much of a change is small
    return np.asarray(grey.resize((HASHED_SIDE, HASHED_SIDE), Picture.Resampling.BOX), np.float32)


def make_fingerprint(pictures: Sequence[Floats32]) -> Fingerprint | None:
    """A video's fingerprint from its shrunk pictures; None where they say too little, or are too few."""
    if len(pictures) != SAMPLED_PICTURES:
        return None
    shown = [_hash_picture(picture) for picture in pictures]
    steps = zip(pictures, pictures[1:], shown, shown[1:], strict=False)
    # What follows a blank picture is no movement: all that begin in black would share it.
    changes = [BLANK if BLANK in hashes else _hash_change(before, next_) for before, next_, *hashes in steps]
    if (
        min(SAMPLED_PICTURES - shown.count(BLANK), SAMPLED_PICTURES - 1 - changes.count(BLANK))
        < LEAST_TELLING
    ):
        return None
    return "".join([_hash_picture(np.mean(pictures, axis=0)), *shown, *changes])


def fingerprint_words(fingerprints: Sequence[str]) -> Words:
    """Fingerprints as words (N, HASHES), one for each hash; 0 for `BLANK`."""
    content = np.frombuffer(bytes.fromhex("".join(fingerprints)), np.uint64)
    return content.reshape(-1, HASHES)


def _hash_picture(picture: Floats32) -> str:
    """Hashes a shrunk picture, however dark or pale."""
    if picture.std() < LEAST_CONTRAST:
        return BLANK
    import imagehash  # noqa: PLC0415 - it imports SciPy
    from PIL import Image as Picture  # noqa: PLC0415

    stretched = (picture - picture.min()) * (255 / np.ptp(picture))
    return str(imagehash.phash(Picture.fromarray(stretched.astype(np.uint8)), LOWEST, HASHED_SIDE // LOWEST))


def _hash_change(before: Floats32, after: Floats32) -> str:
    change = after - before
    if change.std() < LEAST_CHANGE:
        return BLANK
    from scipy.fft import dctn  # noqa: PLC0415

    return np.packbits(dctn(change)[:LOWEST, :LOWEST] > 0).tobytes().hex()
