from pathlib import Path

import cv2
import pytest

from components.ingest.statistics.figures import draw_balance, draw_formats, draw_methods, shortened_name
from components.ingest.statistics.statistics import compute_statistics

FIGURES = [draw_balance, draw_methods, draw_formats]


@pytest.mark.parametrize("draw", FIGURES)
def test_a_figure_is_the_same_bytes_again(draw, mixed, tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        draw(compute_statistics(mixed), tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert cv2.imread(str(tmp_path / "a.png")).std() > 5


@pytest.mark.parametrize("draw", FIGURES)
def test_nothing_can_be_drawn_too(draw, tmp_path: Path) -> None:
    draw(compute_statistics([]), tmp_path / "a.png")
    assert cv2.imread(str(tmp_path / "a.png")) is not None


@pytest.mark.parametrize("draw", FIGURES)
def test_odd_names_and_many_of_them(draw, make_row, tmp_path: Path) -> None:
    rows = [
        make_row(
            dataset=f"数据 $x_{{{number}}}$ " + "long " * 30,
            label="fake",
            method=f"m{number} $\\frac$",
            codec="$",
        )
        for number in range(60)
    ]
    draw(compute_statistics(rows), tmp_path / "a.png")
    height, width, _ = cv2.imread(str(tmp_path / "a.png")).shape
    assert max(height, width) < 2600


@pytest.mark.parametrize(("name", "told"), [("swap", "swap"), ("abcdefghijkl", "abcd…ijkl")])
def test_shortened(name: str, told: str) -> None:
    assert shortened_name(name, 10) == told
