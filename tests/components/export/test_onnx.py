import logging

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from pydantic import TypeAdapter
from torch.nn.modules.batchnorm import _BatchNorm

from components.export.exporter import TALKATIVE
from components.export.onnx import ExportedDetector, to_onnx
from components.models import Candidate, create
from components.models.base import Outputs
from components.params import Network

SIZE, FRAMES = 64, 3
TINY = "test_efficientnet"  # of timm; the others of its tiny networks are a vision transformer and so on
ADAPTER: TypeAdapter[Network] = TypeAdapter(Network)
CPU = ["CPUExecutionProvider"]

NETWORKS = [
    {"name": "efficientnet_bilstm", "backbone": TINY},
    {"name": "efficientnet_transformer", "backbone": TINY, "stages": [1, 3], "width": 32, "layers": 1},
    {"name": "xception_frame", "backbone": "test_vit"},
    # Convolutions alone: the small networks of the other tests are some, too.
    pytest.param({"name": "mesonet", "variant": "mesoinception4"}, marks=pytest.mark.full),
]


def settled(network: dict) -> ExportedDetector:
    """With batch statistics that fit its weights: activations do not fade to nothing."""
    torch.manual_seed(0)
    model = create(ADAPTER.validate_python(network), SIZE).train()
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            module.momentum = 1.0
    with torch.no_grad():
        model(torch.randn(4, 2, 3, SIZE, SIZE))
    return ExportedDetector(model).eval()


def detector(network: dict | None = None) -> ExportedDetector:
    torch.manual_seed(0)
    return ExportedDetector(create(ADAPTER.validate_python(network or {"name": "simple_cnn"}))).eval()


def feeds(detector: ExportedDetector, batch: int, frames: int) -> dict[str, np.ndarray]:
    """Clips, of which the first has all frames and each further one a frame less."""
    random = np.random.default_rng(batch)
    lengths = np.maximum(frames - np.arange(batch), 1)
    whole = {
        "clip": random.integers(0, 256, (batch, frames, SIZE, SIZE, 3), dtype=np.uint8),
        "mask": np.arange(frames) < lengths[:, None],
    }
    return {name: whole[name] for name in detector.inputs}


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_every_candidate_says_the_same_as_in_torch_for_any_batch_and_length(network: dict) -> None:
    original = settled(network)
    session = ort.InferenceSession(to_onnx(original, FRAMES, SIZE, 18), providers=CPU)
    for batch, frames in ((1, FRAMES), (3, FRAMES), (2, 12), (1, 1)):
        given = feeds(original, batch, frames)
        with torch.inference_mode():
            expected = original(*map(torch.from_numpy, given.values()))
        found = session.run(list(original.outputs), given)
        assert found[0].shape == (batch,)
        assert batch == 1 or not np.allclose(found[0][0], found[0][1], atol=1e-4)
        for one, other in zip(found, expected, strict=True):
            assert one.dtype == np.float32
            np.testing.assert_allclose(one, other.numpy(), atol=1e-5)


def test_what_goes_in_and_comes_out_is_told_in_words() -> None:
    clip, mask = "`clip` uint8 (B, T, 32, 32, 3)", "`mask` bool (B, T), true where a frame is one"
    logit, attention = (
        "`logit` float32 (B,), fake minus real",
        "`attention` float32 (B, T), how much each frame weighs",
    )
    lstm = {"name": "efficientnet_bilstm", "backbone": TINY}
    transformer = {"name": "efficientnet_transformer", "backbone": TINY, "layers": 1}
    assert detector(lstm).signature(32) == f"{clip} → {logit}"
    assert detector(transformer).signature(32) == f"{clip} and {mask} → {logit} and {attention}"


@pytest.fixture(scope="module")
def exported() -> bytes:
    return to_onnx(detector(), FRAMES, SIZE, 18)


def described(values: list[onnx.ValueInfoProto]) -> dict[str, tuple[int, list[int | str]]]:
    """Type and shape of each, by its name."""
    types = {value.name: value.type.tensor_type for value in values}
    return {
        name: (kind.elem_type, [dim.dim_value or dim.dim_param for dim in kind.shape.dim])
        for name, kind in types.items()
    }


def test_the_interface_is_that_of_the_bundle_and_the_file_stands_alone(exported: bytes) -> None:
    model = onnx.load_from_string(exported)
    onnx.checker.check_model(model, full_check=True)
    assert described(model.graph.input) == {
        "clip": (onnx.TensorProto.UINT8, ["batch", "frames", SIZE, SIZE, 3]),
        "mask": (onnx.TensorProto.BOOL, ["batch", "frames"]),
    }
    assert described(model.graph.output) == {"logit": (onnx.TensorProto.FLOAT, ["batch"])}
    assert {domain.version for domain in model.opset_import} == {18}
    assert not any(tensor.external_data for tensor in model.graph.initializer)


def test_the_same_weights_yield_the_same_bytes_without_traces_of_this_machine(exported: bytes) -> None:
    assert to_onnx(detector(), FRAMES, SIZE, 18) == exported
    assert b".py" not in exported


class Red(Candidate):
    """Its logit is the mean of the red channel; frames weigh as much as they are red."""

    takes_mask = False
    attends = True

    def outputs(self, clips: torch.Tensor, mask: torch.Tensor | None = None) -> Outputs:
        red = clips[:, :, 0].mean(dim=(2, 3))  # (B, T)
        logits = torch.stack([torch.zeros_like(red[:, 0]), red.mean(dim=1)], dim=1)
        return Outputs(logits, logits, red.softmax(dim=1))


def test_the_logit_is_fake_minus_real_of_normalised_pixels_and_attention_comes_with_it() -> None:
    pixels = np.zeros((1, FRAMES, SIZE, SIZE, 3), dtype=np.uint8)
    pixels[..., 0] = 255
    model = to_onnx(ExportedDetector(Red()).eval(), 1, SIZE, 18)  # one frame is no constant
    logits, attention = ort.InferenceSession(model, providers=CPU).run(
        ["logit", "attention"], {"clip": pixels}
    )
    assert logits[0] == pytest.approx((1 - 0.485) / 0.229, rel=1e-5)
    np.testing.assert_allclose(attention, np.full((1, FRAMES), 1 / FRAMES), rtol=1e-5)


def test_the_exporter_keeps_silent_and_leaves_loggers_as_they_were(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    loggers = [logging.getLogger(name) for name in TALKATIVE]
    before = [logger.level for logger in loggers]
    with caplog.at_level(logging.INFO):
        to_onnx(ExportedDetector(Red()).eval(), FRAMES, SIZE, 18)
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")
    assert [logger.level for logger in loggers] == before
