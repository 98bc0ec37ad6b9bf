"""A candidate as one ONNX file: pixels in, logit out."""

import torch
from torch import Tensor, nn
from torch.export import Dim

from components.export.exporter import build_bundle
from components.models import Candidate


class ExportedDetector(nn.Module):
    """A candidate from uint8 clips `(B, T, H, W, 3)` RGB to logits `(B,)`, fake minus real.

    Normalisation is inside, so that what serves the model cannot get it wrong. A candidate that takes one
    also gets a mask, bool `(B, T)`, true where a frame is one. One that attends also tells how much each
    frame weighs, `(B, T)`.
    """

    def __init__(self, candidate: Candidate) -> None:
        super().__init__()
        self.candidate = candidate

    @property
    def inputs(self) -> tuple[str, ...]:
        """Their names, in order."""
        return ("clip", "mask") if self.candidate.takes_mask else ("clip",)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Their names, in order."""
        return ("logit", "attention") if self.candidate.attends else ("logit",)

    def signature(self, size: int) -> str:
        """Returns inputs and outputs in words, for crops of a side of `size` px."""
        shapes = {
            "clip": f"`clip` uint8 (B, T, {size}, {size}, 3)",
            "mask": "`mask` bool (B, T), true where a frame is one",
            "logit": "`logit` float32 (B,), fake minus real",
            "attention": "`attention` float32 (B, T), how much each frame weighs",
        }
        return " → ".join(
            " and ".join(map(shapes.__getitem__, names)) for names in (self.inputs, self.outputs)
        )

    def forward(self, clip: Tensor, mask: Tensor | None = None) -> tuple[Tensor, ...]:
        """Returns the logits, and the attention where there is some."""
        outputs = self.candidate.outputs(self.candidate.prepare(clip.permute(0, 1, 4, 2, 3)), mask)
        logit = outputs.logits[:, 1] - outputs.logits[:, 0]
        return (logit,) if outputs.attention is None else (logit, outputs.attention)


def to_onnx(detector: ExportedDetector, frames: int, size: int, opset: int) -> bytes:
    """Exports with dynamic batch and frames.

    Args:
        detector: in evaluation mode.
        frames: of the example clip.
        size: side of a crop, px; fixed in the model.
        opset: of the ONNX standard.

    Raises:
        StageError: the exporter gave nothing.
    """
    length = max(frames, 2)
    examples = {
        "clip": torch.zeros(2, length, size, size, 3, dtype=torch.uint8),
        "mask": torch.ones(2, length, dtype=torch.bool),
    }
    inputs = {name: examples[name] for name in detector.inputs}
    return build_bundle(detector, inputs, detector.outputs, {0: Dim("batch"), 1: Dim("frames")}, opset)
