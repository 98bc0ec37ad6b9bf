"""Candidates by name. A file adds its network with the decorator and is then known everywhere."""

from collections.abc import Callable

from components.errors import ParamsError
from components.models.base import Candidate
from components.params import Pretrained

Factory = Callable[[Pretrained], Candidate]

_FACTORIES: dict[str, Factory] = {}


def register(name: str) -> Callable[[Factory], Factory]:
    """Make a candidate known under a name, by which params.yaml asks for it."""

    def add(factory: Factory) -> Factory:
        _FACTORIES[name] = factory
        return factory

    return add


def create(name: str, pretrained: Pretrained = False) -> Candidate:
    """Make a candidate, with weights drawn from torch's global generator or loaded from timm's hub.

    Args:
        name: as registered.
        pretrained: True loads ImageNet weights; `if-available` tries to. `Candidate.origin` says which
            of the two happened.

    Raises:
        ParamsError: no candidate has this name, or it has no pretrained weights.
        TrainingError: `pretrained` is True and the weights are out of reach.
    """
    if name not in _FACTORIES:
        raise ParamsError(f"candidates.{name}: no such candidate; known are {', '.join(names())}")
    return _FACTORIES[name](pretrained)


def names() -> list[str]:
    """All registered names, sorted."""
    return sorted(_FACTORIES)
