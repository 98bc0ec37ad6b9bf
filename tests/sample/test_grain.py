"""Fine detail is brought back to what it was, whether it was lost or added."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from sample.fairness import sharpness
from sample.grain import match_grain


def noisy(deviation: float) -> NDArray[np.uint8]:
    noise = np.random.default_rng(1).normal(0, deviation, (96, 96, 1))
    return np.clip(128 + noise + np.zeros(3), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("blur", [0.5, 1.0, 2.0])
def test_lost_grain_is_given_back(blur: float, rng: np.random.Generator) -> None:
    original = noisy(4)
    smooth = cv2.GaussianBlur(original.astype(np.float32), (0, 0), blur)
    restored = match_grain(smooth, original, np.ones((96, 96), np.float32), rng)
    assert sharpness(smooth[..., 0]) < 0.6 * sharpness(original[..., 0])
    assert 0.9 < sharpness(restored[..., 0]) / sharpness(original[..., 0]) < 1.5


def test_surplus_detail_is_taken_away(rng: np.random.Generator) -> None:
    original = noisy(2)
    harsh = 128 + 2.5 * (original.astype(np.float32) - 128)
    calmed = match_grain(harsh, original, np.ones((96, 96), np.float32), rng)
    assert sharpness(calmed[..., 0]) < 0.5 * sharpness(harsh[..., 0])


def test_nothing_changes_where_nothing_was_forged(rng: np.random.Generator) -> None:
    original = noisy(4)
    cover = np.zeros((96, 96), np.float32)
    cover[30:60, 30:60] = 1
    result = match_grain(cv2.GaussianBlur(original, (0, 0), 2).astype(np.float32), original, cover, rng)
    untouched = cv2.GaussianBlur(original, (0, 0), 2)
    assert (result[cover == 0] == untouched[cover == 0]).all()
    assert (result[40:50, 40:50] != untouched[40:50, 40:50]).any()
