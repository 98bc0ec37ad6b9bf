"""EfficientNet on every frame, then a Transformer encoder that sees all frames of a clip at once.

EfficientNet-B3 (Tan & Le, 2019, https://arxiv.org/abs/1905.11946; network and ImageNet weights from timm,
https://huggingface.co/timm/efficientnet_b3.ra2_in1k) → sinusoidal positions and a Transformer encoder
(Vaswani et al., 2017, https://arxiv.org/abs/1706.03762) with its norms before each part (Xiong et al., 2020,
https://arxiv.org/abs/2002.04745) → attention pooling over the frames (Ilse et al., 2018,
https://arxiv.org/abs/1802.04712). Clips `(B, T, 3, H, W)` of any length and size; recipes at 224 px (frozen
backbone) and 112 px (fine-tuned), 10 to 30 frames. 14,315,946 parameters.
"""

import math

import torch
from torch import Tensor, nn

from components.models.backbone import BackboneCandidate
from components.models.base import Outputs, mean_over_frames
from components.models.registry import register
from components.params import networks

POSITION_BASE = 10_000.0
"""Wavelengths of the positions go from 2π to this many times 2π frames."""


@register("efficientnet_transformer")
class EfficientNetTransformer(BackboneCandidate):
    """Classifies the encoder's outputs, weighed by its attention or all the same."""

    def __init__(self, network: networks.EfficientnetTransformer, side: int | None = None) -> None:
        super().__init__(network.backbone, network.pretrained, network.freeze, network.stages, side)
        width = self.embedding_size = network.width
        self.projection = nn.Linear(self.feature_size, width)
        self.dropout = nn.Dropout(network.dropout)
        layer = nn.TransformerEncoderLayer(
            width, network.heads, 4 * width, network.dropout, "gelu", batch_first=True, norm_first=True
        )
        # Without nested tensors, which leave out what is padded, and with it the shape of the result.
        self.encoder = nn.TransformerEncoder(
            layer, network.layers, nn.LayerNorm(width), enable_nested_tensor=False
        )
        self.attends = network.pooling == "attention"
        self.pooling = AttentionPooling(width) if self.attends else None
        self.head = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, width // 2),
            nn.GELU(),
            nn.Dropout(network.dropout),
            nn.Linear(width // 2, 2),
        )

    def classify(self, features: Tensor, mask: Tensor | None = None) -> Outputs:
        frames = self.projection(features)  # (B, T, W)
        frames = self.dropout(frames + positions(frames))
        frames = self.encoder(frames, src_key_padding_mask=None if mask is None else ~mask)
        if self.pooling is None:
            embedding, attention = mean_over_frames(frames, mask), None
        else:
            embedding, attention = self.pooling(frames, mask)
        return Outputs(self.head(embedding), embedding, attention)


class AttentionPooling(nn.Module):
    """Frames `(B, T, W)` → their weighted sum `(B, W)` and the weights `(B, T)`, which a small network gives.

    The weights of a clip sum to one; a frame that is none has exactly 0.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.score = nn.Sequential(
            nn.Linear(width, width // 2), nn.Tanh(), nn.Linear(width // 2, 1, bias=False)
        )

    def forward(self, frames: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        scores = self.score(frames).squeeze(-1).float()  # (B, T)
        if mask is not None:
            scores = scores.masked_fill(~mask, -math.inf)
        weights = scores.softmax(dim=1)
        return (frames * weights.unsqueeze(-1)).sum(dim=1), weights


def positions(frames: Tensor) -> Tensor:
    """Sines and cosines `(T, W)` that tell frames `(B, T, W)` apart by their places; W is even."""
    length, width = frames.shape[1:]
    places = torch.arange(length, device=frames.device, dtype=torch.float32)
    exponents = torch.arange(0, width, 2, device=frames.device, dtype=torch.float32) / width
    angles = places.unsqueeze(1) * POSITION_BASE**-exponents  # (T, W/2)
    return torch.cat([angles.sin(), angles.cos()], dim=1).to(frames.dtype)
