"""The rewritten networks against facenet-pytorch's own."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from facenet_pytorch.models.mtcnn import ONet, PNet, RNet

from components.export.mtcnn import NETWORKS, PooledPRelu, ScaledRelu, network_to_onnx


def reference(network: torch.nn.Module, image: np.ndarray[Any, Any]) -> list[np.ndarray[Any, Any]]:
    with torch.no_grad():
        *regressions, probabilities = network(
            (torch.from_numpy(image).permute(0, 3, 1, 2) - 127.5) * 0.0078125
        )
    return [tensor.numpy() for tensor in (*regressions, probabilities[:, 1])]


@pytest.mark.parametrize(
    ("name", "network", "shapes"),
    [
        # Odd and even sizes: the last pooling window may hang over the edge.
        ("pnet.onnx", PNet, [(1, 12, 12), (1, 13, 14), (2, 31, 48), (1, 120, 161)]),
        ("rnet.onnx", RNet, [(0, 24, 24), (1, 24, 24), (5, 24, 24), (130, 24, 24)]),
        ("onet.onnx", ONet, [(0, 48, 48), (1, 48, 48), (7, 48, 48)]),
    ],
)
def test_outputs_are_those_of_facenet_pytorch(
    detector: Path, name: str, network: type[torch.nn.Module], shapes: list[tuple[int, int, int]]
) -> None:
    session = ort.InferenceSession(detector / name, providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(5)
    for shape in shapes:
        image = rng.integers(0, 256, (*shape, 3), np.uint8)
        found = session.run(None, {"image": image})
        if not shape[0]:
            assert all(len(output) == 0 for output in found)
            continue
        for output, expected in zip(found, reference(network(), image), strict=True):
            assert output.shape == expected.shape
            assert np.abs(output - expected).max() <= 1e-5


@pytest.mark.parametrize("slope", [-1.3, -0.2, 0.0, 0.6, 1.0, 1.3])
def test_a_scaled_relu_is_a_prelu(slope: float) -> None:
    slopes = torch.tensor([slope, 0.25])
    prelu = torch.nn.PReLU(2)
    prelu.weight.data = slopes
    x = torch.randn(3, 2, 5, 4, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(ScaledRelu(slopes)(x), prelu(x), atol=1e-6)


def test_a_prelu_may_be_pooled_first() -> None:
    slopes = torch.tensor([-1.3, -0.2, 0.0, 0.6, 1.0, 1.3])
    prelu, pool = torch.nn.PReLU(6), torch.nn.MaxPool2d(2, 2, ceil_mode=True)
    prelu.weight.data = slopes
    x = torch.randn(3, 6, 5, 4, generator=torch.Generator().manual_seed(1))
    copies = x[:, :2] * slopes[:2].reshape(2, 1, 1)
    assert torch.allclose(PooledPRelu(pool, slopes)(torch.cat([x, copies], 1)), pool(prelu(x)), atol=1e-6)


def test_no_map_passes_a_prelu(detector: Path) -> None:
    # ONNX Runtime's took half of the time. Those of the dense layers are too small to matter.
    kinds = {name: [node.op_type for node in onnx.load(detector / name).graph.node] for name in NETWORKS}
    assert [kinds[name].count("PRelu") for name in NETWORKS] == [0, 1, 1]
    # Operators on shapes would stay on the CPU, where a session on CUDA alone refuses to open.
    assert not {"Shape", "Softmax"} & {kind for each in kinds.values() for kind in each}


def test_bytes_are_the_same_and_name_no_folder(detector: Path) -> None:
    content = (detector / "rnet.onnx").read_bytes()
    assert network_to_onnx(NETWORKS["rnet.onnx"]) == content
    for name in NETWORKS:
        assert b"site-packages" not in (detector / name).read_bytes()
