"""A planted shortcut must show, and chance must not be taken for one."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from dvc_render import VegaRenderer

from components.arrays import Floats64
from components.bundle import Calibration
from components.evaluation.comparison import Contender, Decision
from components.evaluation.leaderboard import write_rows
from components.evaluation.predictions import Predictions
from components.evaluation.results import Slice
from components.evaluation.slices import properties, slice_rows, slices
from components.params import EvaluateParams

ROOT = Path(__file__).parents[3]
PARAMS = EvaluateParams(select_by="auc", bootstrap=100, confidence=0.95, seed=3)


def contender(labels: list[int], probabilities: list[float]) -> Contender:
    """A winner of these test videos, each of a person of its own, at a threshold of one half."""
    names = tuple(f"v{place:02d}" for place in range(len(labels)))
    test = Predictions(names, names, ("none",) * len(names), np.array(labels), np.zeros(len(names)))
    decision = Decision(Calibration(), None, 0.5, {})
    return Contender("winner", decision, test, np.array(probabilities), {}, {})


def sliced(labels: list[int], probabilities: list[float], **found: list[float]) -> dict[str, Slice]:
    values = {name: np.array(column, float) for name, column in found.items()}
    return {one.span: one for one in slices(contender(labels, probabilities), values, PARAMS)}


def test_genuine_grey_videos_that_are_called_fake_show() -> None:
    labels = [0] * 20 + [1] * 20
    probabilities = [0.9] * 9 + [0.1] * 11 + [0.8] * 19 + [0.2]
    colours = [3.0] * 10 + [50.0] * 10 + [3.0] * 10 + [50.0] * 10
    found = sliced(labels, probabilities, colourfulness=colours)
    grey, colour = found["below 15"], found["45 to 59"]
    assert (grey.false_alarms, grey.genuine, grey.missed, grey.fake) == (9, 10, 0, 10)
    assert grey.false_alarm_rate is not None
    assert colour.false_alarm_rate is not None
    assert grey.false_alarm_rate.value == pytest.approx(0.9)
    assert grey.false_alarm_rate.low is not None
    assert 0.5 < grey.false_alarm_rate.low < 0.9
    assert colour.false_alarm_rate.value == 0
    assert colour.miss_rate is not None
    assert colour.miss_rate.value == pytest.approx(0.1)
    assert grey.auc == pytest.approx(0.1)  # of the nine above all fakes, and the one below
    assert colour.auc == pytest.approx(0.9 + 0.1)


@pytest.mark.parametrize(
    ("genuine", "fake", "told"),
    [(10, 10, ""), (9, 10, "genuine"), (10, 9, "fake"), (3, 0, "genuine and fake")],
)
def test_of_too_few_videos_counts_are_told_and_no_rates(genuine: int, fake: int, told: str) -> None:
    labels = [0] * genuine + [1] * fake
    (one,) = slices(contender(labels, [0.7] * len(labels)), {"brightness": np.full(len(labels), 0.5)}, PARAMS)
    (row,) = slice_rows([one])
    assert (one.genuine, one.fake, one.false_alarms, one.missed) == (genuine, fake, genuine, 0)
    assert (one.false_alarm_rate is None, one.miss_rate is None) == (genuine < 10, fake < 10)
    assert (one.auc is None) == (min(genuine, fake) < 10)
    assert row["note"] == (f"fewer than 10 {told} videos" if told else None)
    assert (row["false_alarm_rate"], row["false_alarm_rate_low"]) == (
        (None, None) if genuine < 10 else (1.0, 1.0)
    )


@pytest.mark.parametrize(
    ("value", "span"),
    [(0.0, "below 15"), (14.9, "below 15"), (15.0, "15 to 33"), (58.9, "45 to 59"), (59.0, "from 59")],
)
def test_each_video_is_in_the_slice_of_its_value(value: float, span: str) -> None:
    assert list(sliced([0], [0.1], colourfulness=[value])) == [span]


def test_what_is_not_known_is_in_no_slice() -> None:
    found = sliced([0, 0, 1], [0.1, 0.9, 0.9], colourfulness=[float("nan"), 40.0, 40.0])
    assert {span: one.genuine for span, one in found.items()} == {"33 to 45": 1}


def test_what_videos_are_like_comes_from_both_tables() -> None:
    recorded = {"width": 640, "height": 360, "bytes": 288_000, "frames": 50}
    cut = {"frames": 8, "box_side": 90.0, "brightness": 0.4, "colourfulness": 20.0}  # frames: those sampled
    unknown: dict[str, Any] = dict.fromkeys((*recorded, *cut))
    found: dict[str, Floats64] = properties(
        [{"video_id": "a", **unknown}, {"video_id": "b", **recorded}],
        [{"video_id": "b", **cut}, {"video_id": "a", **unknown}],
        ["b", "a"],
    )
    assert {name: column[0] for name, column in found.items()} == {
        "colourfulness": 20.0,
        "brightness": 0.4,
        "face size": 90.0,
        "compression": 8 * 288_000 / (640 * 360 * 50),
        "resolution": 360,
    }
    assert all(np.isnan(column[1]) for column in found.values())


def test_dvc_draws_the_slices_with_their_intervals(tmp_path: Path) -> None:
    stage = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]["evaluate"]
    plot = next(item["reports/slices.csv"] for item in stage["plots"] if "reports/slices.csv" in item)
    labels = [0] * 12 + [1] * 3
    found = slices(contender(labels, [0.7] * 15), {"brightness": np.full(15, 0.5)}, PARAMS)
    rows = slice_rows(found)
    write_rows(rows, tmp_path / "slices.csv")
    assert (tmp_path / "slices.csv").read_text().startswith("slice,property,span,genuine,fake,false_alarms,")
    drawn = VegaRenderer(
        [row | {"rev": "workspace"} for row in rows], "slices.csv", x=plot["x"], y=plot["y"],
        template=plot["template"], template_dir=str(ROOT / ".dvc" / "plots"),
    ).get_filled_template()  # fmt: skip
    assert "<DVC_METRIC" not in json.dumps(drawn)
    ends = drawn["spec"]["layer"][1]["encoding"]
    assert {ends["x"]["field"], ends["x2"]["field"]} <= set(rows[0])
