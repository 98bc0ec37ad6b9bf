"""A plain convolutional network that looks at every frame by itself: small enough to train from scratch.

Source: the VGG pattern of 3×3 convolutions and max pooling (Simonyan & Zisserman, 2015,
https://arxiv.org/abs/1409.1556) with batch normalisation (Ioffe & Szegedy, 2015,
https://arxiv.org/abs/1502.03167). 422,530 parameters.
"""

from torch import Tensor, nn

from components.errors import ParamsError
from components.models.base import Candidate, classifier
from components.models.registry import register
from components.params import Pretrained

WIDTHS = (32, 64, 128, 256)


class SimpleCNN(Candidate):
    """Clips `(B, T, 3, H, W)` → logits `(B, 2)`, the mean of the frames' logits."""

    def __init__(self) -> None:
        super().__init__()
        inputs = (3, *WIDTHS[:-1])
        self.features = nn.Sequential(*map(conv_block, inputs, WIDTHS))
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = classifier()

    def forward(self, clips: Tensor) -> Tensor:
        frames = self.pool(self.features(clips.flatten(0, 1)))  # (B·T, 256)
        logits: Tensor = self.head(frames).unflatten(0, clips.shape[:2])  # (B, T, 2)
        return logits.mean(dim=1)


def conv_block(inputs: int, outputs: int) -> nn.Sequential:
    """`(B, inputs, H, W)` → `(B, outputs, H/2, W/2)`."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel_size=3, padding=1),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
    )


@register("simple_cnn")
def simple_cnn(pretrained: Pretrained) -> Candidate:
    """Make the network; nobody publishes weights for it."""
    if pretrained is True:
        raise ParamsError("candidates.simple_cnn.pretrained: no such weights exist; set it to false")
    return SimpleCNN()
