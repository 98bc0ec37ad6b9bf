"""`candidates.NAME.network` of params.yaml: what networks can be told. Defaults are those of the recipes."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, NonNegativeInt, PositiveInt, model_validator

from components.params.section import Section
from components.values import Share

Pretrained = bool | Literal["if-available", "bundled"]
"""Weights to start from: timm's hub (true, if-available), those that Unmask ships (bundled), or none."""


def _each_once(stages: tuple[int, ...]) -> tuple[int, ...]:
    if list(stages) != sorted(set(stages)):
        raise ValueError("the early stages come first, each once")
    return stages


Stages = Annotated[tuple[NonNegativeInt, ...], AfterValidator(_each_once)]
"""Of the backbone, from 0, whose pooled maps are joined; none: its last features alone."""


class SimpleCnn(Section):
    """`components.models.simple_cnn`."""

    name: Literal["simple_cnn"]
    dropout: Share = 0.2  # before the last layer


class MesoNet(Section):
    """`components.models.mesonet`."""

    name: Literal["mesonet"]
    variant: Literal["meso4", "mesoinception4"] = "meso4"
    dropout: Share = 0.5  # before each of the two last layers


class Resnet18Average(Section):
    """`components.models.resnet18_average`."""

    name: Literal["resnet18_average"]
    pretrained: Pretrained = False


class EfficientnetBilstm(Section):
    """`components.models.efficientnet_bilstm`."""

    name: Literal["efficientnet_bilstm"]
    backbone: str = "efficientnet_b0.ra_in1k"
    pretrained: Pretrained = False
    freeze: bool = False


class EfficientnetTransformer(Section):
    """`components.models.efficientnet_transformer`."""

    name: Literal["efficientnet_transformer"]
    backbone: str = "efficientnet_b3.ra2_in1k"  # any image network of timm
    pretrained: Pretrained = False
    freeze: bool = False  # the backbone learns nothing
    stages: Stages = ()
    width: PositiveInt = 256  # of a frame in the encoder
    layers: PositiveInt = 4
    heads: PositiveInt = 8
    dropout: Share = 0.1
    pooling: Literal["attention", "mean"] = "attention"  # over the frames

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> Self:
        if self.width % self.heads or self.width % 2:
            raise ValueError(f"width {self.width}: use an even multiple of heads, which are {self.heads}")
        return self


class Head(Section):
    """The head of a frame network: dropout → `width` → ReLU and batch norm → dropout → logits.

    Without a width: the first dropout → logits.
    """

    dropout: tuple[Share, Share] = (0.4, 0.2)
    width: PositiveInt | None = 512
    order: Literal["norm-relu", "relu-norm"] = "norm-relu"
    logits: Literal[1, 2] = 1


class FrameNetwork(Section):
    """`components.models.frame_network` and what stands on it: `efficientnet_frame` and others."""

    name: Literal["efficientnet_frame", "resnet50_frame", "xception_frame", "f3net_frame", "srm_frame"]
    backbone: str | None = None  # any image network of timm; none: the one that the name says
    pretrained: Pretrained = False
    freeze: bool = False
    stages: Stages = ()
    head: Head = Head()


class EnsembleNetwork(Section):
    """`components.models.ensemble`; made of trained candidates, so that params.yaml names no network."""

    name: Literal["ensemble"]


Network = Annotated[
    SimpleCnn | MesoNet | Resnet18Average | EfficientnetBilstm | EfficientnetTransformer | FrameNetwork,
    Field(discriminator="name"),
]
