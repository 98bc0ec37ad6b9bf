import numpy as np
import onnxruntime as ort
import pytest
import torch
from torch import Tensor, nn

from components.errors import StageError
from components.export.onnx import ExportedDetector, to_onnx
from components.export.parity import check_parity, difference
from components.models import Candidate
from components.models.base import Outputs, mean_over_frames

CLIPS = np.random.default_rng(0).integers(0, 256, (3, 2, 8, 8, 3), dtype=np.uint8)


class Brightness(Candidate):
    """The mean of a clip as logit of fake, plus an offset; the brighter a frame, the more it weighs."""

    attends = True

    def __init__(self, offset: float = 0.0) -> None:
        super().__init__()
        self.offset = nn.Parameter(torch.tensor(offset))

    def outputs(self, clips: Tensor, mask: Tensor | None = None) -> Outputs:
        frames = clips.mean(dim=(2, 3, 4)).unsqueeze(-1)  # (B, T, 1)
        mean = mean_over_frames(frames, mask) + self.offset
        scores = frames.squeeze(-1)
        hidden = scores if mask is None else scores.masked_fill(~mask, -torch.inf)
        return Outputs(torch.cat([-mean, mean], dim=1), mean, hidden.softmax(dim=1))


def detector(candidate: Candidate | None = None) -> ExportedDetector:
    return ExportedDetector(candidate or Brightness()).eval()


@pytest.fixture(scope="module")
def model() -> bytes:
    return to_onnx(detector(), 2, 8, 18)


def test_the_same_detector_is_within_the_tolerance(model: bytes) -> None:
    assert check_parity(detector(), model, CLIPS, 1e-4) < 1e-5


def test_the_difference_is_one_of_probabilities(model: bytes) -> None:
    with torch.inference_mode():
        logits = torch.cat([detector()(torch.from_numpy(clip[None]))[0] for clip in (*CLIPS, CLIPS[0][:1])])
    moved = torch.sigmoid(logits.double() + 0.2) - torch.sigmoid(logits.double())  # both logits move by 0.1
    assert difference(detector(Brightness(0.1)), model, CLIPS) == pytest.approx(
        float(moved.abs().max()), abs=1e-6
    )


@pytest.mark.parametrize("offset", [0.1, float("nan")])
def test_another_detector_is_refused_with_the_value(model: bytes, offset: float) -> None:
    with pytest.raises(StageError, match=r"differs from torch's by (0\.0|nan).*parity_tolerance 0\.0001"):
        check_parity(detector(Brightness(offset)), model, CLIPS, 1e-4)


class Wavering(Brightness):
    """Right about short clips alone."""

    def outputs(self, clips: Tensor, mask: Tensor | None = None) -> Outputs:
        found = super().outputs(clips, mask)
        return found._replace(logits=found.logits * (2 if clips.shape[1] > 4 else 1))


class Inattentive(Brightness):
    """Right in its logits alone."""

    def outputs(self, clips: Tensor, mask: Tensor | None = None) -> Outputs:
        found = super().outputs(clips, mask)
        assert found.attention is not None
        return found._replace(attention=found.attention.flip(1))


def test_every_length_is_compared(model: bytes) -> None:
    longer = np.concatenate([CLIPS[0]] * 3)
    assert difference(detector(Wavering()), model, [*CLIPS]) < 1e-5
    assert difference(detector(Wavering()), model, [*CLIPS, longer]) > 0.001
    assert difference(detector(), model, [*CLIPS, longer]) < 1e-5


def test_attention_is_compared(model: bytes) -> None:
    assert difference(detector(Inattentive()), model, CLIPS) > 1e-3


class Relative(Brightness):
    """Sees the other clips of its batch, which no detector may."""

    def outputs(self, clips: Tensor, mask: Tensor | None = None) -> Outputs:
        found = super().outputs(clips, mask)
        return found._replace(logits=10 * (found.logits - found.logits.mean(dim=0)))


class Unmasked(Brightness):
    """Takes what fills a clip up for frames."""

    def outputs(self, clips: Tensor, mask: Tensor | None = None) -> Outputs:
        assert mask is not None
        return super().outputs(clips, mask | True)


class Maskless(Brightness):
    """Takes clips of one length."""

    takes_mask = False


@pytest.mark.parametrize("wrong", [Relative, Unmasked])
def test_clips_may_neither_mix_nor_be_scored_by_what_fills_them_up(wrong: type[Brightness]) -> None:
    candidate = detector(wrong())
    assert difference(candidate, to_onnx(candidate, 2, 8, 18), CLIPS) > 0.01


def test_a_model_without_a_mask_is_compared_without_one() -> None:
    candidate = detector(Maskless())
    content = to_onnx(candidate, 2, 8, 18)
    (given,) = ort.InferenceSession(content, providers=["CPUExecutionProvider"]).get_inputs()
    assert given.name == "clip"
    assert difference(candidate, content, [*CLIPS, np.concatenate([CLIPS[0]] * 3)]) < 1e-5
