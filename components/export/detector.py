"""MTCNN's three networks to ONNX, from the weights that the installed facenet-pytorch ships.

Paper: Zhang et al., 2016, Joint Face Detection and Alignment using Multi-task Cascaded Convolutional
Networks, https://arxiv.org/abs/1604.02878. Each network takes frames as they are and normalises inside:

    pnet.onnx   image uint8 (N, H, W, 3) RGB    → offsets (N, 4, h, w), probability (N, h, w)
    rnet.onnx   image uint8 (N, 24, 24, 3) RGB  → offsets (N, 4), probability (N,)
    onet.onnx   image uint8 (N, 48, 48, 3) RGB  → offsets (N, 4), landmarks (N, 10), probability (N,)
"""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from facenet_pytorch.models.mtcnn import ONet, PNet, RNet
from torch import Tensor, nn
from torch.export import Dim

from components.errors import StageError
from components.export.exporter import export

OPSET = 18


class Normalised(nn.Module):
    """A network of MTCNN that takes uint8 (N, H, W, 3) and yields the probability of a face alone."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        x = (image.permute(0, 3, 1, 2).float() - 127.5) / 128  # (N, 3, H, W), in -1 … 1
        *regressions, probabilities = self.network(x)
        return (*regressions, probabilities[:, 1])


@dataclass(frozen=True)
class Network:
    """How one of the three is exported."""

    kind: type[nn.Module]
    outputs: tuple[str, ...]
    size: tuple[int, int]  # of the example image; dynamic where `dynamic_size` says so
    dynamic_size: dict[int, Any] = field(default_factory=dict)


NETWORKS = {
    "pnet.onnx": Network(
        PNet, ("offsets", "probability"), (32, 40), {1: Dim("height", min=12), 2: Dim("width", min=12)}
    ),
    "rnet.onnx": Network(RNet, ("offsets", "probability"), (24, 24)),
    "onet.onnx": Network(ONet, ("offsets", "landmarks", "probability"), (48, 48)),
}


def convert(folder: Path) -> None:
    """Write pnet.onnx, rnet.onnx and onet.onnx. The same torch and weights yield the same bytes.

    Raises:
        StageError: the weights are not in the installed facenet-pytorch.
    """
    converted = {name: to_onnx(network) for name, network in NETWORKS.items()}
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in converted.items():
        partial = folder / f".{name}.{os.getpid()}"
        partial.write_bytes(content)
        partial.replace(folder / name)


def load(kind: type[nn.Module]) -> nn.Module:
    """A network with its weights, in evaluation mode.

    Raises:
        StageError: the weight file is not there.
    """
    try:
        return Normalised(kind()).eval()
    except FileNotFoundError as error:
        missing = f"{error.filename}: MTCNN's weights are missing"
        raise StageError(f"{missing}; install facenet-pytorch 2.5.3 again") from error


def to_onnx(network: Network) -> bytes:
    """Export with a dynamic batch, and for the fully convolutional PNet a dynamic size."""
    example = torch.zeros(2, *network.size, 3, dtype=torch.uint8)
    dynamic = {0: Dim("batch")} | network.dynamic_size
    return export(load(network.kind), example, ["image"], network.outputs, dynamic, OPSET)
