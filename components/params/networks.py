"""`candidates.NAME.network` of params.yaml: what the networks can be told. Defaults are as published."""

from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from components.faces.limits import Frozen, Share

Pretrained = bool | Literal["if-available", "bundled"]
"""Weights to start from: timm's hub (true, if-available), those that Unmask ships (bundled), or none."""


class SimpleCnn(Frozen):
    """`components.models.simple_cnn`."""

    name: Literal["simple_cnn"]


class Resnet18Average(Frozen):
    """`components.models.resnet18_average`."""

    name: Literal["resnet18_average"]
    pretrained: Pretrained = False


class EfficientnetBilstm(Frozen):
    """`components.models.efficientnet_bilstm`."""

    name: Literal["efficientnet_bilstm"]
    backbone: str = "efficientnet_b0.ra_in1k"
    pretrained: Pretrained = False
    freeze: bool = False


class EfficientnetTransformer(Frozen):
    """`components.models.efficientnet_transformer`."""

    name: Literal["efficientnet_transformer"]
    backbone: str = "efficientnet_b3.ra2_in1k"  # any image network of timm
    pretrained: Pretrained = False
    freeze: bool = False  # the backbone learns nothing
    stages: tuple[int, ...] = ()  # backbone stages whose pooled maps are joined; none: the last features
    width: PositiveInt = 256
    layers: PositiveInt = 4
    heads: PositiveInt = 8
    dropout: Share = 0.1
    pooling: Literal["attention", "mean"] = "attention"


class Head(Frozen):
    """Of a frame network: dropout → `width` → ReLU and batch norm → dropout → logits."""

    dropout: tuple[Share, Share] = (0.4, 0.2)
    width: PositiveInt = 512
    order: Literal["norm-relu", "relu-norm"] = "norm-relu"
    logits: Literal[1, 2] = 1


class FrameNetwork(Frozen):
    """`components.models.efficientnet_frame`, and the backbones that it is compared with."""

    name: Literal["efficientnet_frame", "resnet50_frame", "xception_frame"]
    backbone: str | None = None  # any image network of timm; none: the one that the name says
    pretrained: Pretrained = False
    freeze: bool = False
    stages: tuple[int, ...] = ()
    head: Head = Head()


Network = Annotated[
    SimpleCnn | Resnet18Average | EfficientnetBilstm | EfficientnetTransformer | FrameNetwork,
    Field(discriminator="name"),
]
