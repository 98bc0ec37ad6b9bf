"""What is searched where params.yaml does not say: for each kind of network what matters most for it.

The candidate's own settings are always among it, so that the first trial can be of them.
"""

from typing import Any

from components.params import CandidateParams, Metric
from components.params.networks import EfficientnetTransformer, FrameNetwork
from components.params.tuning import Choices, Range, Span

LOSSES: list[dict[str, Any]] = [
    {"name": "cross_entropy", "label_smoothing": 0.0},
    {"name": "cross_entropy", "label_smoothing": 0.1},
    {"name": "focal", "alpha": 0.5, "gamma": 2.0},
]

HEADS: list[list[float]] = [[0.0, 0.0], [0.2, 0.1], [0.4, 0.2], [0.5, 0.3]]
"""Dropout before and within the head of a frame network."""


def default_space(settings: CandidateParams, metric: Metric) -> dict[str, Span]:
    """Spans by dotted setting.

    Args:
        settings: of the candidate, with its network.
        metric: by which trials are compared; where it is the loss, that stays as it is.
    """
    space = _optimizer(settings) | _network(settings)
    if metric != "loss":
        space["loss"] = _among(LOSSES, settings.loss.model_dump(mode="json"))
    # Of features that are computed once, augmentation is no part.
    return space if settings.cache_features else space | _augmentation(settings)


def _optimizer(settings: CandidateParams) -> dict[str, Span]:
    options = settings.optimizer
    space: dict[str, Span] = {"optimizer.lr": _around(options.lr, 30)}
    # Nothing is an order of magnitude above none.
    decay = _around(options.weight_decay, 30) if options.weight_decay else Range(low=0.0, high=0.01)
    space["optimizer.weight_decay"] = decay
    if getattr(settings.network, "pretrained", False) and not getattr(settings.network, "freeze", False):
        space["optimizer.backbone"] = Range(
            low=min(0.01, options.backbone), high=max(1.0, options.backbone), log=True
        )
    return space


def _network(settings: CandidateParams) -> dict[str, Span]:
    network = settings.network
    space: dict[str, Span] = {}
    if isinstance(network, EfficientnetTransformer):
        space["network.dropout"] = Range(low=0.0, high=max(0.5, network.dropout))
        space["network.layers"] = Range(low=1, high=max(6, network.layers))
    if isinstance(network, FrameNetwork):
        space["network.head.dropout"] = _among(HEADS, list(network.head.dropout))
    elif isinstance(settings.frames, int):
        space["frames"] = Range(low=max(1, settings.frames // 2), high=2 * settings.frames)
    return space


def _augmentation(settings: CandidateParams) -> dict[str, Span]:
    options = settings.augmentation
    return {
        "augmentation.brightness": Range(low=0.0, high=max(0.4, options.brightness)),
        "augmentation.contrast": Range(low=0.0, high=max(0.4, options.contrast)),
        "augmentation.erasing": Range(low=0.0, high=max(0.3, options.erasing)),
        "augmentation.downscale.chance": Range(low=0.0, high=max(0.5, options.downscale.chance)),
        "augmentation.jpeg.chance": Range(low=0.0, high=max(0.5, options.jpeg.chance)),
    }


def _around(value: float, factor: float) -> Range:
    return Range(low=float(f"{value / factor:.1g}"), high=float(f"{value * factor:.1g}"), log=True)


def _among(usual: list[Any], current: Any) -> Choices:
    return Choices(choices=tuple(usual if current in usual else [current, *usual]))
