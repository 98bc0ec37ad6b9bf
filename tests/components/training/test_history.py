from math import inf, nan
from pathlib import Path

import pytest

from components.errors import TrainingError
from components.params import Metric
from components.training.history import Epoch, best_epoch, write_history


def curve(*losses: float) -> list[Epoch]:
    return [Epoch(number, 0.5, loss, 0.9, 0.6, 0.75, 0.25, 0.001) for number, loss in enumerate(losses, 1)]


@pytest.mark.parametrize(
    ("losses", "best"), [([0.7, 0.5, 0.6], 2), ([0.7, 0.5, 0.5], 2), ([0.4], 1), ([nan, 0.9, inf], 2)]
)
def test_first_of_the_smallest(losses: list[float], best: int) -> None:
    assert best_epoch(curve(*losses)).epoch == best


@pytest.mark.parametrize(("metric", "best"), [("loss", 3), ("auc", 2), ("f1", 1), ("accuracy", 4)])
def test_each_metric_has_its_best_epoch(metric: Metric, best: int) -> None:
    curves = [
        Epoch(1, 0.5, 0.7, 0.99, 0.6, 0.6, 0.9, 0.1),
        Epoch(2, 0.5, 0.6, 0.9, 0.6, 0.8, 0.7, 0.1),
        Epoch(3, 0.5, 0.5, 0.9, 0.6, 0.8, 0.8, 0.1),
        Epoch(4, 0.5, 0.9, 0.9, 0.7, 0.6, 0.6, 0.1),
    ]
    assert best_epoch(curves, metric).epoch == best


@pytest.mark.parametrize("losses", [[nan], [inf, nan]])
def test_no_finite_loss_is_an_error(losses: list[float]) -> None:
    with pytest.raises(TrainingError, match=rf"diverged: validation loss nan after epoch {len(losses)}"):
        best_epoch(curve(*losses))


def test_file(tmp_path: Path) -> None:
    write_history(curve(0.7, 0.25), tmp_path / "reports" / "history.csv")
    assert (tmp_path / "reports" / "history.csv").read_text() == (
        "epoch,train_loss,val_loss,train_accuracy,val_accuracy,val_auc,val_f1,lr\n"
        "1,0.5,0.7,0.9,0.6,0.75,0.25,0.001\n2,0.5,0.25,0.9,0.6,0.75,0.25,0.001\n"
    )


def test_line_for_people() -> None:
    assert curve(0.7)[0].line(40) == (
        "epoch 1/40: train loss 0.500, accuracy 0.900, validation loss 0.700, accuracy 0.600, AUC 0.750, "
        "F1 0.250, rate 1.0e-03"
    )


def test_the_gap_is_what_validation_lacks() -> None:
    assert curve(0.7)[0].gap == pytest.approx(0.3)
