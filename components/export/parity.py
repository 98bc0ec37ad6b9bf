"""Does ONNX Runtime say what torch says, on real clips?"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import onnxruntime as ort
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from components.errors import StageError
from components.export.onnx import ExportedDetector

ClipPixels = NDArray[np.uint8]
"""`(T, S, S, 3)` RGB."""
Outputs = Mapping[str, Tensor]
"""What is said of one clip, by the outputs' names: the probability, and of those that attend, `(T,)`."""

BATCH_CLIPS = 2
"""Clips at once: enough to show that they do not mix, and few enough for long clips of large crops."""


def difference(detector: ExportedDetector, model: bytes, clips: Sequence[ClipPixels]) -> float:
    """Largest difference between torch and ONNX Runtime on the CPU, of a probability or a frame's attention.

    Torch runs each clip alone. The model runs it alone, too, as serving does; beside one of its length;
    and, where it takes a mask, filled up beside a longer one.

    Args:
        detector: in evaluation mode.
        model: the ONNX file's content.
        clips: of any lengths.
    """
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    masked = "mask" in detector.inputs
    compared = [torch.from_numpy(clip) for clip in (*clips, *(_shorter(clips) if masked else ()))]
    expected = [_torchs_answer(detector, clip) for clip in compared]
    return max(
        _distance(expected[index], answer)
        for batch in _batches([len(clip) for clip in compared], masked)
        for index, answer in zip(
            batch, _models_answers(detector, session, [compared[index] for index in batch]), strict=True
        )
    )


def check_parity(
    detector: ExportedDetector, model: bytes, clips: Sequence[ClipPixels], tolerance: float
) -> float:
    """Returns the difference, if it is within the tolerance.

    Raises:
        StageError: it is not.
    """
    measured = difference(detector, model, clips)
    if not measured <= tolerance:  # NaN is not within anything
        raise StageError(
            f"model.onnx: a probability differs from torch's by {measured:.2g}, more than "
            f"export.parity_tolerance {tolerance:g}; try another export.opset in params.yaml"
        )
    return measured


def _shorter(clips: Sequence[ClipPixels]) -> list[ClipPixels]:
    """Returns half of a clip: all may be of one length."""
    return [clips[0][: (len(clips[0]) + 1) // 2]]


def _batches(lengths: Sequence[int], masked: bool) -> Iterator[Sequence[int]]:
    """Which clips go together: each alone, those of one length, and one of each length with the longest."""
    of_length = {length: np.flatnonzero(np.equal(lengths, length)).tolist() for length in lengths}
    yield from ([index] for index in range(len(lengths)))
    for alike in of_length.values():
        yield from (alike[start : start + BATCH_CLIPS] for start in range(0, len(alike), BATCH_CLIPS))
    if masked:
        yield from ([alike[0], int(np.argmax(lengths))] for alike in of_length.values())


def _torchs_answer(detector: ExportedDetector, clip: Tensor) -> Outputs:
    with torch.inference_mode():
        outputs = detector(*(_feeds([clip])[name] for name in detector.inputs))
    return _answer({name: values[0] for name, values in zip(detector.outputs, outputs, strict=True)})


def _models_answers(
    detector: ExportedDetector, session: ort.InferenceSession, clips: Sequence[Tensor]
) -> Iterator[Outputs]:
    feeds = _feeds(clips)
    outputs = session.run(detector.outputs, {name: feeds[name].numpy() for name in detector.inputs})
    for values in zip(*map(torch.from_numpy, outputs), strict=True):
        yield _answer(dict(zip(detector.outputs, values, strict=True)))


def _feeds(clips: Sequence[Tensor]) -> dict[str, Tensor]:
    """Clips of any lengths as one batch, filled up with what would be noticed if it were looked at."""
    lengths = torch.tensor([len(clip) for clip in clips])
    return {
        "clip": pad_sequence(list(clips), batch_first=True, padding_value=255),
        "mask": torch.arange(int(lengths.max())) < lengths[:, None],
    }


def _answer(outputs: Mapping[str, Tensor]) -> Outputs:
    """Returns the outputs with a probability in the logit's place, which is what people read."""
    answer = {name: values.double() for name, values in outputs.items()}
    return answer | {"logit": answer["logit"].sigmoid()}


def _distance(expected: Outputs, answer: Outputs) -> float:
    """NaN where one of them is."""
    pairs = [
        pad_sequence([expected[name].view(-1), answer[name].view(-1)]) for name in expected
    ]  # each (T, 2)
    return float(torch.cat(pairs).diff(dim=1).abs().max())
