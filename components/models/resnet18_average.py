"""ResNet-18 on every frame, features averaged over the clip.

Source: He et al., 2016, https://arxiv.org/abs/1512.03385; network and ImageNet weights from timm
(https://huggingface.co/timm/resnet18.a1_in1k). 11,603,650 parameters.
"""

from torch import Tensor, nn

from components.models.backbone import BackboneCandidate
from components.models.base import Outputs, classifier, mean_over_frames
from components.models.registry import register
from components.params import networks


@register("resnet18_average")
class ResNet18Average(BackboneCandidate):
    """Classifies the mean of the frames' features."""

    embedding_size = 256

    def __init__(self, network: networks.Resnet18Average, side: int | None = None) -> None:
        super().__init__("resnet18.a1_in1k", network.pretrained, side=side)
        self.projection = nn.Sequential(nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU())
        self.head = classifier()

    def classify(self, features: Tensor, mask: Tensor | None = None) -> Outputs:
        embedding = mean_over_frames(self.projection(features), mask)  # (B, 256)
        return Outputs(self.head(embedding), embedding)
