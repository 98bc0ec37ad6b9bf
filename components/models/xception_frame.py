"""Xception on single frames, the baseline of FaceForensics++.

Source: Chollet, 2017, https://arxiv.org/abs/1610.02357; as a detector of face forgeries: Rössler et al.,
2019, https://arxiv.org/abs/1901.08971. Network and ImageNet weights from timm (`legacy_xception.tf_in1k`,
which is on no hub: they come from timm's releases). Clips `(B, T, 3, H, W)` of any length and size; published
at 299 px. 21,857,577 parameters.
"""

from components.models.frame_network import FrameNetwork
from components.models.registry import register


@register("xception_frame")
class XceptionFrame(FrameNetwork):
    """`FrameNetwork` on Xception unless another backbone is named."""

    default_backbone = "legacy_xception.tf_in1k"
