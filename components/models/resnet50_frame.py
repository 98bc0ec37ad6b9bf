"""ResNet-50 on single frames, for comparison.

Source: He et al., 2016, https://arxiv.org/abs/1512.03385; network and ImageNet weights from timm
(https://huggingface.co/timm/resnet50.a1_in1k). Clips `(B, T, 3, H, W)` of any length and size; published at
224 px. 24,558,657 parameters.
"""

from components.models.frame_network import FrameNetwork
from components.models.registry import register


@register("resnet50_frame")
class ResNet50Frame(FrameNetwork):
    """`FrameNetwork` on ResNet-50 unless another backbone is named."""

    default_backbone = "resnet50.a1_in1k"
