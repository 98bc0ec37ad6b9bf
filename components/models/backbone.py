"""Image networks from timm, without their classifier."""

import logging
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import torch
from torch import Tensor, nn

from components.errors import ParamsError, TrainingError
from components.models.base import Candidate, WeightsOrigin
from components.models.bundled import bundled_weights
from components.params import Pretrained
from components.privacy import switch_off_telemetry

WEIGHTS_FILE = "model.safetensors"
HUB_TIMEOUT = 5.0  # seconds

log = logging.getLogger(__name__)


class BackboneCandidate(Candidate):
    """A candidate whose frames go through an image network of timm.

    Args:
        name: of the network, as timm has it, e.g. `efficientnet_b3.ra2_in1k`.
        pretrained: which weights to start from.
        freeze: the backbone learns nothing, and keeps its batch statistics.
        stages: of the backbone, whose pooled maps are joined, from 0; none: its last features alone.
        side: of the frames, px, for networks that are made for one size; None: their own.

    Raises:
        ParamsError: timm has no such network or the network no such stage, or Unmask ships no weights for it.
        TrainingError: `pretrained` is True and the weights are out of reach.
    """

    def __init__(
        self,
        name: str,
        pretrained: Pretrained = False,
        freeze: bool = False,
        stages: Sequence[int] = (),
        side: int | None = None,
    ) -> None:
        super().__init__()
        self.backbone, self.origin = self.make_backbone(name, pretrained, stages, side)
        network: Any = self.backbone  # torch types what a module holds as tensors and modules
        self.mean, self.std = network.pretrained_cfg["mean"], network.pretrained_cfg["std"]
        self.feature_size = feature_size(network)
        self.frozen = freeze
        if freeze:
            self.backbone.requires_grad_(False).eval()

    def make_backbone(
        self, name: str, pretrained: Pretrained, stages: Sequence[int], side: int | None
    ) -> tuple[nn.Module, WeightsOrigin]:
        """What frames go through. A subclass may put something before the network, or another beside it."""
        return backbone(name, pretrained, stages, side)

    def embed(self, frames: Tensor) -> Tensor:
        features: Tensor = self.backbone(frames)
        return features

    def train(self, mode: bool = True) -> "BackboneCandidate":
        super().train(mode)
        if self.frozen:
            self.backbone.eval()
        return self


class PooledStages(nn.Module):
    """The means over the maps of several stages, side by side: images `(N, 3, H, W)` → `(N, C)`.

    Faults of a blend are fine and local, which the last stage alone has averaged away; the early ones still
    show them (e.g. Zhao et al., 2021, https://arxiv.org/abs/2103.02406).
    """

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network
        self.pretrained_cfg: dict[str, Any] = network.pretrained_cfg
        self.num_features: int = sum(network.feature_info.channels())

    def forward(self, images: Tensor) -> Tensor:
        return torch.cat([maps.mean(dim=(2, 3)) for maps in self.network(images)], dim=1)


def feature_size(network: Any) -> int:
    """Returns features `C` of an image that a timm network without its classifier gives."""
    return int(getattr(network, "head_hidden_size", network.num_features))


def backbone(
    name: str,
    pretrained: Pretrained,
    stages: Sequence[int] = (),
    side: int | None = None,
    channels: int = 3,
) -> tuple[nn.Module, WeightsOrigin]:
    """Returns a timm network from images `(B, channels, H, W)` to pooled features `(B, C)`.

    Where its weights are of images with fewer channels, timm repeats those of the first convolution.

    Returns:
        The network, and where its weights come from.

    Raises:
        ParamsError: timm has no such network or the network no such stage, or Unmask ships no weights for it.
        TrainingError: `pretrained` is True and the weights are out of reach.
    """
    _check(name)
    create = partial(_create, name, stages, side, channels)
    if pretrained == "bundled":
        return create({"state_dict": bundled_weights(name)}), "bundled"
    if not pretrained:
        return create(), "random"
    try:
        return create({"file": _published(name)}), "loaded"
    except ParamsError:
        raise
    except Exception as error:  # the hub's client raises its own kinds, httpx's, OSError, RuntimeError
        reason = f"{name}: pretrained weights are out of reach ({_first_line(error)})"
        if pretrained is True:
            raise TrainingError(
                f"{reason}; connect to the internet once, or set pretrained to if-available, bundled or false"
            ) from error
        log.warning("%s; training starts from random weights", reason)
    return create(), "random"


