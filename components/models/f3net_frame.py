"""F3-Net's branch of decomposed frequencies on single frames: what a face shows in each band of its spectrum.

Source: Qian et al., 2020, Thinking in Frequency: Face Forgery Detection by Mining Frequency-aware Clues,
https://arxiv.org/abs/2007.09355, whose frequency-aware decomposition (FAD) this is: a discrete cosine
transform of the whole picture, four bands of it, each with a filter that learns, transformed back, and all
pictures together through Xception. Left out: their second branch, of local frequency statistics, and how the
two are mixed. Network and ImageNet weights as in `components.models.xception_frame`; its first convolution
sees 12 channels. Clips `(B, T, 3, S, S)` of any length and of the one size that it is made for, published at
299 px. 22,217,773 parameters at 299 px.
"""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from components.models.backbone import backbone, feature_size
from components.models.base import WeightsOrigin, full_precision
from components.models.frame_network import FrameNetwork
from components.models.registry import register
from components.params import Pretrained

F3NET_SIDE = 299
"""As published, px; taken where nobody says how large frames are."""

BANDS = ((0.0, 1 / 2.82), (1 / 2.82, 1 / 2), (1 / 2, 2.0), (0.0, 2.0))
"""Sum of a coefficient's two frequencies, as a share of the side: the lowest 1/16 of all coefficients, the
next 1/16, the rest, and all."""


@register("f3net_frame")
class F3NetFrame(FrameNetwork):
    """`FrameNetwork` on Xception unless another backbone is named, behind a `Decomposition`."""

    default_backbone = "legacy_xception.tf_in1k"

    def make_backbone(
        self, name: str, pretrained: Pretrained, stages: Sequence[int], side: int | None
    ) -> tuple[nn.Module, WeightsOrigin]:
        network, origin = backbone(name, pretrained, stages, side, channels=3 * len(BANDS))
        return DecomposedBackbone(network, side or F3NET_SIDE), origin


class DecomposedBackbone(nn.Module):
    """Images `(N, 3, S, S)` → their bands → features `(N, C)`."""

    def __init__(self, network: Any, side: int) -> None:
        super().__init__()
        self.decomposition = Decomposition(side)
        self.network = network
        self.pretrained_cfg: dict[str, Any] = network.pretrained_cfg
        self.num_features = feature_size(network)

    def forward(self, images: Tensor) -> Tensor:
        features: Tensor = self.network(self.decomposition(images))
        return features


class Decomposition(nn.Module):
    """Images `(N, 3, S, S)` → a picture of each band `(N, 12, S, S)`.

    A coefficient passes by what its band says plus σ, which learns and stays within −1 and 1.
    """

    cosines: Tensor
    bands: Tensor

    def __init__(self, side: int) -> None:
        super().__init__()
        # Constants, which need not be stored with the weights.
        self.register_buffer("cosines", cosines(side), persistent=False)
        self.register_buffer("bands", bands(side), persistent=False)
        self.filters = nn.Parameter(0.1 * torch.randn(len(BANDS), side, side))

    def forward(self, images: Tensor) -> Tensor:
        with full_precision(images):
            spectrum = self.cosines @ images.float() @ self.cosines.T  # (N, 3, S, S)
            passing = self.bands + 2 * self.filters.sigmoid() - 1  # (4, S, S)
            banded = spectrum.unsqueeze(1) * passing.unsqueeze(1)  # (N, 4, 3, S, S)
            return (self.cosines.T @ banded @ self.cosines).flatten(1, 2)


def cosines(side: int) -> Tensor:
    """The orthonormal type-II discrete cosine transform `(S, S)`: D x Dᵀ is the spectrum of a picture x."""
    places = torch.arange(side, dtype=torch.float64)
    waves = torch.cos(math.pi / side * torch.outer(places, places + 0.5)) * math.sqrt(2 / side)
    waves[0] /= math.sqrt(2)
    return waves.float()


def bands(side: int) -> Tensor:
    """`(4, S, S)`, 1 where a coefficient belongs to a band of `BANDS`."""
    places = torch.arange(side, dtype=torch.float32)
    total = (places[:, None] + places) / side
    return torch.stack([((total >= least) & (total < most)).float() for least, most in BANDS])
