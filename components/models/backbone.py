"""Image networks from timm, without their classifier."""

import logging
from typing import Any

from torch import Tensor, nn

from components.errors import TrainingError
from components.models.base import Candidate, Origin
from components.models.bundled import bundled_weights
from components.params import Pretrained
from components.privacy import switch_off_telemetry

WEIGHTS = "model.safetensors"
HUB_TIMEOUT = 5.0  # seconds

log = logging.getLogger(__name__)


class BackboneCandidate(Candidate):
    """A candidate whose frames go through an image network of timm.

    Args:
        name: of the network, as timm has it, e.g. `efficientnet_b3.ra2_in1k`.
        pretrained: which weights to start from.
        freeze: the backbone learns nothing, and keeps its batch statistics.

    Raises:
        ParamsError: timm has no such network, or Unmask ships no weights for it.
        TrainingError: `pretrained` is True and the weights are out of reach.
    """

    def __init__(self, name: str, pretrained: Pretrained = False, freeze: bool = False) -> None:
        super().__init__()
        self.backbone, self.origin = backbone(name, pretrained)
        network: Any = self.backbone  # torch types what a module holds as tensors and modules
        self.mean, self.std = network.pretrained_cfg["mean"], network.pretrained_cfg["std"]
        self.feature_size: int = network.num_features
        self.frozen = freeze
        if freeze:
            self.backbone.requires_grad_(False)

    def embed(self, frames: Tensor) -> Tensor:
        features: Tensor = self.backbone(frames)
        return features

    def train(self, mode: bool = True) -> "BackboneCandidate":
        super().train(mode)
        if self.frozen:
            self.backbone.eval()
        return self


def backbone(name: str, pretrained: Pretrained) -> tuple[nn.Module, Origin]:
    """A timm network from images `(B, 3, H, W)` to pooled features `(B, C)`.

    Returns:
        The network, and where its weights come from.

    Raises:
        ParamsError: Unmask ships no weights for it.
        TrainingError: `pretrained` is True and the weights are out of reach.
    """
    if pretrained == "bundled":
        network = _create(name)
        network.load_state_dict(bundled_weights(name))
        return network, "bundled"
    if not pretrained:
        return _create(name), "random"
    try:
        return _create(name, weights=_fetch(f"timm/{name}")), "loaded"
    except Exception as error:  # the hub's client raises its own kinds, httpx's, OSError, RuntimeError
        reason = f"{name}: pretrained weights are out of reach ({_first_line(error)})"
        if pretrained is True:
            raise TrainingError(
                f"{reason}; connect to huggingface.co once, or set pretrained to false or if-available"
            ) from error
    log.warning("%s; training starts from random weights", reason)
    return _create(name), "random"


def _create(name: str, weights: str | None = None) -> nn.Module:
    import timm  # noqa: PLC0415 - takes seconds, and simple_cnn does without it

    overlay = {} if weights is None else {"file": weights}
    network: nn.Module = timm.create_model(
        name, pretrained=weights is not None, pretrained_cfg_overlay=overlay, num_classes=0
    )
    return network


def _fetch(repository: str) -> str:
    """Path of a repository's weights in the hub client's cache; downloaded if they are not there."""
    switch_off_telemetry()  # the client reads the opt-out when it is imported
    from huggingface_hub import (  # noqa: PLC0415
        get_hf_file_metadata,
        hf_hub_download,
        hf_hub_url,
        try_to_load_from_cache,
    )

    cached = try_to_load_from_cache(repository, WEIGHTS)
    if isinstance(cached, str):
        return cached
    # Asked once first: a download alone tries an unreachable hub for most of a minute.
    get_hf_file_metadata(hf_hub_url(repository, WEIGHTS), timeout=HUB_TIMEOUT)
    return hf_hub_download(repository, WEIGHTS)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
