"""MTCNN's three networks from facenet-pytorch, rewritten so that ONNX Runtime is fast at the same function.

Paper: Zhang et al., 2016, Joint Face Detection and Alignment using Multi-task Cascaded Convolutional
Networks, https://arxiv.org/abs/1604.02878. Each network takes pictures as they are and normalises inside:

    pnet.onnx   image uint8 (N, H, W, 3) RGB    → offsets (N, 4, h, w), probability (N, h, w)
    rnet.onnx   image uint8 (N, 24, 24, 3) RGB  → offsets (N, 4), probability (N,)
    onet.onnx   image uint8 (N, 48, 48, 3) RGB  → offsets (N, 4), landmarks (N, 10), probability (N,)
"""

from dataclasses import dataclass, field
from typing import Any

import torch
from facenet_pytorch.models.mtcnn import ONet, PNet, RNet
from torch import Tensor, nn
from torch.export import Dim

from components.errors import StageError
from components.export.exporter import export

OPSET = 18

MEAN, SCALE = 127.5, 128.0
"""What facenet-pytorch subtracts from a pixel and divides it by."""


class ScaledRelu(nn.Module):
    """PReLU of maps (N, C, h, w) as a·x + (1 − a)·relu(x); each scaling is a convolution of depth one.

    ONNX Runtime does not vectorise PReLU on the CPU and leaves its blocked layout around it, which together
    took half of all the time. Convolutions, relu and their sum stay in it, and the sum costs nothing.
    """

    def __init__(self, slopes: Tensor) -> None:
        super().__init__()
        self.line, self.bend = _scaling(slopes), _scaling(1 - slopes)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.line(x) + self.bend(x.relu())
        return y


class FromPixels(nn.Module):
    """A network that takes uint8 (N, H, W, 3) and yields its regressions and the probability of a face."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        *regressions, probability = self.network(image.permute(0, 3, 1, 2).float())
        return (*regressions, probability[:, 0])


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


def to_onnx(network: Network) -> bytes:
    """Export with a dynamic batch, and for the fully convolutional PNet a dynamic size.

    Raises:
        StageError: the weights are not in the installed facenet-pytorch.
    """
    example = torch.zeros(2, *network.size, 3, dtype=torch.uint8)
    dynamic = {0: Dim("batch")} | network.dynamic_size
    rewritten = FromPixels(rewrite(load(network.kind))).eval()
    return export(rewritten, example, ["image"], network.outputs, dynamic, OPSET)


def load(kind: type[nn.Module]) -> nn.Module:
    """A network with its weights.

    Raises:
        StageError: the weight file is not there.
    """
    try:
        return kind()
    except FileNotFoundError as error:
        missing = f"{error.filename}: MTCNN's weights are missing"
        raise StageError(f"{missing}; install facenet-pytorch 2.5.3 again") from error


@torch.no_grad()
def rewrite(network: nn.Module) -> nn.Module:
    """The same function of pixels from 0 to 255, of which the second output has one channel, not two."""
    layers = dict(network.named_children())
    _normalise(network.get_parameter("conv1.weight"), network.get_parameter("conv1.bias"))
    followed = dict(zip([*layers.values()][1:], layers.values(), strict=False))  # by the layer before it
    for name, layer in layers.items():
        if isinstance(layer, nn.PReLU) and isinstance(followed[layer], nn.Conv2d):
            setattr(network, name, ScaledRelu(layer.weight))
        elif isinstance(layer, nn.Softmax):
            _difference(followed[layer])
            setattr(network, name, nn.Sigmoid())
    return network


def _normalise(weight: Tensor, bias: Tensor) -> None:
    """Let a convolution without padding subtract the mean and divide by the scale, in place."""
    bias -= (weight.double().sum((1, 2, 3)) * (MEAN / SCALE)).float()
    weight /= SCALE


def _difference(head: nn.Module) -> None:
    """Of two logits keep the second less the first: its sigmoid is what the softmax says of the second."""
    for name in ("weight", "bias"):
        values = getattr(head, name)
        setattr(head, name, nn.Parameter(values[1:] - values[:1]))


def _scaling(factors: Tensor) -> nn.Conv2d:
    """Multiplies each channel by a factor."""
    layer = nn.Conv2d(len(factors), len(factors), 1, groups=len(factors), bias=False)
    layer.weight = nn.Parameter(factors.reshape(-1, 1, 1, 1))
    return layer
