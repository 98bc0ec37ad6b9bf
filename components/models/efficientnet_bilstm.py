"""EfficientNet-B0 on every frame, then a bidirectional LSTM that sees how the frames follow each other.

Source: Tan & Le, 2019, https://arxiv.org/abs/1905.11946; recurrent networks over frame features against
deepfakes: Güera & Delp, 2018, https://doi.org/10.1109/AVSS.2018.8639163. Network and ImageNet weights from
timm (https://huggingface.co/timm/efficientnet_b0.ra_in1k). 5,619,966 parameters.
"""

from torch import Tensor, nn

from components.models.backbone import BackboneCandidate
from components.models.base import Outputs, classifier
from components.models.registry import register
from components.params import networks


@register("efficientnet_bilstm")
class EfficientNetBiLSTM(BackboneCandidate):
    """Classifies the mean of the LSTM's outputs over the frames."""

    takes_mask = False  # read backwards, the LSTM would begin with what fills a clip up
    embedding_size = 256

    def __init__(self, network: networks.EfficientnetBilstm, side: int | None = None) -> None:
        super().__init__(network.backbone, network.pretrained, network.freeze, side=side)
        # Layer norms, not batch norms: a clip's features must not depend on the other clips of its batch.
        self.projection = nn.Sequential(
            nn.Linear(self.feature_size, 512),
            nn.LayerNorm(512),
            nn.ReLU(),
            nn.Linear(512, 256),
            nn.LayerNorm(256),
            nn.ReLU(),
        )
        self.lstm = nn.LSTM(256, 128, num_layers=2, batch_first=True, bidirectional=True)
        self.head = classifier()

    def classify(self, features: Tensor, mask: Tensor | None = None) -> Outputs:
        states, _ = self.lstm(self.projection(features))  # (B, T, 2·128)
        embedding = states.mean(dim=1)
        return Outputs(self.head(embedding), embedding)
