"""Sharpness-aware minimisation: steps towards weights whose whole surroundings are good.

Source: Foret et al., Sharpness-Aware Minimization for Efficiently Improving Generalization, ICLR 2021
(https://arxiv.org/abs/2010.01412).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils import get_total_norm
from torch.optim import Optimizer


class SharpnessAware(Optimizer):
    """Takes the gradient not here, but `radius` away, where the loss is worst to first order.

    So a step evaluates its closure twice; the second time `perturbed` is true.

    Args:
        base: what takes the step with that gradient; its state and its groups are this optimiser's.
        radius: `rho` of the paper, the distance in the space of all weights.
    """

    def __init__(self, base: Optimizer, radius: float) -> None:
        super().__init__(base.param_groups, base.defaults)
        self.perturbed = False
        self._base = base
        self._radius = radius
        self._share()

    @torch.no_grad()
    def step(self, closure: Callable[[], Any]) -> Any:  # type: ignore[override]
        """Returns one step; the loss that it returns is that at the weights as they were."""
        with torch.enable_grad():
            loss = closure()
        with self._uphill(), torch.enable_grad():
            closure()
        self._base.step()
        return loss

    def state_dict(self) -> dict[str, Any]:
        return self._base.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._base.load_state_dict(state_dict)
        self._share()

    def _share(self) -> None:
        self.param_groups, self.state = self._base.param_groups, self._base.state

    @contextmanager
    def _uphill(self) -> Iterator[None]:
        weights, gradients = self._learning()
        if not weights:
            yield
            return
        kept = [weight.clone() for weight in weights]  # put back as they were: subtracting would round
        scale = self._radius / (get_total_norm(gradients) + 1e-12)
        torch._foreach_add_(weights, torch._foreach_mul(gradients, scale))
        self.perturbed = True
        try:
            yield
        finally:
            self.perturbed = False
            torch._foreach_copy_(weights, kept)

    def _learning(self) -> tuple[list[Tensor], list[Tensor]]:
        learning = [
            parameter
            for group in self.param_groups
            for parameter in group["params"]
            if parameter.grad is not None
        ]
        return learning, [parameter.grad for parameter in learning]


@contextmanager
def frozen_statistics(model: nn.Module) -> Iterator[None]:
    """Batch norms that normalise by their batch, as in training, and do not learn from it meanwhile."""
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    try:
        yield
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
