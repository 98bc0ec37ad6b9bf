import pytest

from components.ingest.statistics.bins import EDGES, MEASURES, UNTOLD, bin_labels, label_of


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (0.0, "< 1"),
        (0.999, "< 1"),
        (1.0, "1–2"),
        (4.2, "3–5"),
        (299, "60–300"),
        (300, "≥ 300"),
        (None, UNTOLD),
    ],
)
def test_a_bin_holds_its_lower_edge(value: float | None, told: str) -> None:
    assert label_of(value, EDGES["duration"]) == told


@pytest.mark.parametrize("name", EDGES)
def test_edges_rise_and_every_bin_has_a_name_of_its_own(name) -> None:
    assert sorted(set(EDGES[name])) == list(EDGES[name])
    assert len(set(bin_labels(EDGES[name]))) == len(EDGES[name]) + 1


@pytest.mark.parametrize(
    ("rate", "told"),
    [
        (23.976, "23–24.5"),
        (24, "23–24.5"),
        (25, "24.5–25.5"),
        (29.97, "29–30.5"),
        (59.94, "59–61"),
        (60, "59–61"),
    ],
)
def test_usual_frame_rates_share_a_bin_with_their_ntsc_twins(rate: float, told: str) -> None:
    assert label_of(rate, EDGES["fps"]) == told


@pytest.mark.parametrize(
    ("name", "facts", "value"),
    [
        ("resolution", {"width": 1920, "height": 1080}, 1080),
        ("resolution", {"width": 576, "height": 1024}, 576),
        ("resolution", {"width": None, "height": 1024}, None),
        ("bitrate", {"bytes": 500_000, "duration": 4.0}, 1000.0),
        ("bitrate", {"bytes": 500_000, "duration": 0.0}, None),
        ("bitrate", {"bytes": None, "duration": 4.0}, None),
    ],
)
def test_measures(name, facts, value) -> None:
    assert MEASURES[name](facts) == value
