"""A candidate as one ONNX file: pixels in, logit out."""

import torch
from torch import Tensor, nn
from torch.export import Dim

from components.export.exporter import export
from components.models import Candidate


class ExportedDetector(nn.Module):
    """A candidate from uint8 clips `(B, T, H, W, 3)` RGB to logits `(B,)`, fake minus real.

    Normalisation is inside, so that what serves the model cannot get it wrong.
    """

    def __init__(self, candidate: Candidate) -> None:
        super().__init__()
        self.candidate = candidate

    def forward(self, clip: Tensor) -> Tensor:
        logits = self.candidate(self.candidate.prepare(clip.permute(0, 1, 4, 2, 3)))  # (B, 2)
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
