import numpy as np
import pytest

from components.bundle import Calibration
from components.evaluation.calibration import calibrate, fit_platt

LABELS = np.tile([0, 1], 50)


def test_recovers_a_known_calibration() -> None:
    random = np.random.default_rng(0)
    logits = random.normal(0, 3, 20_000)
    truth = Calibration(slope=0.5, intercept=-1.0)
    labels = (random.random(20_000) < calibrate(truth, logits)).astype(np.int64)
    fit = fit_platt(labels, logits)
    assert fit.fallback is None
    assert fit.calibration.slope == pytest.approx(0.5, abs=0.03)
    assert fit.calibration.intercept == pytest.approx(-1.0, abs=0.05)


def test_minimises_the_log_loss_of_platts_targets() -> None:
    random = np.random.default_rng(1)
    logits = random.normal(LABELS * 2.0, 1.5)
    fit = fit_platt(LABELS, logits).calibration
    targets = np.where(LABELS == 1, 51 / 52, 1 / 52)

    def loss(slope: float, intercept: float) -> float:
        p = calibrate(Calibration(slope=slope, intercept=intercept), logits)
        return float(-(targets * np.log(p) + (1 - targets) * np.log(1 - p)).mean())

    best = loss(fit.slope, fit.intercept)
    for slope, intercept in ((0.01, 0), (-0.01, 0), (0, 0.01), (0, -0.01)):
        assert loss(fit.slope + slope, fit.intercept + intercept) > best


def test_separable_data_stay_finite_and_reach_platts_targets() -> None:
    fit = fit_platt(LABELS, np.where(LABELS == 1, 4.0, -4.0))
    assert fit.fallback is None
    assert calibrate(fit.calibration, np.array([4.0, -4.0])) == pytest.approx([51 / 52, 1 / 52], abs=1e-6)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_the_scale_of_the_logits_does_not_matter(scale: float) -> None:
    logits = np.random.default_rng(2).normal(LABELS * 1.5, 1.0)
    expected = calibrate(fit_platt(LABELS, logits).calibration, logits)
    found = calibrate(fit_platt(LABELS, logits * scale).calibration, logits * scale)
    assert found == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("labels", "logits", "reason"),
    [
        ([0] * 20, np.arange(20.0), "20 genuine and 0 fake"),
        ([0, 0, 0, 0, 1, 1, 1, 1], np.arange(8.0), "fewer than 5"),
        ([], np.array([]), "0 genuine and 0 fake"),
        (LABELS, np.full(100, 3.0), "all logits are the same"),
        (LABELS, 1.0 - LABELS, "do not rise"),
    ],
)
def test_falls_back_to_the_identity_and_says_why(labels, logits, reason: str) -> None:
    fit = fit_platt(np.array(labels, dtype=np.int64), logits)
    assert fit.calibration == Calibration()
    assert reason in str(fit.fallback)
