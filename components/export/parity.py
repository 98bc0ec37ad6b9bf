"""Does ONNX Runtime say what torch says, on real clips?"""

from collections.abc import Sequence

import numpy as np
import onnxruntime as ort
import torch
from numpy.typing import NDArray
from torch import nn

from components.errors import StageError

Clip = NDArray[np.uint8]
"""`(T, S, S, 3)` RGB."""
Floats = NDArray[np.float64]


def difference(detector: nn.Module, model: bytes, clips: Sequence[Clip]) -> float:
    """Largest difference of a probability between torch and ONNX Runtime on the CPU.

    Args:
        detector: torch's side, from clips `(B, T, S, S, 3)` to logits `(B,)`.
        model: the ONNX file's content.
        clips: of any lengths; put to the model one by one, as serving does, and at once where lengths agree.
    """
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    lengths = sorted({len(clip) for clip in clips})
    batches = [np.stack([clip for clip in clips if len(clip) == length]) for length in lengths]
    return float(np.max([_difference(detector, session, batch) for batch in batches]))


def _difference(detector: nn.Module, session: ort.InferenceSession, batch: NDArray[np.uint8]) -> float:
    with torch.inference_mode():
        expected = _probability(detector(torch.from_numpy(batch)).numpy())
    found = [session.run(None, {"clip": batch})[0]]
    found.append(np.concatenate([session.run(None, {"clip": clip[None]})[0] for clip in batch]))
    return float(np.max([np.abs(_probability(logits) - expected) for logits in found]))


def check_parity(detector: nn.Module, model: bytes, clips: Sequence[Clip], tolerance: float) -> float:
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
