"""Who is in front of the camera: traits drawn from a seed. Nobody here was ever photographed.

Lengths are in head units: 1 is half the width of an average face. The origin lies between the eyes and the
nose, x points to the right of the picture and y down.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

HairStyle = Literal["bald", "buzz", "short", "curly", "long"]
Beard = Literal["none", "stubble", "goatee", "full"]
Glasses = Literal["none", "round", "square"]
Colour = tuple[float, float, float]
"""Red, green, blue in linear light, 0 to 1."""

# From light to dark, as sRGB. A person's tone lies between two neighbours.
_SKIN_TONES = ((243, 212, 194), (231, 188, 160), (214, 160, 126), (181, 126, 92), (134, 88, 62), (92, 60, 45))
_HAIR_TONES = ((24, 19, 18), (52, 34, 24), (92, 58, 34), (150, 104, 58), (196, 160, 104), (134, 58, 26))
_GREY_HAIR = (196, 194, 192)
_IRIS_TONES = ((88, 56, 32), (120, 84, 44), (92, 110, 70), (84, 124, 160), (110, 124, 130), (52, 34, 24))


@dataclass(frozen=True)
class Person:
    """The traits of one face. Everything else about its looks is noise from `seed`."""

    seed: tuple[int, ...]
    skin: Colour
    hair: Colour
    iris: Colour
    lips: Colour
    age: float  # 0 smooth skin … 1 deep lines
    freckles: float  # 0 … 1
    face_width: float
    chin: float  # y of the chin
    jaw: float  # exponent of the jaw line: larger is squarer
    eye_spacing: float  # x of an eye's centre
    eye_size: float
    eye_tilt: float  # radians, outer corner up
    brow_height: float
    brow_weight: float
    brow_tilt: float
    nose_length: float
    nose_width: float
    mouth_width: float
    lip_fullness: float
    hair_style: HairStyle
    hairline: float  # y of the hairline's middle
    parting: float  # where the hairline peaks, −1 … 1
    beard: Beard
    glasses: Glasses


def draw_person(seed: int, index: int) -> Person:
    """Draws the traits of person number `index` of the sample with this seed."""
    rng = np.random.default_rng([seed, index, 0])
    tone = rng.uniform()
    age = float(rng.beta(1.2, 1.8))
    skin = linear(_between(_SKIN_TONES, tone) + rng.normal(0, 4, 3))
    return Person(
        seed=(seed, index),
        skin=skin,
        hair=linear(_hair_tone(rng, tone, age)),
        iris=linear(_between(_IRIS_TONES, rng.uniform(0, 0.99) if tone < 0.5 else rng.uniform(0, 0.3))),
        lips=_lip_tone(skin, rng),
        age=age,
        freckles=float(rng.uniform(0.4, 1.0)) if tone < 0.6 and rng.uniform() < 0.35 else 0.0,
        **_proportions(rng),
        **_grooming(rng),
    )


def _proportions(rng: np.random.Generator) -> dict[str, Any]:
    ranges = {
        "face_width": (0.9, 1.06),
        "chin": (1.16, 1.36),
        "jaw": (2.2, 3.4),
        "eye_spacing": (0.37, 0.44),
        "eye_size": (0.19, 0.235),
        "eye_tilt": (-0.06, 0.16),
        "brow_height": (-0.53, -0.43),
        "brow_weight": (0.03, 0.075),
        "brow_tilt": (-0.12, 0.16),
        "nose_length": (0.28, 0.4),
        "nose_width": (0.82, 1.3),
        "mouth_width": (0.3, 0.42),
        "lip_fullness": (0.75, 1.4),
        "hairline": (-1.06, -0.82),
        "parting": (-0.9, 0.9),
    }
    return {name: float(rng.uniform(*limits)) for name, limits in ranges.items()}


def _grooming(rng: np.random.Generator) -> dict[str, Any]:
    style = rng.choice(["bald", "buzz", "short", "curly", "long"], p=[0.1, 0.15, 0.3, 0.2, 0.25])
    beard = (
        "none"
        if style == "long"
        else rng.choice(["none", "stubble", "goatee", "full"], p=[0.55, 0.2, 0.1, 0.15])
    )
    glasses = rng.choice(["none", "round", "square"], p=[0.76, 0.12, 0.12])
    return {"hair_style": str(style), "beard": str(beard), "glasses": str(glasses)}


def _between(tones: tuple[tuple[int, int, int], ...], place: float) -> NDArray[np.float64]:
    """Returns the tone at `place` (0 first … 1 last) of a scale."""
    steps = np.linspace(0, 1, len(tones))
    return np.array([np.interp(place, steps, [tone[channel] for tone in tones]) for channel in range(3)])


def _hair_tone(rng: np.random.Generator, skin_tone: float, age: float) -> NDArray[np.float64]:
    colour = _between(_HAIR_TONES, rng.uniform(0, 0.35) if skin_tone > 0.55 else rng.uniform())
    grey = np.clip((age - 0.55) * 2.4 + rng.normal(0, 0.15), 0, 1)
    return np.asarray(colour + grey * (np.array(_GREY_HAIR) - colour))


def _lip_tone(skin: Colour, rng: np.random.Generator) -> Colour:
    tint = np.array([0.94, 0.6, 0.62]) * rng.uniform(0.85, 1.08)
    red, green, blue = np.array(skin) * tint + np.array([0.02, 0.0, 0.005])
    return float(red), float(green), float(blue)


def linear(srgb: NDArray[np.float64]) -> Colour:
    """Returns an sRGB colour (0 to 255) in linear light."""
    red, green, blue = (np.clip(srgb, 0, 255) / 255.0) ** 2.2
    return float(red), float(green), float(blue)
