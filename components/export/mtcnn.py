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
from components.export.exporter import build_bundle

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


class PooledPRelu(nn.Module):
    """A PReLU after the pooling that followed it, where a quarter of the values is left, of (N, C + D, H, W).

    A slope that is not negative does not change which value is largest. Where one is, the largest of
    max(x, a·x) is the larger of the largest x and the largest a·x: the D last channels hold a·x of these.
    Of such a pair max(p, q) is q + relu(p − q), so that both kinds are sums as in `ScaledRelu`.
    """

    def __init__(self, pool: nn.Module, slopes: Tensor) -> None:
        super().__init__()
        self.pool = pool
        falling = slopes < 0
        copies = torch.eye(len(slopes))[falling].T  # (C, D) which channel is whose a·x
        self.line = _mixing(torch.hstack([torch.diag(slopes.clamp(min=0)), copies]))
        self.fold = _mixing(torch.hstack([torch.eye(len(slopes)), -copies]))
        self.bend = _scaling(torch.where(falling, 1.0, 1 - slopes))

    def forward(self, x: Tensor) -> Tensor:
        pooled = self.pool(x)
        y: Tensor = self.line(pooled) + self.bend(self.fold(pooled).relu())
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
class MtcnnNetwork:
    """How one of the three is exported."""

    kind: type[nn.Module]
    outputs: tuple[str, ...]
    size: tuple[int, int]  # of the example image; dynamic where `dynamic_size` says so
    dynamic_size: dict[int, Any] = field(default_factory=dict)


NETWORKS = {
    "pnet.onnx": MtcnnNetwork(
        PNet, ("offsets", "probability"), (32, 40), {1: Dim("height", min=12), 2: Dim("width", min=12)}
    ),
    "rnet.onnx": MtcnnNetwork(RNet, ("offsets", "probability"), (24, 24)),
    "onet.onnx": MtcnnNetwork(ONet, ("offsets", "landmarks", "probability"), (48, 48)),
}


def network_to_onnx(network: MtcnnNetwork) -> bytes:
    """Exports with a dynamic batch, and for the fully convolutional PNet a dynamic size.

    Raises:
        StageError: the weights are not in the installed facenet-pytorch.
    """
    example = torch.zeros(2, *network.size, 3, dtype=torch.uint8)
    dynamic = {0: Dim("batch")} | network.dynamic_size
    rewritten = FromPixels(rewrite(load(network.kind))).eval()
    return build_bundle(rewritten, {"image": example}, network.outputs, dynamic, OPSET)


def load(kind: type[nn.Module]) -> nn.Module:
    """Returns a network with its weights.

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
    if isinstance(network, PNet):  # its 10 channels and 6 copies fill one block of ONNX Runtime's 16
        _pool_first(network)
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


def _pool_first(network: nn.Module) -> None:
    """Lets the first convolution yield a·x too where a slope is negative, and pool before the PReLU."""
    weight, bias = network.get_parameter("conv1.weight"), network.get_parameter("conv1.bias")
    slopes = network.get_parameter("prelu1.weight")
    falling = slopes < 0
    scaled = slopes[falling]
    wider = nn.Conv2d(weight.shape[1], len(bias) + len(scaled), weight.shape[2])
    wider.weight = nn.Parameter(torch.cat([weight, weight[falling] * scaled.reshape(-1, 1, 1, 1)]))
    wider.bias = nn.Parameter(torch.cat([bias, bias[falling] * scaled]))
    pooled = PooledPRelu(network.get_submodule("pool1"), slopes)
    for name, layer in (("conv1", wider), ("prelu1", nn.Identity()), ("pool1", pooled)):
        setattr(network, name, layer)


def _normalise(weight: Tensor, bias: Tensor) -> None:
    """Lets a convolution without padding subtract the mean and divide by the scale, in place."""
    bias -= (weight.double().sum((1, 2, 3)) * (MEAN / SCALE)).float()
    weight /= SCALE


def _difference(head: nn.Module) -> None:
    """Keeps of two logits the second less the first: its sigmoid is what the softmax says of the second."""
    for name in ("weight", "bias"):
        values = getattr(head, name)
        setattr(head, name, nn.Parameter(values[1:] - values[:1]))


def _mixing(matrix: Tensor) -> nn.Conv2d:
    """Multiplies the channels of each place by a matrix (out, in)."""
    layer = nn.Conv2d(matrix.shape[1], matrix.shape[0], 1, bias=False)
    layer.weight = nn.Parameter(matrix[:, :, None, None])
    return layer


def _scaling(factors: Tensor) -> nn.Conv2d:
    """Multiplies each channel by a factor."""
    layer = nn.Conv2d(len(factors), len(factors), 1, groups=len(factors), bias=False)
    layer.weight = nn.Parameter(factors.reshape(-1, 1, 1, 1))
    return layer
