"""What a clip costs, by hand: p is the probability of its right class."""

from math import exp, log

import pytest
import torch
from pydantic import TypeAdapter, ValidationError

from components.params.training import Loss
from components.training.losses import clip_losses

ADAPTER: TypeAdapter[Loss] = TypeAdapter(Loss)
P = 1 / (1 + exp(-0.75))
"""Of a margin of 0.75, which is right for a fake and wrong for a genuine clip."""


@pytest.mark.parametrize(
    ("told", "real", "fake"),
    [
        ({"name": "cross_entropy"}, -log(1 - P), -log(P)),
        ({"name": "mean_squared_error"}, P**2, (1 - P) ** 2),
        ({"name": "focal"}, -0.75 * P**2 * log(1 - P), -0.25 * (1 - P) ** 2 * log(P)),
        ({"name": "focal", "form": "uniform"}, -0.25 * P**2 * log(1 - P), -0.25 * (1 - P) ** 2 * log(P)),
        (
            {"name": "focal", "form": "uniform", "alpha": 1.0, "gamma": 1.0},
            -P * log(1 - P),
            -(1 - P) * log(P),
        ),
        (
            {"name": "bce_focal", "form": "uniform"},
            -0.5 * log(1 - P) * (1 + 0.25 * P**2),
            -0.5 * log(P) * (1 + 0.25 * (1 - P) ** 2),
        ),
        (
            {"name": "bce_focal"},
            -0.5 * log(1 - P) * (1 + 0.75 * P**2),
            -0.5 * log(P) * (1 + 0.25 * (1 - P) ** 2),
        ),
    ],
)
def test_loss_of_a_genuine_and_of_a_forged_clip(told: dict[str, object], real: float, fake: float) -> None:
    logits = torch.tensor([[0.25, 1.0], [0.25, 1.0]])
    found = clip_losses(ADAPTER.validate_python(told), logits, torch.tensor([0, 1]))
    assert found.tolist() == pytest.approx([real, fake], rel=1e-5)


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(ValidationError, match="alpha_balanced"):
        ADAPTER.validate_python({"name": "focal", "form": "both"})
