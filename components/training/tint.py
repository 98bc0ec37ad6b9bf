"""A colour cast, of one colour and one strength for all frames of a clip."""

from typing import Any

import torch
from torch import Tensor
from torchvision.transforms import v2


class RandomTint(v2.Transform):  # type: ignore[misc]  # torchvision has no types
    """Darken two of the three colours: the light of a lamp, of a screen, of a night-vision camera.

    One colour stays as it is, one keeps 1 − strength, and the third is anywhere between: nothing is clipped.
    A grey clip becomes one of a single colour, as night vision is green.

    Args:
        least: smallest strength, 0 to 1.
        most: largest one.
    """

    def __init__(self, least: float, most: float) -> None:
        super().__init__()
        self.least = least
        self.most = most

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        strength = torch.empty(1).uniform_(self.least, self.most)
        lost = torch.cat([torch.zeros(1), torch.rand(1), torch.ones(1)])[torch.randperm(3)]
        return {"kept": 1.0 - strength * lost}

    def transform(self, inpt: Tensor, params: dict[str, Any]) -> Tensor:
        tinted: Tensor = inpt * params["kept"].view(3, 1, 1)
        return tinted.round().to(torch.uint8)
