"""A face that stands still counts once, whatever moves beside it: a clock, a cursor, or a little noise."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from components.arrays import Floats32, Image
from components.detectors.detections import Detections
from components.faces.clip import Faces, Failure
from components.faces.extract import extract
from components.faces.policy import CropPolicy
from components.video import held
from components.video.limits import Limits
from components.video.sampling import Even
from tests.components.video.test_pauses import PICTURES, PLACES, Pictures, write

HELD = 120
BOX = np.array([60, 30, 132, 120], np.float32)

Overlay = Callable[[Any, int], None]
"""Draws something on a picture that is the so many-th which is shown."""


class OneFace:
    """Finds a face at one place."""

    def detect(self, frame: Image, near: Floats32 | None = None) -> Detections:
        return Detections(BOX[None], np.ones(1, np.float32), np.zeros((1, 5, 2), np.float32))


def clock(image: Any, shown: int) -> None:
    digits = np.random.default_rng(shown).integers(0, 255, (4, 8, 3), np.uint8)
    image[:24, :64] = digits.repeat(6, 0).repeat(8, 1)


def cursor(image: Any, shown: int) -> None:
    """Crosses the picture, and with it the face, from time to time."""
    x = 4 * shown % 800
    image[60:74, x : x + 10] = 255


def grain(image: Any, shown: int) -> None:
    noise = np.random.default_rng(shown).integers(-3, 4, image.shape)
    image[:] = np.clip(image + noise, 0, 255)


OVERLAYS: list[Overlay] = [clock, cursor, grain]


def film(held: list[int]) -> Pictures:
    return [(number, 1) for number in range(PICTURES) for _ in range(HELD if number in held else 1)]


def drawn(pictures: Pictures, overlay: Overlay) -> Callable[[int], Any]:
    """Draws the picture that is shown at a place in a film: a face of a texture of its own."""

    def draw(shown: int) -> Any:
        image = np.full((144, 192, 3), 90, np.uint8)
        face = np.random.default_rng(pictures[shown][0]).integers(40, 215, (5, 4, 3), np.uint8)
        image[30:120, 60:132] = cv2.resize(face, (72, 90), interpolation=cv2.INTER_CUBIC)
        overlay(image, shown)
        return image

    return draw


def numbers(path: Path, pictures: Pictures) -> list[int]:
    """Of the pictures whose faces are cut."""
    result = extract(path, CropPolicy(sampling=Even(frames=12), size=32), Limits(), OneFace())
    assert isinstance(result, Faces)
    assert result.frames == 12
    return [pictures[round(time * 25)][0] for time in result.times.tolist()]


def filmed(folder: Path, pictures: Pictures, overlay: Overlay) -> Path:
    shown = [(index, 1) for index in range(len(pictures))]
    return write(folder / "a.mp4", shown, draw=drawn(pictures, overlay))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_face_that_is_held_counts_once(tmp_path: Path, overlay: Overlay, place: str) -> None:
    pictures = film([PLACES[place]])
    cut = numbers(filmed(tmp_path, pictures, overlay), pictures)
    assert len(set(cut)) >= 8  # else 5; a cursor upon the face makes it another one
    assert max(np.diff([0, *cut, PICTURES])) <= PICTURES / 6


def test_a_picture_under_a_clock_is_no_video(tmp_path: Path) -> None:
    path = filmed(tmp_path, [(1, 1)] * 60, clock)
    result = extract(path, CropPolicy(sampling=Even(frames=12), size=32), Limits(), OneFace())
    assert isinstance(result, Failure)
    assert (result.status, result.reason[:22]) == ("too_short", "only 1 different pictu")


def test_a_folder_of_the_same_pictures_is_cut_alike(tmp_path: Path) -> None:
    pictures = film([PLACES["start"]])
    draw = drawn(pictures, clock)
    for shown in range(len(pictures)):
        cv2.imwrite(str(tmp_path / f"{shown}.png"), draw(shown))
    assert len(set(numbers(tmp_path, pictures))) == 12


def test_nothing_is_compared_where_no_two_faces_are_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held, "SameFaces", lambda *_: pytest.fail("it was decoded once more"))
    pictures = film([])
    assert len(set(numbers(filmed(tmp_path, pictures, clock), pictures))) == 12


def test_in_the_dark_no_two_faces_are_taken_for_the_same(tmp_path: Path) -> None:
    def darken(image: Any, shown: int) -> None:
        image[:] = image // 40
        clock(image, shown)

    pictures = film([])
    assert len(set(numbers(filmed(tmp_path, pictures, darken), pictures))) == 12
