"""A plain convolutional network that looks at every frame by itself: small enough to train from scratch.

Source: the VGG pattern of 3×3 convolutions and max pooling (Simonyan & Zisserman, 2015,
https://arxiv.org/abs/1409.1556) with batch normalisation (Ioffe & Szegedy, 2015,
https://arxiv.org/abs/1502.03167). 422,530 parameters.
"""

from torch import Tensor, nn

from components.models.base import Candidate, Outputs, classifier, mean_over_frames
from components.models.registry import register
from components.params import networks

WIDTHS = (32, 64, 128, 256)


@register("simple_cnn")
class SimpleCNN(Candidate):
    """The mean of the frames' logits."""

    embedding_size = WIDTHS[-1]

    def __init__(self, network: networks.SimpleCnn | None = None, side: int | None = None) -> None:
        super().__init__()
        inputs = (3, *WIDTHS[:-1])
        self.features = nn.Sequential(*map(conv_block, inputs, WIDTHS))
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = classifier(network.dropout) if network else classifier()

    def embed(self, frames: Tensor) -> Tensor:
        features: Tensor = self.pool(self.features(frames))
        return features

    def classify(self, features: Tensor, mask: Tensor | None = None) -> Outputs:
        logits = mean_over_frames(self.head(features), mask)
        return Outputs(logits, mean_over_frames(features, mask))


def conv_block(inputs: int, outputs: int) -> nn.Sequential:
    """Returns `(B, inputs, H, W)` → `(B, outputs, H/2, W/2)`."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel_size=3, padding=1),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
    )
