from typing import Any

import numpy as np
import pytest

from components.faces.compression import compress, decompress


def pictures(size: int) -> dict[str, np.ndarray[Any, Any]]:
    rng = np.random.default_rng(5)
    rows, columns = np.mgrid[:size, :size]
    smooth = np.stack([rows, columns, rows + columns], -1) * 255 // (2 * size) + rng.integers(
        0, 4, (size, size, 3)
    )
    return {
        "noise": rng.integers(0, 256, (size, size, 3), np.uint8),
        "black": np.zeros((size, size, 3), np.uint8),
        "white": np.full((size, size, 3), 255, np.uint8),
        "stripes": np.where(rows[..., None] % 2, np.uint8(255), np.zeros(3, np.uint8)),
        "smooth": smooth.astype(np.uint8),
    }


@pytest.mark.parametrize("size", [1, 32, 95, 380])
def test_crops_come_back_as_they_were(size: int) -> None:
    crops = np.stack(list(pictures(size).values()))
    before = crops.copy()
    assert np.array_equal(decompress([compress(crop) for crop in crops], size), before)
    assert decompress([], size).shape == (0, size, size, 3)


def test_crops_that_lie_apart_in_memory_come_back() -> None:
    crop = np.flip(pictures(40)["noise"], axis=1)
    assert np.array_equal(decompress([compress(crop)], 40)[0], crop)


def test_what_can_be_predicted_shrinks() -> None:
    crops = pictures(96)
    assert len(compress(crops["smooth"])) < 0.45 * crops["smooth"].nbytes
    assert len(compress(crops["noise"])) < 1.01 * crops["noise"].nbytes


@pytest.mark.parametrize("content", [b"", b"garbage", compress(np.zeros((8, 8, 3), np.uint8))])
def test_what_was_not_compressed_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decompress([content], 16)


def test_a_broken_crop_is_refused() -> None:
    with pytest.raises(ValueError, match=r".+"):
        decompress([compress(pictures(32)["noise"])[:-9]], 32)
