"""A candidate as one ONNX file: pixels in, logit out."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.export import Dim

from components.export.exporter import export
from components.models.base import normalise


class ExportedDetector(nn.Module):
    """A candidate from uint8 clips `(B, T, H, W, 3)` RGB to logits `(B,)`, fake minus real.

    Normalisation is inside, so that what serves the model cannot get it wrong.
    """

    def __init__(self, candidate: nn.Module, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.candidate = candidate
        self.mean, self.std = tuple(mean), tuple(std)

    def forward(self, clip: Tensor) -> Tensor:
        logits = self.candidate(normalise(clip.permute(0, 1, 4, 2, 3), self.mean, self.std))  # (B, 2)
        difference: Tensor = logits[:, 1] - logits[:, 0]
        return difference


def to_onnx(detector: ExportedDetector, frames: int, size: int, opset: int) -> bytes:
    """Export with dynamic batch and frames.

    Args:
        detector: in evaluation mode.
        frames: of the example clip.
        size: side of a crop, px; fixed in the model.
        opset: of the ONNX standard.

    Raises:
        StageError: the exporter gave nothing.
    """
    example = torch.zeros(2, max(frames, 2), size, size, 3, dtype=torch.uint8)
    return export(detector, example, ["clip"], ["logit"], {0: Dim("batch"), 1: Dim("frames")}, opset)
