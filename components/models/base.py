"""What all candidates share: their base class, their classifier, and how pixels become their input."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

MEAN = (0.485, 0.456, 0.406)
"""Mean of ImageNet's RGB values in 0…1, which pretrained backbones expect."""

STD = (0.229, 0.224, 0.225)
"""Standard deviation of the same."""

Origin = Literal["random", "loaded"]
"""Where the weights came from before training: drawn at random, or loaded from timm's hub."""


class Candidate(nn.Module):
    """A network from normalised clips `(B, T, 3, H, W)` to logits `(B, 2)`: 0 is real, 1 is fake."""

    origin: Origin = "random"

    @property
    def size(self) -> int:
        """Number of parameters, trained or not; buffers are not counted."""
        return sum(parameter.numel() for parameter in self.parameters())


def classifier() -> nn.Sequential:
    """The head of every candidate: features `(…, 256)` → 128 → logits `(…, 2)`."""
    return nn.Sequential(nn.Linear(256, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 2))


def normalise(clips: Tensor, mean: Sequence[float] = MEAN, std: Sequence[float] = STD) -> Tensor:
    """From stored pixels to a candidate's input.

    Args:
        clips: uint8 `(B, T, 3, H, W)`, RGB.
        mean: per channel, of values in 0…1.
        std: per channel, of values in 0…1.

    Returns:
        float32 `(B, T, 3, H, W)`.
    """
    centre = torch.tensor(mean, device=clips.device).view(3, 1, 1)
    spread = torch.tensor(std, device=clips.device).view(3, 1, 1)
    return (clips.float() / 255 - centre) / spread
