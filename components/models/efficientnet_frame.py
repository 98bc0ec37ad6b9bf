"""EfficientNet-B4 on single frames.

Source: Tan & Le, 2019, https://arxiv.org/abs/1905.11946; as a detector of face forgeries: Bonettini et al.,
2020, https://arxiv.org/abs/2004.07676. Network and ImageNet weights from timm
(https://huggingface.co/timm/efficientnet_b4.ra2_in1k). Clips `(B, T, 3, H, W)` of any length and size;
recipes at 380 px and at 224 px. 18,468,169 parameters.
"""

from components.models.frame_network import FrameNetwork
from components.models.registry import register


@register("efficientnet_frame")
class EfficientNetFrame(FrameNetwork):
    """`FrameNetwork` on EfficientNet-B4 unless another backbone is named."""

    default_backbone = "efficientnet_b4.ra2_in1k"