def _check(name: str) -> None:
    """Refuses what timm does not have, with what is spelt alike."""
    import timm  # noqa: PLC0415 - takes seconds, and simple_cnn does without it

    architecture = name.partition(".")[0]
    try:
        timm.get_pretrained_cfg(name)
        if timm.is_model(architecture):
            return
        known, wanted = timm.list_models(), architecture
    except RuntimeError:  # nobody has trained it in this way
        known, wanted = timm.list_pretrained(f"{architecture}.*"), name
    close = get_close_matches(wanted, known, n=3, cutoff=0.4)
    remedy = f"close to it are {', '.join(close)}" if close else "timm.list_models() has them all"
    raise ParamsError(f"backbone {name}: timm has no such network; {remedy}")


def _create(
    name: str,
    stages: Sequence[int],
    side: int | None,
    channels: int,
    weights: Mapping[str, Any] | None = None,
) -> nn.Module:
    """Makes a network; timm maps the weights of the whole one to what its stages need."""
    import timm  # noqa: PLC0415

    settings: dict[str, Any] = {
        "pretrained": weights is not None,
        "pretrained_cfg_overlay": weights,
        "in_chans": channels,
    }
    made_for = timm.get_pretrained_cfg(name)
    if side is None or made_for is None or not made_for.fixed_input_size:
        return _made(name, stages, settings)
    try:
        network = _made(name, stages, settings | {"img_size": side}).eval()
        with torch.inference_mode():
            network(torch.zeros(1, channels, side, side))
    except (AssertionError, RuntimeError, TypeError, ValueError) as error:
        raise ParamsError(
            f"backbone {name}: cannot take crops of {side} px ({_first_line(error)}); its own are of "
            f"{made_for.input_size[-1]} px: set faces.size or augmentation.crop, or take another one"
        ) from error
    return network.train()


def _made(name: str, stages: Sequence[int], settings: Mapping[str, Any]) -> nn.Module:
    import timm  # noqa: PLC0415

    if stages:
        return PooledStages(_maps(name, stages, settings))
    network: Any = timm.create_model(name, num_classes=0, **settings)
    network.pretrained_cfg.pop("state_dict", None)  # it would be copied with the network
    whole: nn.Module = network
    return whole


def _maps(name: str, stages: Sequence[int], settings: Mapping[str, Any]) -> Any:
    """A timm network from images to the maps `(N, C, h, w)` of some stages, without what follows them."""
    import timm  # noqa: PLC0415

    try:
        # Any other kind keeps parts that nothing depends on.
        network: Any = timm.create_model(
            name, features_only=True, feature_cls="getter", out_indices=tuple(stages), **settings
        )
    except (AssertionError, IndexError) as error:
        raise ParamsError(f"stages {list(stages)}: {name}: {error}; count from 0") from error
    network.pretrained_cfg.pop("state_dict", None)
    return network


def _published(name: str) -> str:
    """Returns the path of a network's weights here; downloaded from where timm has them, if needed."""
    import timm  # noqa: PLC0415

    source = timm.get_pretrained_cfg(name)
    if source is not None and source.hf_hub_id:
        return _fetch(source.hf_hub_id)
    if source is not None and source.url:
        return _download(str(source.url))
    raise LookupError("nobody publishes any for timm")


def _fetch(repository: str) -> str:
    """Returns the path of a repository's weights in the hub client's cache; downloads them if needed."""
    switch_off_telemetry()  # the client reads the opt-out when it is imported
    from huggingface_hub import (  # noqa: PLC0415
        get_hf_file_metadata,
        hf_hub_download,
        hf_hub_url,
        try_to_load_from_cache,
    )

    cached = try_to_load_from_cache(repository, WEIGHTS_FILE)
    if isinstance(cached, str):
        return cached
    # Asked once first: a download alone tries an unreachable hub for most of a minute.
    get_hf_file_metadata(hf_hub_url(repository, WEIGHTS_FILE), timeout=HUB_TIMEOUT)
    return hf_hub_download(repository, WEIGHTS_FILE)


def _download(url: str) -> str:
    """Path of a file in torch's cache, where timm keeps what is on no hub; downloaded if it is not there."""
    file = Path(torch.hub.get_dir(), "checkpoints", Path(urlsplit(url).path).name)
    if not file.is_file():
        with urlopen(Request(url, method="HEAD"), timeout=HUB_TIMEOUT):  # noqa: S310 - an address of timm's
            file.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(url, str(file), progress=False)
    return str(file)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
