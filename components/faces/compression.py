"""Crops in fewer bytes, each on its own and without loss.

What is left of a pixel once the green of the pixel itself is taken from its red and blue, and the row above
from all three, is mostly near zero: the prediction of lossless WebP ("subtract green") and of PNG (filter
"up"), chosen because both can be undone a row at a time. Zstandard then does what is left.

Libraries alone would do. `python benchmarks/clip_store.py`, four clips of 16 frames of 224 px out of sample
videos, CPU time of one core of a busy machine:

    format                         kB   write   clips/s, whole   clips/s, 4 of 16
    raw, memory map              2409    1 ms              521               3371
    Zstandard 3 alone            1485   15 ms              187               1079
    this, in the store            835   15 ms              149                689
    PNG, level 1                  992   49 ms               43                182
    WebP lossless, method 0       709   49 ms               67                284
    WebP lossless, method 4       577    1.5 s              58                255
    FFV1, each frame on its own   553   43 ms               22                 85

With eight clips of filmed and generated talking heads: raw 2409 kB, 515 and 4410 clips/s; this 906 kB, 94 and
394; WebP (method 0) 775 kB, 64 and 214.

Raw is much faster as long as the files stay in memory, of which they take three times as much; past that,
disks decide. WebP is a sixth smaller with no code of ours, and takes 1.5 to 2.4 times as long to read, in
every epoch, in the process that trains. Validation, which reads whole clips, would take up to that much
longer; training would not: augmenting four frames takes 5 ms of a core, reading them 1.5 to 2.5 ms here and
3.5 to 4.7 ms with WebP.
"""

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Crops = NDArray[np.uint8]

RED, GREEN, BLUE = range(3)
LEVEL = 1
"""Of Zstandard: higher ones take a hundredth off, and much longer."""


def compress(crop: Crops) -> bytes:
    """Returns an RGB crop (S, S, 3) as bytes."""
    planes = np.array(crop.transpose(0, 2, 1), order="C")  # (S, 3, S): row, colour, column
    planes[:, [RED, BLUE]] -= planes[:, [GREEN]]
    planes[1:] -= planes[:-1].copy()
    return bytes(_zstd().compress(planes, asbytes=True))


def decompress(compressed: Sequence[bytes], size: int) -> Crops:
    """Crops (N, S, S, 3) of `size` px that `compress` has made into bytes.

    Raises:
        ValueError: they are not that.
    """
    planes = _inflate(compressed, size)
    lines = planes.reshape(size, -1)
    for above, line in pairwise(lines):
        np.add(line, above, out=line)  # np.cumsum goes column by column: 10 times slower
    planes[:, :, [RED, BLUE]] += planes[:, :, [GREEN]]
    return _interleave(planes)


def _inflate(compressed: Sequence[bytes], size: int) -> NDArray[np.uint8]:
    """Returns what `compress` gave to Zstandard, (S, N, 3, S): rows of all crops side by side."""
    planes = np.empty((size, len(compressed), 3, size), np.uint8)
    zstd = _zstd()
    for index, content in enumerate(compressed):
        try:
            raw = zstd.decompress(content, decompressed_size=size * size * 3)
        except OSError as error:
            raise ValueError("not Zstandard's") from error
        planes[:, index] = np.frombuffer(raw, np.uint8).reshape(size, 3, size)
    return planes


def _interleave(planes: NDArray[np.uint8]) -> Crops:
    size, count = planes.shape[:2]
    crops = np.empty((count, size, size, 3), np.uint8)
    for index, crop in enumerate(crops):  # 7 times faster than assigning the transposed array
        cv2.merge([planes[:, index, colour] for colour in (RED, GREEN, BLUE)], crop)
    return crops


def _zstd() -> pa.Codec:
    return pa.Codec("zstd", compression_level=LEVEL)
