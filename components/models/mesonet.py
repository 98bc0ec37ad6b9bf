"""Meso-4 and MesoInception-4 on single frames: so few layers that they see texture, and no more than that.

Source: Afchar et al., 2018, MesoNet: a Compact Facial Video Forgery Detection Network,
https://arxiv.org/abs/1809.00888; their code: https://github.com/DariusAf/MesoNet. Clips `(B, T, 3, H, W)` of
any length and of the one size that it is made for, published at 256 px; pixels are in 0…1. 27,977 parameters
as Meso-4 and 28,615 as MesoInception-4, at 256 px.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from components.models.base import Candidate, Outputs, mean_over_frames
from components.models.registry import register
from components.params import networks

MESONET_SIDE = 256
"""As published, px; taken where nobody says how large frames are."""

SHRUNK = 32
"""The side of a frame to the side of its last map."""

CHANNELS = 16
"""Channels of the last map, and the hidden features of a frame."""


class Branches(NamedTuple):
    """Channels of the four branches of an inception block; dilations are none, 1, 2 and 3."""

    plain: int
    first: int
    second: int
    third: int


INCEPTION = (Branches(1, 4, 4, 2), Branches(2, 4, 4, 2))


@register("mesonet")
class MesoNet(Candidate):
    """The mean of the frames' logits."""

    mean, std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    embedding_size = CHANNELS

    def __init__(self, network: networks.MesoNet, side: int | None = None) -> None:
        super().__init__()
        first = _meso if network.variant == "meso4" else _inception
        last = -(-(side or MESONET_SIDE) // SHRUNK)
        self.features = nn.Sequential(
            *first(), *_block(nn.Conv2d(CHANNELS, CHANNELS, 5, padding=2), CHANNELS, 4)
        )
        self.hidden = nn.Sequential(
            nn.Flatten(),
            nn.Dropout(network.dropout),
            nn.Linear(CHANNELS * last**2, CHANNELS),
            nn.LeakyReLU(0.1),
        )
        self.head = nn.Sequential(nn.Dropout(network.dropout), nn.Linear(CHANNELS, 1))

    def embed(self, frames: Tensor) -> Tensor:
        features: Tensor = self.hidden(self.features(frames))
        return features

    def classify(self, features: Tensor, mask: Tensor | None = None) -> Outputs:
        logits = self.head(features)  # (B, T, 1)
        both = torch.cat([torch.zeros_like(logits), logits], dim=-1)
        return Outputs(mean_over_frames(both, mask), mean_over_frames(features, mask))


class Inception(nn.Module):
    """`(N, C, H, W)` → the branches' channels side by side, as large."""

    def __init__(self, inputs: int, branches: Branches) -> None:
        super().__init__()
        plain, *wide = branches
        self.branches = nn.ModuleList([nn.Sequential(nn.Conv2d(inputs, plain, 1), nn.ReLU())])
        for dilation, channels in enumerate(wide, start=1):
            wider = nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation)
            narrow = nn.Conv2d(inputs, channels, 1)
            self.branches.append(nn.Sequential(narrow, nn.ReLU(), wider, nn.ReLU()))

    def forward(self, maps: Tensor) -> Tensor:
        return torch.cat([branch(maps) for branch in self.branches], dim=1)


def _meso() -> list[nn.Module]:
    return [
        *_block(nn.Conv2d(3, 8, 3, padding=1), 8),
        *_block(nn.Conv2d(8, 8, 5, padding=2), 8),
        *_block(nn.Conv2d(8, CHANNELS, 5, padding=2), CHANNELS),
    ]


def _inception() -> list[nn.Module]:
    first, second = map(sum, INCEPTION)
    return [
        *_block(Inception(3, INCEPTION[0]), first),
        *_block(Inception(first, INCEPTION[1]), second),
        *_block(nn.Conv2d(second, CHANNELS, 5, padding=2), CHANNELS),
    ]


def _block(convolutions: nn.Module, channels: int, shrunk: int = 2) -> tuple[nn.Module, ...]:
    """Convolutions, and then a map whose side is a share of theirs, rounded up."""
    return convolutions, nn.ReLU(), nn.BatchNorm2d(channels), nn.MaxPool2d(shrunk, ceil_mode=True)
