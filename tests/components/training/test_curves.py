from math import nan
from pathlib import Path

import pytest
from PIL import Image

from components.params import Metric
from components.training.curves import draw_curves
from components.training.history import Epoch

HISTORY = [Epoch(1, 0.7, 0.7, 0.6, 0.5, 0.5, 0.4, 1e-3), Epoch(2, 0.6, nan, 0.9, nan, nan, nan, 5e-4)]


@pytest.mark.parametrize("metric", ["loss", "f1", "accuracy"])
def test_a_picture_also_of_a_training_that_diverged_later(metric: Metric, tmp_path: Path) -> None:
    draw_curves("a $ name", HISTORY, metric, tmp_path / "made" / "curves.png")
    with Image.open(tmp_path / "made" / "curves.png") as picture:
        assert picture.width > 2 * picture.height
        assert len(picture.convert("L").getcolors() or []) > 20
