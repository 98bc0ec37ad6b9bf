import numpy as np
import pytest

from components.video.colour import brightness, colourfulness, has_cast, without_cast

Colour = tuple[int, int, int]


def halves(*colours: Colour) -> np.ndarray:
    """A picture whose columns are of these colours."""
    return np.repeat(np.repeat(np.array([colours], np.uint8), 16, axis=0), 16 // len(colours), axis=1)


@pytest.mark.parametrize(
    ("colours", "expected"),
    [
        ([(0, 0, 0)], 0.0),
        ([(130, 130, 130), (20, 20, 20)], 0.0),
        ([(255, 0, 0)], 0.3 * np.hypot(255, 127.5)),  # rg = 255, yb = 127.5, no spread
        ([(255, 255, 0), (0, 0, 255)], 255.0),  # yb = ±255: all spread, no mean
        ([(255, 0, 0), (0, 255, 0)], 255 + 0.3 * 127.5),  # rg = ±255; yb = 127.5 in both
    ],
)
def test_colourfulness_is_that_of_hasler_and_suesstrunk(colours: list[Colour], expected: float) -> None:
    assert colourfulness(halves(*colours)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("colours", "expected"),
    [([(0, 0, 0)], 0.0), ([(255, 255, 255)], 1.0), ([(0, 255, 0), (0, 0, 0)], 0.587 / 2)],
)
def test_brightness_is_mean_luma(colours: list[Colour], expected: float) -> None:
    assert brightness(halves(*colours)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("colour", "cast"),
    [((0, 0, 0), False), ((90, 90, 90), False), ((200, 120, 101), False), ((200, 120, 99), True)],
)
def test_a_cast_is_a_colour_that_drowns_another(colour: Colour, cast: bool) -> None:
    assert has_cast(halves(colour)) == cast


def test_without_a_cast_the_brightest_colour_is_left_from_black_to_white() -> None:
    grey = without_cast(halves((10, 100, 0), (20, 60, 5), (0, 20, 5), (0, 20, 1)))
    assert grey[0, ::4].tolist() == [[255] * 3, [128] * 3, [0] * 3, [0] * 3]
    assert without_cast(halves((0, 0, 0))).max() == 0
