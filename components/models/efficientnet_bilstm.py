"""EfficientNet-B0 on every frame, then a bidirectional LSTM that sees how the frames follow each other.

Source: Tan & Le, 2019, https://arxiv.org/abs/1905.11946; recurrent networks over frame features against
deepfakes: Güera & Delp, 2018, https://doi.org/10.1109/AVSS.2018.8639163. Network and ImageNet weights from
timm (https://huggingface.co/timm/efficientnet_b0.ra_in1k). 5,619,966 parameters.
"""

from torch import Tensor, nn

from components.models.backbone import backbone
from components.models.base import Candidate, classifier
from components.models.registry import register
from components.params import Pretrained


class EfficientNetBiLSTM(Candidate):
    """Clips `(B, T, 3, H, W)` → logits `(B, 2)`, from the mean of the LSTM's outputs over the frames."""

    def __init__(self, pretrained: Pretrained = False) -> None:
        super().__init__()
        self.backbone, self.origin = backbone("efficientnet_b0.ra_in1k", pretrained)
        # Layer norms, not batch norms: a clip's features must not depend on the other clips of its batch.
        self.projection = nn.Sequential(
            nn.Linear(1280, 512),
            nn.LayerNorm(512),
            nn.ReLU(),
            nn.Linear(512, 256),
            nn.LayerNorm(256),
            nn.ReLU(),
        )
        self.lstm = nn.LSTM(256, 128, num_layers=2, batch_first=True, bidirectional=True)
        self.head = classifier()

    def forward(self, clips: Tensor) -> Tensor:
        frames = self.projection(self.backbone(clips.flatten(0, 1)))  # (B·T, 256)
        states, _ = self.lstm(frames.unflatten(0, clips.shape[:2]))  # (B, T, 2·128)
        logits: Tensor = self.head(states.mean(dim=1))
        return logits


@register("efficientnet_bilstm")
def efficientnet_bilstm(pretrained: Pretrained) -> Candidate:
    """Make the network."""
    return EfficientNetBiLSTM(pretrained)
