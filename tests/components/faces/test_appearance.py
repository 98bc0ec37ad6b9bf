import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from components.faces.appearance import LENGTH, looks, unlikeness
from components.faces.track import SAME_LOOK

FACE = np.array([[100, 60, 180, 160]], np.float32)


def portrait(skin: tuple[int, int, int], hair: tuple[int, int, int], light: float = 1.0) -> NDArray[np.uint8]:
    """A head lit from the left, with some texture."""
    image = np.full((240, 320, 3), (90, 120, 150), np.uint8)
    cv2.ellipse(image, (140, 100), (52, 66), 0, 0, 360, hair, -1)
    cv2.ellipse(image, (140, 115), (38, 48), 0, 0, 360, skin, -1)
    shade = light * np.linspace(1.2, 0.6, 121)[None, :, None]
    lit = image.astype(float)
    lit[:, 80:201] *= shade
    texture = cv2.GaussianBlur(np.random.default_rng(0).normal(0, 25, image.shape[:2]), (0, 0), 1.5)
    return np.clip(lit + texture[..., None], 0, 255).astype(np.uint8)


PALE, DARK, BLOND, BLACK = (225, 180, 155), (120, 80, 60), (200, 165, 105), (30, 25, 22)


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (portrait(PALE, BLACK), True),
        (portrait(PALE, BLACK, light=0.85), True),
        (portrait(DARK, BLACK), False),
        (portrait(PALE, BLOND), False),
        (portrait(DARK, BLOND), False),
    ],
)
def test_faces_are_told_apart_by_their_colours(other: NDArray[np.uint8], same: bool) -> None:
    difference = unlikeness(looks(portrait(PALE, BLACK), FACE), looks(other, FACE))
    assert difference.shape == (1, 1)
    assert (difference[0, 0] < SAME_LOOK) == same


def test_size_place_and_background_matter_little() -> None:
    one = portrait(PALE, BLACK)
    other = cv2.resize(one, None, fx=2.5, fy=2.5)
    shifted = np.roll(one, 40, axis=1)
    assert unlikeness(looks(one, FACE), looks(other, FACE * 2.5))[0, 0] < 0.1
    assert unlikeness(looks(one, FACE), looks(shifted, FACE + np.array([40, 0, 40, 0])))[0, 0] < 0.01


@pytest.mark.parametrize("box", [(5, 5, 5, 5), (-90, -90, -10, -10), (310, 230, 400, 300)])
def test_odd_boxes_have_looks(box: tuple[int, ...]) -> None:
    found = looks(portrait(PALE, BLACK), np.array([box], np.float32))
    assert found.shape == (1, LENGTH)
    assert np.isfinite(found).all()


def test_nobody_has_no_looks() -> None:
    assert looks(portrait(PALE, BLACK), np.empty((0, 4), np.float32)).shape == (0, LENGTH)
