"""An image network that looks at every frame by itself; a video's logits are the means over its frames."""

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm

from components.models.backbone import BackboneCandidate
from components.models.base import Outputs, mean_over_frames, per_frame
from components.params import networks


class FrameNetwork(BackboneCandidate):
    """Backbone → dropout → linear → batch norm and ReLU → dropout → one logit or two, of every frame.

    Without a width there is no hidden layer: backbone → dropout → logits.

    Of one logit z, the logits are 0 and z: cross entropy over these is binary cross entropy over z.
    """

    default_backbone: ClassVar[str]

    def __init__(self, network: networks.FrameNetwork, side: int | None = None) -> None:
        name = network.backbone or self.default_backbone
        super().__init__(name, network.pretrained, network.freeze, network.stages, side)
        head = network.head
        first, second = map(nn.Dropout, head.dropout)
        self.embedding_size = head.width or self.feature_size
        self.hidden = nn.Sequential()
        if head.width:
            last = [FrameNorm(head.width), nn.ReLU()]
            ordered = last if head.order == "norm-relu" else last[::-1]
            self.hidden = nn.Sequential(first, nn.Linear(self.feature_size, head.width), *ordered)
        self.head = nn.Sequential(
            second if head.width else first, nn.Linear(self.embedding_size, head.logits)
        )

    def classify(self, features: Tensor, mask: Tensor | None = None) -> Outputs:
        # What only fills a clip up would count in the batch norm's statistics.
        hidden = per_frame(self.hidden, features, mask if self.training else None)  # (B, T, width)
        logits = self.head(hidden)
        if logits.shape[-1] == 1:
            logits = torch.cat([torch.zeros_like(logits), logits], dim=-1)
        return Outputs(mean_over_frames(logits, mask), mean_over_frames(hidden, mask))


class FrameNorm(nn.BatchNorm1d):
    """Batch norm over frames `(N, C)` that takes a lone frame, too, by the statistics of those before it.

    An epoch's last batch may be a single frame, which has no variance.
    """

    def forward(self, frames: Tensor) -> Tensor:
        if self.training and len(frames) == 1:
            return batch_norm(
                frames, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps
            )
        normed: Tensor = super().forward(frames)
        return normed
