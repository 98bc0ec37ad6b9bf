"""Does ONNX Runtime say what torch says, on real clips?"""

import numpy as np
import onnxruntime as ort
import torch
from numpy.typing import NDArray
from torch import nn

from components.errors import StageError

Clips = NDArray[np.uint8]
Floats = NDArray[np.float64]


def difference(detector: nn.Module, model: bytes, clips: Clips) -> float:
    """Largest difference of a probability between torch and ONNX Runtime on the CPU.

    Args:
        detector: torch's side, from clips to logits `(B,)`.
        model: the ONNX file's content.
        clips: (B, T, S, S, 3) RGB; put to the model at once and one by one, as an API would.
    """
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    with torch.inference_mode():
        expected = _probability(detector(torch.from_numpy(clips)).numpy())
    batches = [session.run(None, {"clip": clips})[0]]
    batches.append(np.concatenate([session.run(None, {"clip": clip[None]})[0] for clip in clips]))
    return float(np.max([np.abs(_probability(logits) - expected) for logits in batches]))


def check_parity(detector: nn.Module, model: bytes, clips: Clips, tolerance: float) -> float:
    """The difference, if it is within the tolerance.

    Raises:
        StageError: it is not.
    """
    found = difference(detector, model, clips)
    if not found <= tolerance:  # NaN is not within anything
        raise StageError(
            f"model.onnx: a probability differs from torch's by {found:.2g}, more than "
            f"export.parity_tolerance {tolerance:g}; try another export.opset in params.yaml"
        )
    return found


def _probability(logits: NDArray[np.float32]) -> Floats:
    probabilities: Floats = torch.from_numpy(logits).double().sigmoid().numpy()
    return probabilities
