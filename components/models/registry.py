"""Networks by name: each is registered by the module of `components.models` that is called as it is."""

from collections.abc import Callable
from importlib import import_module
from typing import Any, get_args

from components.errors import ParamsError
from components.models.base import Candidate
from components.params import Network

Factory = Callable[[Any, int | None], Candidate]
"""Takes the member of `components.params.networks.Network` that has its name, and the side of the frames."""

_FACTORIES: dict[str, Factory] = {}


def register(name: str) -> Callable[[Factory], Factory]:
    """Makes a network known under a name, by which params.yaml asks for it."""

    def add(factory: Factory) -> Factory:
        _FACTORIES[name] = factory
        return factory

    return add


def create(network: Network, side: int | None = None) -> Candidate:
    """Makes a network, with weights drawn from torch's global generator or loaded; `origin` says which.

    Args:
        network: what it is.
        side: of the frames that it will be given, px. Most take any; vision transformers are made for one.

    Raises:
        ParamsError: nothing is registered under its name, or it cannot be as it is told to be.
        TrainingError: its weights are out of reach.
    """
    if network.name not in names():
        raise ParamsError(f"network {network.name}: no such network; known are {', '.join(names())}")
    import_module(f"components.models.{network.name}")  # it registers itself
    return _FACTORIES[network.name](network, side)


def names() -> list[str]:
    """All names for which `components.params.networks` has settings, sorted."""
    kinds = get_args(get_args(Network)[0])
    return sorted(name for kind in kinds for name in get_args(kind.model_fields["name"].annotation))
