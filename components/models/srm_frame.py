"""Two networks on single frames: one sees the picture, the other its noise.

Source: the steganalysis rich model's high-pass filters (Fridrich & Kodovský, 2012,
https://doi.org/10.1109/TIFS.2012.2190402), of which three go before a second stream (Zhou et al., 2018,
https://arxiv.org/abs/1805.04953), as against face forgeries: Luo et al., 2021, Generalizing Face Forgery
Detection with High-frequency Features, https://arxiv.org/abs/2103.12376. Left out: Luo's filters and
attention between the streams, of which here only the last features meet. Networks and ImageNet weights as in
`components.models.xception_frame`. Clips `(B, T, 3, H, W)` of any length and size; published at 299 px.
43,713,105 parameters.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, pad

from components.models.backbone import backbone, feature_size
from components.models.base import WeightsOrigin, full_precision
from components.models.frame_network import FrameNetwork
from components.models.registry import register
from components.params import Pretrained

SQUARE_3 = ((0, 0, 0, 0, 0), (0, -1, 2, -1, 0), (0, 2, -4, 2, 0), (0, -1, 2, -1, 0), (0, 0, 0, 0, 0))
SQUARE_5 = ((-1, 2, -2, 2, -1), (2, -6, 8, -6, 2), (-2, 8, -12, 8, -2), (2, -6, 8, -6, 2), (-1, 2, -2, 2, -1))
SECOND_ORDER = ((0, 0, 0, 0, 0), (0, 0, 0, 0, 0), (0, 1, -2, 1, 0), (0, 0, 0, 0, 0), (0, 0, 0, 0, 0))
KERNELS = ((SQUARE_3, 4), (SQUARE_5, 12), (SECOND_ORDER, 2))
"""Filters, and by what each is divided: by how much a pixel differs from what its neighbours foretell."""

TRUNCATED = 3.0
"""Residuals are cut off here, grey levels: what is larger is an edge, not noise."""


@register("srm_frame")
class SrmFrame(FrameNetwork):
    """`FrameNetwork` on two Xceptions unless another backbone is named."""

    default_backbone = "legacy_xception.tf_in1k"

    def make_backbone(
        self, name: str, pretrained: Pretrained, stages: Sequence[int], side: int | None
    ) -> tuple[nn.Module, WeightsOrigin]:
        picture, origin = backbone(name, pretrained, stages, side)
        noise, _ = backbone(name, pretrained, stages, side)
        return TwoStreams(picture, noise), origin


class TwoStreams(nn.Module):
    """Normalised images `(N, 3, H, W)` → features `(N, 2C)` of the picture and of its residuals."""

    def __init__(self, picture: Any, noise: nn.Module) -> None:
        super().__init__()
        self.pretrained_cfg: dict[str, Any] = picture.pretrained_cfg
        self.picture, self.noise = picture, noise
        self.residuals = Residuals(self.pretrained_cfg["std"])
        self.num_features = 2 * feature_size(picture)

    def forward(self, images: Tensor) -> Tensor:
        return torch.cat([self.picture(images), self.noise(self.residuals(images))], dim=1)


class Residuals(nn.Module):
    """Normalised images `(N, 3, H, W)` → their mean colour's residual by each filter `(N, 3, H, W)`.

    Args:
        std: by which pixels in 0…1 were divided, by channel. What was subtracted, the filters do not see.
    """

    kernels: Tensor

    def __init__(self, std: Sequence[float]) -> None:
        super().__init__()
        filters = torch.stack([torch.tensor(kernel) / divisor for kernel, divisor in KERNELS])
        levels = 255 * torch.tensor(list(std)) / 3
        # A constant, which need not be stored with the weights.
        self.register_buffer("kernels", filters[:, None] * levels[:, None, None], persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        with full_precision(images):
            residuals = conv2d(pad(images.float(), (2, 2, 2, 2), mode="replicate"), self.kernels)
            return residuals.clamp(-TRUNCATED, TRUNCATED)
