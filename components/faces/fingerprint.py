"""What a video looks like, in a few bytes: copies that were encoded anew keep it, other videos differ.

The perceptual hash is ImageHash's `phash` (Zauner, 2010, "Implementation and Benchmarking of Perceptual Image
Hash Functions"): which of the lowest frequencies of a small grey picture are above their median.
"""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from components.faces.video import Image

PICTURES = 4
"""Sampled from a video."""

SIDE = 16
"""A picture's hash has SIDE × SIDE bits."""

DIGITS = SIDE * SIDE // 4
"""Hex digits of a picture's hash."""

BLANK = "0" * DIGITS
"""Stands for a picture that says nothing."""

Fingerprint = Annotated[str, Field(pattern=f"^[0-9a-f]{{{PICTURES * DIGITS}}}$")]
"""The hashes of a video's pictures, one after another."""

LEAST_CONTRAST = 4.0
"""Standard deviation of grey levels, of 255; below it a picture is as good as blank, and its hash noise."""

LEAST_PICTURES = 2
"""That must say something."""


def hash_picture(image: Image) -> str:
    """Hex digits of the hash of an RGB picture (H, W, 3); `BLANK` where it shows next to nothing."""
    # Only here: a worker that only probes pays neither for Pillow nor for SciPy, which `phash` imports.
    import imagehash  # noqa: PLC0415
    from PIL import Image as Picture  # noqa: PLC0415

    small = Picture.fromarray(image).convert("L").resize((4 * SIDE, 4 * SIDE), Picture.Resampling.LANCZOS)
    if np.asarray(small).std() < LEAST_CONTRAST:
        return BLANK
    return str(imagehash.phash(small, SIDE))


def join(hashes: Sequence[str]) -> Fingerprint | None:
    """A video's fingerprint; None where its pictures say too little, or are too few."""
    if len(hashes) != PICTURES or PICTURES - hashes.count(BLANK) < LEAST_PICTURES:
        return None
    return "".join(hashes)


def words(fingerprints: Sequence[str]) -> NDArray[np.uint64]:
    """Fingerprints as words (N, PICTURES × SIDE² / 64), for counting the bits in which they differ."""
    content = np.frombuffer(bytes.fromhex("".join(fingerprints)), np.uint64)
    return content.reshape(-1, PICTURES * SIDE * SIDE // 64)


def coarse_words(fine: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Of `words`, the 8 × 8 lowest frequencies of the first picture (N,)."""
    rows = fine.view(np.uint8)[:, : SIDE * SIDE // 8].reshape(len(fine), SIDE, SIDE // 8)
    return np.ascontiguousarray(rows[:, :8, 0]).view(np.uint64)[:, 0]
