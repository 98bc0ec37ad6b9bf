import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from components.faces.align import TEMPLATE, TEMPLATE_SIDE, on_template
from components.faces.crop import Map, cut_face

BOX = np.array([0, 0, 112, 112], np.float32)


def similarity(scale: float, degrees: float, shift: tuple[float, float]) -> Map:
    turn = scale * np.exp(1j * np.deg2rad(degrees))
    return np.array([[turn.real, -turn.imag, shift[0]], [turn.imag, turn.real, shift[1]]])


def apply(place: Map, points: NDArray[np.float64]) -> NDArray[np.float64]:
    return points @ place[:, :2].T + place[:, 2]


@pytest.mark.parametrize(
    ("scale", "degrees", "shift"),
    [
        (1.0, 0.0, (0.0, 0.0)),
        (0.4, 0.0, (50.0, 20.0)),
        (2.5, 35.0, (-30.0, 5.5)),
        (1.0, -170.0, (300.0, 200.0)),
    ],
)
@pytest.mark.parametrize("margin", [0.0, 0.5])
def test_landmarks_come_to_lie_on_the_template(
    scale: float, degrees: float, shift: tuple[float, float], margin: float
) -> None:
    landmarks = apply(similarity(scale, degrees, shift), TEMPLATE).astype(np.float32)
    place = on_template(landmarks, BOX * np.float32(scale), 224, margin)
    assert place is not None
    side = 224 / (1 + margin)  # of the template within the crop
    expected = (TEMPLATE + 0.5) * side / TEMPLATE_SIDE + (224 - side) / 2
    assert apply(place, expected) == pytest.approx(landmarks + 0.5, abs=1e-3)


def test_the_similarity_is_the_one_of_least_squares() -> None:
    rng = np.random.default_rng(2)
    landmarks = (TEMPLATE * 1.7 + [30, 60] + rng.normal(0, 4, (5, 2))).astype(np.float32)
    place = on_template(landmarks, BOX * np.float32(1.7), 112, 0.0)
    assert place is not None
    inverse = cv2.invertAffineTransform(place)
    aligned = apply(inverse, landmarks.astype(np.float64) + 0.5) - 0.5
    least = np.sum((aligned - TEMPLATE) ** 2)
    for change in (similarity(1.01, 0, (0, 0)), similarity(1, 0.5, (0, 0)), similarity(1, 0, (0.3, -0.3))):
        assert np.sum((apply(change, aligned) - TEMPLATE) ** 2) > least


def test_a_tilted_face_is_upright_in_its_crop() -> None:
    picture = np.zeros((300, 300, 3), np.uint8)
    landmarks = apply(similarity(1.2, 25, (110, 40)), TEMPLATE)
    for x, y in landmarks:
        cv2.circle(picture, (round(x * 16), round(y * 16)), 4 * 16, (255, 255, 255), -1, shift=4)
    place = on_template(landmarks.astype(np.float32), BOX * np.float32(1.2), 112, 0.0)
    assert place is not None
    _, _, _, centres = cv2.connectedComponentsWithStats(
        (cut_face(picture, place, 112)[..., 0] > 127).astype(np.uint8)
    )
    found = sorted(centres[1:].tolist())
    assert np.array(found) == pytest.approx(np.array(sorted(TEMPLATE.tolist())), abs=0.3)


@pytest.mark.parametrize(
    "landmarks",
    [
        np.full((5, 2), np.nan),
        np.vstack([TEMPLATE[:4], [[np.nan, 3.0]]]),
        np.full((5, 2), 40.0),  # all in one place
        TEMPLATE * 0.3,  # far too small for the box
        TEMPLATE * 5.0,
        TEMPLATE * [-1.0, 1.0],  # a mirror image: no turn makes it a face
    ],
)
def test_landmarks_that_are_no_face_are_not_aligned(landmarks: NDArray[np.float64]) -> None:
    assert on_template(landmarks.astype(np.float32), BOX, 112, 0.3) is None
