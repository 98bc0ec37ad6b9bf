import random
import time

import pytest

from components.ingest.statistics.results import MethodCount, Shortcut
from components.ingest.statistics.statistics import compute_statistics, find_shortcut


def test_what_takes_part_is_told_from_what_does_not(mixed) -> None:
    found = compute_statistics(mixed)
    assert (found.total.videos, found.total.dealt) == (39, 36)
    assert found.total.broken == {"too_short": 1}
    assert found.total.excluded == {"bridge": 1, "unlabelled": 1}
    assert found.total.unlabelled == 1
    assert sum(held.videos for held in found.splits.values()) == 36
    assert found.datasets["ff"].videos == 21
    assert found.datasets["costs $5 or $6"].broken == {}


def test_imbalance_of_each_dataset_in_each_split(mixed) -> None:
    held = compute_statistics(mixed).cells["ff"]["val"]
    assert (held.real, held.fake) == (1, 5)
    assert held.fake_share == pytest.approx(5 / 6)


def test_no_labelled_video_has_no_share_of_fakes(make_row) -> None:
    assert compute_statistics([make_row(label=None, split=None)]).total.fake_share is None


def test_people_are_counted_once_and_only_if_named(make_row) -> None:
    rows = [
        make_row(identities=["ann"]),
        make_row(identities=["ann", "bob"]),
        make_row(identities=["unnamed:v"]),
        make_row(identities=None),
        make_row(identities=["ann"], split="test"),
    ]
    found = compute_statistics(rows)
    assert (found.splits["train"].people, found.splits["train"].unnamed) == (2, 2)
    assert (found.splits["test"].people, found.total.people) == (1, 2)


def test_methods_stand_with_genuine_videos_first(mixed) -> None:
    assert compute_statistics(mixed).methods == (
        MethodCount(label="real", method="none", train=2, val=2, test=2),
        MethodCount(label="fake", method="a_blend", train=4, val=4, test=4),
        MethodCount(label="fake", method="swap", train=6, val=6, test=6),
    )


def test_the_same_document_in_any_order(mixed) -> None:
    shuffled = list(mixed)
    random.Random(1).shuffle(shuffled)
    assert compute_statistics(shuffled).model_dump_json() == compute_statistics(mixed).model_dump_json()


def test_nothing_is_described_without_failing() -> None:
    found = compute_statistics([])
    assert found.total.videos == 0
    assert found.formats["duration"].bins == ()
    assert found.formats["codec"].spread is None


def test_bins_run_from_the_first_that_holds_something_to_the_last(make_row) -> None:
    rows = [make_row(duration=seconds) for seconds in (1.5, 1.6, 12.0)] + [make_row(duration=None)]
    bins = compute_statistics(rows).formats["duration"].bins
    assert [(found.bin, found.real) for found in bins] == [
        ("1–2", 2), ("2–3", 0), ("3–5", 0), ("5–10", 0), ("10–15", 1), ("not told", 1),
    ]  # fmt: skip


def test_rare_codecs_share_a_bin(make_row) -> None:
    rows = [make_row(codec=f"c{number}") for number in range(20)] + [make_row(codec="h264")] * 2
    bins = compute_statistics(rows).formats["codec"].bins
    assert len(bins) == 9
    assert (bins[0].bin, bins[0].real, bins[-1].bin, bins[-1].real) == ("h264", 2, "other", 13)


def test_spread(make_row) -> None:
    spread = (
        compute_statistics([make_row(duration=float(seconds)) for seconds in range(101)])
        .formats["duration"]
        .spread
    )
    assert tuple(spread.model_dump().values()) == (0.0, 5.0, 50.0, 95.0, 100.0)


def videos(*counts: tuple[str, str, str, int]) -> list[tuple]:
    return [video for *video, number in counts for _ in range(number)]


@pytest.mark.parametrize(
    ("counts", "accuracy"),
    [
        ([("train", "real", "h264", 9), ("train", "fake", "vp9", 90),
          ("val", "real", "h264", 5), ("test", "fake", "vp9", 50)], 1.0),
        ([("train", "real", "h264", 9), ("train", "fake", "h264", 90),
          ("val", "real", "h264", 5), ("test", "fake", "h264", 50)], 0.5),
        # More fakes in both bins: shares decide, not numbers.
        ([("train", "real", "a", 6), ("train", "real", "b", 4), ("train", "fake", "a", 40),
          ("train", "fake", "b", 60), ("val", "real", "a", 10), ("val", "fake", "b", 10)], 1.0),
        # What training videos say is wrong of the others.
        ([("train", "real", "a", 9), ("train", "fake", "b", 9),
          ("val", "real", "b", 5), ("val", "fake", "a", 5)], 0.0),
        # A bin of which training videos say nothing.
        ([("train", "real", "a", 9), ("train", "fake", "b", 9),
          ("val", "real", "c", 5), ("val", "fake", "c", 5)], 0.5),
    ],
)  # fmt: skip
def test_shortcut(counts, accuracy: float) -> None:
    assert find_shortcut(videos(*counts)).accuracy == accuracy


@pytest.mark.parametrize(
    "missing", [("train", "real"), ("train", "fake"), ("test", "real"), ("test", "fake")]
)
def test_no_shortcut_where_a_side_lacks_a_class(missing) -> None:
    every = [(split, label, "a", 3) for split in ("train", "test") for label in ("real", "fake")]
    assert find_shortcut(videos(*every)) is not None
    assert find_shortcut(videos(*(one for one in every if one[:2] != missing))) is None


def test_a_few_videos_leave_a_wide_margin() -> None:
    few, many = (
        find_shortcut(
            videos(
                *[(split, label, label, number) for split in ("train", "val") for label in ("real", "fake")]
            )
        )
        for number in (3, 3000)
    )
    assert isinstance(few, Shortcut)
    assert few.margin > 0.2
    assert many.margin < 0.01


def test_chance_alone_is_no_shortcut(make_row) -> None:
    dice = random.Random(5)
    rows = [
        make_row(
            label=dice.choice(["real", "fake"]),
            split=dice.choice(["train", "val", "test"]),
            duration=dice.uniform(0, 40),
        )
        for _ in range(3000)
    ]
    found = compute_statistics(rows).formats["duration"].shortcut
    assert abs(found.accuracy - 0.5) < found.margin


@pytest.mark.slow
def test_many_videos_take_seconds(make_row) -> None:
    rows = [
        make_row(label=("real", "fake")[n % 2], split=("train", "test")[n % 3 == 0]) for n in range(20_000)
    ]
    start = time.process_time()
    compute_statistics(rows)
    assert time.process_time() - start < 2
