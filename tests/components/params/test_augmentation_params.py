from typing import Any

import pytest
from pydantic import ValidationError

from components.params import AugmentationParams

SHIPPED: dict[str, Any] = {"flip": 0.5, "brightness": 0.15, "contrast": 0.15, "shift": 0.05}


def test_what_is_left_out_is_off() -> None:
    params = AugmentationParams(**SHIPPED)
    degradations = (params.blur, params.iso_noise, params.gaussian_noise, params.downscale, params.jpeg)
    assert {kind.chance for kind in (*degradations, params.tint)} == {0.0}
    assert (params.rotation, params.scale, params.shear, params.crop) == (0.0, (1.0, 1.0), 0.0, None)
    assert (params.saturation, params.hue, params.grey, params.erasing) == (0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"hue": 0.6}, "hue"),
        ({"rotation": -5}, "rotation"),
        ({"rotation": 200}, "rotation"),
        ({"scale": [1.1, 0.9]}, "the least comes first"),
        ({"scale": [0.0, 1.0]}, "scale"),
        ({"shear": 90}, "shear"),
        ({"crop": 0}, "crop"),
        ({"brightness": float("inf")}, "brightness"),
        ({"jpeg": {"chance": 1.5}}, "jpeg.chance"),
        ({"jpeg": {"quality": [30, 101]}}, "jpeg.quality"),
        ({"jpeg": {"quality": [100, 30]}}, "the least comes first"),
        ({"blur": {"kernel": [3, 6]}}, "use an odd number"),
        ({"blur": {"kernel": [1, 3]}}, "blur.kernel"),
        ({"downscale": {"factor": [0.0, 0.5]}}, "downscale.factor"),
        ({"downscale": {"factor": [0.5, 1.5]}}, "downscale.factor"),
        ({"gaussian_noise": {"sigma": [0.5, 5.0]}}, "gaussian_noise.sigma"),
        ({"blur": {"sigma": [2.0, 0.1]}}, "the least comes first"),
        ({"blur": {"sigma": [0.0, 2.0]}}, "blur.sigma"),
        ({"iso_noise": {"colour_shift": [0.05, 0.01]}}, "the least comes first"),
        ({"iso_noise": {"colour_shift": [0.0, 1.5]}}, "iso_noise.colour_shift"),
        ({"iso_noise": {"electrons": [0, 100]}}, "iso_noise.electrons"),
        ({"iso_noise": {"intensity": [0.1, 0.5]}}, "iso_noise.intensity"),
        ({"grey": 1.5}, "grey"),
        ({"tint": {"strength": [0.5, 1.5]}}, "tint.strength"),
        ({"tint": {"strength": [0.5, 0.1]}}, "the least comes first"),
        ({"erasing": 1.5}, "erasing"),
    ],
)
def test_what_cannot_be_meant_is_refused(changed: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        AugmentationParams(**SHIPPED | changed)
