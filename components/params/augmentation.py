"""`training.augmentation` of params.yaml: what a training clip goes through.

Whatever a file leaves out is off.
"""

from typing import Annotated, TypeVar

from pydantic import AfterValidator, Field, PositiveFloat

from components.params.section import Section
from components.values import Amount, Share, Size

Number = TypeVar("Number", int, float)

Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
Quality = Annotated[int, Field(ge=1, le=100)]


def _rising(span: tuple[Number, Number]) -> tuple[Number, Number]:
    if span[0] > span[1]:
        raise ValueError("the least comes first, then the most")
    return span


def _odd(side: int) -> int:
    if side % 2 == 0:
        raise ValueError("a kernel has a middle: use an odd number")
    return side


NumberRange = Annotated[tuple[Number, Number], AfterValidator(_rising)]
"""From the least to the most."""

KernelSide = Annotated[int, Field(ge=3, le=31), AfterValidator(_odd)]


class Sometimes(Section):
    """What happens to so large a share of the clips."""

    chance: Share = 0.0


class Tint(Sometimes):
    """A colour cast: the colour that loses most loses so much of its light."""

    strength: NumberRange[Share] = (0.1, 0.6)


class Blur(Sometimes):
    """A Gaussian blur whose kernel is so many px wide."""

    kernel: NumberRange[KernelSide] = (3, 7)
    sigma: NumberRange[Positive] | None = None  # px; none: what suits the kernel


class IsoNoise(Sometimes):
    """The grain of a sensor at high ISO: stronger in the shadows, each colour for itself."""

    electrons: NumberRange[Positive] = (300.0, 3000.0)  # in white; fewer: higher ISO
    # Standard deviation of each pixel's hue, as a share of the colour circle; none: hues stay.
    colour_shift: NumberRange[Share] | None = None


class GaussianNoise(Sometimes):
    """Noise of the same strength everywhere."""

    sigma: NumberRange[Share] = (0.01, 0.05)  # standard deviation, as a share of white


class Downscale(Sometimes):
    """Scaled down to a share of the side, and up again."""

    factor: NumberRange[Annotated[Share, Field(gt=0.0)]] = (0.5, 0.9)


class Jpeg(Sometimes):
    """Compressed and decompressed."""

    quality: NumberRange[Quality] = (30, 100)


class AugmentationParams(Section):
    """What may happen to a clip, each drawn once for all of its frames."""

    flip: Share
    rotation: float = Field(default=0.0, ge=0.0, le=180.0)  # degrees, to either side
    scale: NumberRange[PositiveFloat] = (1.0, 1.0)
    shear: float = Field(default=0.0, ge=0.0, le=60.0)  # degrees, to either side
    brightness: Amount
    contrast: Amount
    saturation: Amount = 0.0
    hue: float = Field(default=0.0, ge=0.0, le=0.5)  # share of the colour circle
    grey: Share = 0.0  # chance that a clip loses its colours
    tint: Tint = Tint()
    blur: Blur = Blur()
    iso_noise: IsoNoise = IsoNoise()
    gaussian_noise: GaussianNoise = GaussianNoise()
    downscale: Downscale = Downscale()
    jpeg: Jpeg = Jpeg()
    crop: Size | None = None  # px: a part of so many px, anywhere in the stored crop
    shift: Share  # of the side
    erasing: Share = 0.0  # chance that a rectangle goes black
