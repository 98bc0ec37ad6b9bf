"""What a training clip goes through; every frame of it goes through the same.

A change that differed between frames would look like the flicker by which forgeries betray themselves. So
each strength is drawn once for a clip: one angle, one JPEG quality, one erased rectangle, one amount of
noise. Only the grain of the noise is fresh in each frame (`components.training.noise` says why).

The order is that of a recording: the scene, the optics, the sensor, the copy; then the face is cut out of it,
anywhere in the blocks of its compression; and then what covers it.
"""

import math
from collections.abc import Iterator

from torchvision.transforms import InterpolationMode, v2

from components.errors import ParamsError
from components.params import AugmentationParams
from components.training.jpeg import RandomJpeg
from components.training.noise import RandomGaussianNoise, RandomIsoNoise
from components.training.tint import RandomTint


def augmentation(params: AugmentationParams, size: int) -> v2.Transform:
    """Returns a transform of clips `(T, 3, S, S)` to `(T, 3, S', S')`, uint8, which draws once a call.

    All draws come from torch's global generator.

    Args:
        params: strengths; see params.yaml. `S'` is `params.crop`, or `S` where that is not given.
        size: side `S` of the stored crops, px.

    Raises:
        ParamsError: `params.crop` is larger than the stored crops.
    """
    side = params.crop or size
    if side > size:
        raise ParamsError(
            f"augmentation.crop = {side}: the stored crops have {size} px; lower it, or raise faces.size"
        )
    cut = v2.RandomCrop(side, padding=round(params.shift * size), padding_mode="edge")
    return v2.Compose([*_scene(params, size), *_degradations(params, size), cut, *_cover(params)])


def _scene(params: AugmentationParams, size: int) -> Iterator[v2.Transform]:
    """Yields how the face is held and lit."""
    yield v2.RandomHorizontalFlip(params.flip)
    if params.rotation or params.shear or params.scale != (1.0, 1.0):
        yield from _affine(params, size)
    yield v2.ColorJitter(params.brightness, params.contrast, params.saturation, params.hue)
    if params.grey:
        yield v2.RandomGrayscale(params.grey)
    if params.tint.chance:
        yield v2.RandomApply([RandomTint(*params.tint.strength)], params.tint.chance)


def _affine(params: AugmentationParams, size: int) -> Iterator[v2.Transform]:
    """Rotation, scale and shear about the middle. The rim is continued outwards first: no black corners."""
    yield v2.Pad(_reach(params, size), padding_mode="edge")
    yield v2.RandomAffine(
        params.rotation,
        scale=params.scale,
        shear=params.shear or None,
        interpolation=InterpolationMode.BILINEAR,
        fill=None,  # nothing beyond the continued rim is seen, and any colour for it takes twice the time
    )
    yield v2.CenterCrop(size)


def _reach(params: AugmentationParams, size: int) -> int:
    """Returns how far beyond the rim an affine change may look, px."""
    turn = math.radians(min(params.rotation, 45.0))
    corner = math.cos(turn) + math.sin(turn)  # of a turned square of half side 1
    farthest = corner * (1 + math.tan(math.radians(params.shear))) / params.scale[0]
    return max(0, math.ceil(size / 2 * (farthest - 1))) + 1


def _degradations(params: AugmentationParams, size: int) -> Iterator[v2.Transform]:
    """Yields what optics, sensors and copies do to a picture."""
    blur, iso, gaussian, downscale, jpeg = (
        params.blur, params.iso_noise, params.gaussian_noise, params.downscale, params.jpeg,
    )  # fmt: skip
    if blur.chance:
        kernels = range(blur.kernel[0], blur.kernel[1] + 1, 2)
        blurs = [_blur(kernel, blur.sigma) for kernel in kernels]
        yield v2.RandomApply([v2.RandomChoice(blurs)], blur.chance)
    if iso.chance:
        yield v2.RandomApply([RandomIsoNoise(iso.electrons, iso.colour_shift)], iso.chance)
    if gaussian.chance:
        yield v2.RandomApply([RandomGaussianNoise(*gaussian.sigma)], gaussian.chance)
    if downscale.chance:
        least, most = (max(1, round(factor * size)) for factor in downscale.factor)
        yield v2.RandomApply([v2.RandomResize(least, most + 1), v2.Resize(size)], downscale.chance)
    if jpeg.chance:
        yield v2.RandomApply([RandomJpeg(*jpeg.quality)], jpeg.chance)


def _blur(kernel: int, sigma: tuple[float, float] | None) -> v2.Transform:
    usual = 0.15 * kernel + 0.35  # px; what OpenCV and torchvision take for a kernel of this width
    return v2.GaussianBlur(kernel, sigma or (usual, usual))


def _cover(params: AugmentationParams) -> Iterator[v2.Transform]:
    if params.erasing:
        yield v2.RandomErasing(params.erasing)
