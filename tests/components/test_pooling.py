import math

import pytest

from components.pooling import decisive


@pytest.mark.parametrize(
    ("logits", "index"),
    [
        ([-3.0], 0),
        ([-3.0, -1.0, -2.0], 1),
        ([2.0, 2.0], 0),  # the more prominent one
        ([9.0, math.nan, 10.0], 1),  # seen, not outvoted
        ([-math.inf, -5.0], 1),
    ],
)
def test_the_most_suspicious_face_decides(logits: list[float], index: int) -> None:
    assert decisive(logits) == index
