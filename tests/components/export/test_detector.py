"""The converted networks against facenet-pytorch's own."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
import torch
from facenet_pytorch.models.mtcnn import ONet, PNet, RNet

from components.errors import StageError
from components.export.detector import NETWORKS, convert, to_onnx


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("converted") / "detector"
    convert(folder)
    return folder


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
    folder: Path, name: str, network: type[torch.nn.Module], shapes: list[tuple[int, int, int]]
) -> None:
    session = ort.InferenceSession(folder / name, providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(5)
    for shape in shapes:
        image = rng.integers(0, 256, (*shape, 3), np.uint8)
        found = session.run(None, {"image": image})
        if not shape[0]:
            assert all(len(output) == 0 for output in found)
            continue
        for output, expected in zip(found, reference(network(), image), strict=True):
            assert output.shape == expected.shape
            assert np.abs(output - expected).max() <= 1e-4


def test_bytes_are_the_same_and_name_no_folder(folder: Path) -> None:
    content = (folder / "pnet.onnx").read_bytes()
    assert to_onnx(NETWORKS["pnet.onnx"]) == content
    for name in NETWORKS:
        assert b"site-packages" not in (folder / name).read_bytes()


def test_only_the_three_networks_are_written(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == ["onet.onnx", "pnet.onnx", "rnet.onnx"]


def test_missing_weights_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(path: str) -> None:
        raise FileNotFoundError(2, "No such file", path)

    monkeypatch.setattr(torch, "load", load)
    with pytest.raises(StageError, match=r"pnet\.pt: MTCNN's weights are missing; install facenet-pytorch"):
        convert(tmp_path / "detector")
    assert not (tmp_path / "detector").exists()
