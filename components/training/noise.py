"""Noise whose strength all frames of a clip share, and whose grain is fresh in each of them.

A sensor's noise is another one in every frame. Where all frames carried the same grain it would stand still
like dirt on the lens, and its standing still would be a clue that no camera leaves. All draws come from
torch's global generator, in the order of the clip's axes, however it lies in memory.
"""

import math
from typing import Any

import torch
from torch import Tensor
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional

SRGB_GAMMA = 2.2
"""Of the display: light is a pixel's value to this power, about."""

READ_NOISE = 3.0
"""Standard deviation of reading a sensor out, electrons; present ones have one to five."""


class RandomGaussianNoise(v2.Transform):  # type: ignore[misc]  # torchvision has no types
    """torchvision's Gaussian noise, of a strength that is drawn.

    Args:
        least: smallest standard deviation, as a share of white.
        most: largest one.
    """

    def __init__(self, least: float, most: float) -> None:
        super().__init__()
        self.least = least
        self.most = most

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        return {"sigma": torch.empty(1).uniform_(self.least, self.most).item()}

    def transform(self, inpt: Tensor, params: dict[str, Any]) -> Tensor:
        noisy: Tensor = functional.gaussian_noise(inpt.contiguous(), sigma=params["sigma"])
        return noisy


class RandomIsoNoise(v2.Transform):  # type: ignore[misc]
    """The grain of a sensor at high ISO: shot noise and read noise of each colour for itself.

    The count of electrons in a pixel scatters with its own square root, and reading it out adds some more
    (Poissonian-Gaussian noise, https://doi.org/10.1109/TIP.2008.2001399; here with the normal distribution
    for both). In the picture this shows most in the shadows. Left out: that demosaicing and a camera's own
    denoising make coarser spots of it.

    Args:
        electrons: that white gathers, at the highest ISO and at the lowest.
        colour_shift: least and most standard deviation of a pixel's hue, as a share of the colour circle;
            none: hues stay.
    """

    def __init__(self, electrons: tuple[float, float], colour_shift: tuple[float, float] | None) -> None:
        super().__init__()
        self.electrons = electrons
        self.colour_shift = colour_shift

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Returns a number of electrons; ISO goes by doublings, so that each doubling is as likely."""
        least, most = map(math.log, self.electrons)
        white = math.exp(torch.empty(1).uniform_(least, most).item())
        if self.colour_shift is None:
            return {"white": white, "shift": 0.0}
        return {"white": white, "shift": torch.empty(1).uniform_(*self.colour_shift).item()}

    def transform(self, inpt: Tensor, params: dict[str, Any]) -> Tensor:
        white = params["white"]
        by_value = torch.linspace(0, 1, 256) ** SRGB_GAMMA
        light = by_value.index_select(0, inpt.flatten().int()).view(inpt.shape)
        spread = (light * white + READ_NOISE**2).sqrt() / white
        noisy = light + spread * torch.randn(inpt.shape)
        shown: Tensor = 255 * noisy.clamp(0, 1) ** (1 / SRGB_GAMMA)
        if params["shift"]:
            angles = 2 * math.pi * params["shift"] * torch.randn(inpt[:, 0].shape)
            shown = turned_hues(shown, angles).clamp(0, 255)
        return shown.round().to(torch.uint8)


def turned_hues(frames: Tensor, angles: Tensor) -> Tensor:
    """Turns the colour of each pixel about the axis of greys: its mean stays, and so does a grey.

    Args:
        frames: `(T, 3, H, W)`, RGB.
        angles: `(T, H, W)`, radians.
    """
    grey = frames.mean(dim=1, keepdim=True)
    colour = frames - grey
    across = (colour.roll(1, dims=1) - colour.roll(2, dims=1)) / math.sqrt(3)  # the axis times the colour
    turn = angles.unsqueeze(1)
    return grey + turn.cos() * colour + turn.sin() * across
