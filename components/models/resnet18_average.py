"""ResNet-18 on every frame, features averaged over the clip.

Source: He et al., 2016, https://arxiv.org/abs/1512.03385; network and ImageNet weights from timm
(https://huggingface.co/timm/resnet18.a1_in1k). 11,603,650 parameters.
"""

from torch import Tensor, nn

from components.models.backbone import backbone
from components.models.base import Candidate, classifier
from components.models.registry import register
from components.params import Pretrained


class ResNet18Average(Candidate):
    """Clips `(B, T, 3, H, W)` → logits `(B, 2)`, from the mean of the frames' features."""

    def __init__(self, pretrained: Pretrained = False) -> None:
        super().__init__()
        self.backbone, self.origin = backbone("resnet18.a1_in1k", pretrained)
        self.projection = nn.Sequential(nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU())
        self.head = classifier()

    def forward(self, clips: Tensor) -> Tensor:
        frames = self.projection(self.backbone(clips.flatten(0, 1)))  # (B·T, 256)
        features = frames.unflatten(0, clips.shape[:2]).mean(dim=1)  # (B, 256)
        logits: Tensor = self.head(features)
        return logits


@register("resnet18_average")
def resnet18_average(pretrained: Pretrained) -> Candidate:
    """Make the network."""
    return ResNet18Average(pretrained)
