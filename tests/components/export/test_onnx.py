import logging

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch

from components.export.exporter import TALKATIVE
from components.export.onnx import ExportedDetector, to_onnx
from components.models import MEAN, STD, create, names

SIZE, FRAMES = 32, 3


def detector(name: str) -> ExportedDetector:
    torch.manual_seed(0)
    return ExportedDetector(create(name), MEAN, STD).eval()


def clips(batch: int, frames: int) -> np.ndarray:
    return np.random.default_rng(batch).integers(0, 256, (batch, frames, SIZE, SIZE, 3), dtype=np.uint8)


@pytest.mark.parametrize("name", names())
def test_every_candidate_says_the_same_as_in_torch_for_any_batch_and_length(name: str) -> None:
    original = detector(name)
    session = ort.InferenceSession(to_onnx(original, FRAMES, SIZE, 18), providers=["CPUExecutionProvider"])
    for batch, frames in ((1, FRAMES), (3, FRAMES), (2, 5), (1, 1)):
        pixels = clips(batch, frames)
        with torch.inference_mode():
            expected = original(torch.from_numpy(pixels)).numpy()
        (logits,) = session.run(None, {"clip": pixels})
        assert logits.shape == (batch,)
        assert logits.dtype == np.float32
        np.testing.assert_allclose(logits, expected, atol=1e-5)


@pytest.fixture(scope="module")
def exported() -> bytes:
    return to_onnx(detector("simple_cnn"), FRAMES, SIZE, 18)


def test_the_interface_is_that_of_the_bundle_and_the_file_stands_alone(exported: bytes) -> None:
    model = onnx.load_from_string(exported)
    onnx.checker.check_model(model, full_check=True)
    (clip,), (logit,) = model.graph.input, model.graph.output
    shape = [dim.dim_value or dim.dim_param for dim in clip.type.tensor_type.shape.dim]
    assert (clip.name, clip.type.tensor_type.elem_type) == ("clip", onnx.TensorProto.UINT8)
    assert shape == ["batch", "frames", SIZE, SIZE, 3]
    assert (logit.name, logit.type.tensor_type.elem_type) == ("logit", onnx.TensorProto.FLOAT)
    assert {domain.version for domain in model.opset_import} == {18}
    assert not any(tensor.external_data for tensor in model.graph.initializer)


def test_the_same_weights_yield_the_same_bytes_without_traces_of_this_machine(exported: bytes) -> None:
    assert to_onnx(detector("simple_cnn"), FRAMES, SIZE, 18) == exported
    assert b".py" not in exported


def test_a_clip_of_one_frame_is_no_constant() -> None:
    session = ort.InferenceSession(
        to_onnx(detector("simple_cnn"), 1, SIZE, 18), providers=["CPUExecutionProvider"]
    )
    assert session.run(None, {"clip": clips(2, 4)})[0].shape == (2,)


def test_the_logit_is_fake_minus_real_of_normalised_pixels() -> None:
    class Mean(torch.nn.Module):
        def forward(self, clips: torch.Tensor) -> torch.Tensor:  # (B, T, 3, H, W)
            red = clips[:, :, 0].mean(dim=(1, 2, 3))
            return torch.stack([torch.zeros_like(red), red], dim=1)

    pixels = np.zeros((1, FRAMES, SIZE, SIZE, 3), dtype=np.uint8)
    pixels[..., 0] = 255
    model = to_onnx(ExportedDetector(Mean(), MEAN, STD).eval(), FRAMES, SIZE, 18)
    (logits,) = ort.InferenceSession(model, providers=["CPUExecutionProvider"]).run(None, {"clip": pixels})
    assert logits[0] == pytest.approx((1 - 0.485) / 0.229, rel=1e-5)


def test_the_exporter_keeps_silent_and_leaves_loggers_as_they_were(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    loggers = [logging.getLogger(name) for name in TALKATIVE]
    before = [logger.level for logger in loggers]
    with caplog.at_level(logging.INFO):
        to_onnx(detector("simple_cnn"), FRAMES, SIZE, 18)
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")
    assert [logger.level for logger in loggers] == before
