import numpy as np
import pytest
import torch
from torch import nn

from components.errors import StageError
from components.export.onnx import ExportedDetector, to_onnx
from components.export.parity import check_parity, difference
from components.models import MEAN, STD

CLIPS = np.random.default_rng(0).integers(0, 256, (3, 2, 8, 8, 3), dtype=np.uint8)


class Brightness(nn.Module):
    """The mean of a clip as logit of fake, plus an offset."""

    def __init__(self, offset: float = 0.0) -> None:
        super().__init__()
        self.offset = nn.Parameter(torch.tensor(offset))

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        mean = clips.mean(dim=(1, 2, 3, 4)) + self.offset
        return torch.stack([-mean, mean], dim=1)


def detector(offset: float = 0.0) -> ExportedDetector:
    return ExportedDetector(Brightness(offset), MEAN, STD).eval()


@pytest.fixture(scope="module")
def model() -> bytes:
    return to_onnx(detector(), 2, 8, 18)


def test_the_same_detector_is_within_the_tolerance(model: bytes) -> None:
    assert check_parity(detector(), model, CLIPS, 1e-4) < 1e-5


def test_the_difference_is_one_of_probabilities(model: bytes) -> None:
    with torch.inference_mode():
        logits = detector()(torch.from_numpy(CLIPS)).double()
    expected = (torch.sigmoid(logits + 0.2) - torch.sigmoid(logits)).abs().max()  # both logits move by 0.1
    assert difference(detector(0.1), model, CLIPS) == pytest.approx(float(expected), abs=1e-6)


@pytest.mark.parametrize("offset", [0.1, float("nan")])
def test_another_detector_is_refused_with_the_value(model: bytes, offset: float) -> None:
    with pytest.raises(StageError, match=r"differs from torch's by (0\.0|nan).*parity_tolerance 0\.0001"):
        check_parity(detector(offset), model, CLIPS, 1e-4)


def test_every_length_is_compared(model: bytes) -> None:
    class Wavering(Brightness):
        """Right about short clips alone."""

        def forward(self, clips: torch.Tensor) -> torch.Tensor:
            return super().forward(clips) * (2 if clips.shape[1] > 4 else 1)

    wavering = ExportedDetector(Wavering(), MEAN, STD).eval()
    longer = np.concatenate([CLIPS[0]] * 3)
    assert difference(wavering, model, [*CLIPS]) < 1e-5
    assert difference(wavering, model, [*CLIPS, longer]) > 0.001
    assert difference(detector(), model, [*CLIPS, longer]) < 1e-5


def test_clips_are_compared_one_by_one_too() -> None:
    class Relative(nn.Module):
        """Sees the other clips of its batch, which no detector may."""

        def forward(self, clips: torch.Tensor) -> torch.Tensor:
            mean = clips.mean(dim=(1, 2, 3, 4))
            return torch.stack([torch.zeros_like(mean), 10 * (mean - mean.mean())], dim=1)

    relative = ExportedDetector(Relative(), MEAN, STD).eval()
    assert difference(relative, to_onnx(relative, 2, 8, 18), CLIPS) > 0.01
