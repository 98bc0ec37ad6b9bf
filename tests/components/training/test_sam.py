from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam

from components.training.sam import SharpnessAware, frozen_statistics


def step(optimizer: SharpnessAware, loss: Any) -> list[Tensor]:
    """One step; the weights at which its closure was evaluated."""
    (weights,) = optimizer.param_groups[0]["params"]
    seen = []

    def closure() -> Tensor:
        seen.append(weights.detach().clone())
        optimizer.zero_grad()
        value: Tensor = loss(weights)
        value.backward()
        return value

    optimizer.step(closure)
    return seen


def test_takes_the_gradient_a_radius_uphill() -> None:
    """Of half the squared length: from (3, 4) uphill is (3.6, 4.8), and its gradient is itself."""
    weights = nn.Parameter(torch.tensor([3.0, 4.0]))
    first, second = step(SharpnessAware(SGD([weights], lr=0.1), radius=1.0), lambda w: (w**2).sum() / 2)
    assert first.tolist() == [3.0, 4.0]
    assert second.tolist() == pytest.approx([3.6, 4.8])
    assert weights.tolist() == pytest.approx([3.0 - 0.36, 4.0 - 0.48])


def test_a_flat_place_is_no_division_by_zero() -> None:
    weights = nn.Parameter(torch.zeros(2))
    step(SharpnessAware(SGD([weights], lr=0.1), radius=1.0), lambda w: (w**2).sum())
    assert weights.tolist() == [0.0, 0.0]


def test_its_state_is_that_of_the_optimiser_inside() -> None:
    def made() -> SharpnessAware:
        return SharpnessAware(Adam([nn.Parameter(torch.tensor([1.0, -2.0]))], lr=0.1), radius=0.1)

    first, second = made(), made()
    for _ in range(2):
        step(first, lambda w: (w**4).sum())
    second.load_state_dict(deepcopy(first.state_dict()))
    with torch.no_grad():
        second.param_groups[0]["params"][0].copy_(first.param_groups[0]["params"][0])
    for one in (first, second):
        one.param_groups[0]["lr"] = 0.01  # as a schedule sets it
        step(one, lambda w: (w**4).sum())
    told = [one.param_groups[0]["params"][0].tolist() for one in (first, second)]
    assert told[0] == told[1]


def test_frozen_statistics_learn_nothing() -> None:
    norm = nn.BatchNorm1d(2)
    before = norm.running_mean.clone()  # type: ignore[union-attr]
    with frozen_statistics(norm):
        out = norm(torch.tensor([[1.0, 5.0], [3.0, 9.0]]))
    assert out[:, 0].tolist() == pytest.approx([-1, 1], abs=1e-3)  # normalised by the batch all the same
    assert torch.equal(norm.running_mean, before)  # type: ignore[arg-type]
    norm(torch.ones(2, 2))
    assert not torch.equal(norm.running_mean, before)  # type: ignore[arg-type]
