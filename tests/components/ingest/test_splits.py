"""Groups and splits as tables, and their laws as properties."""

from collections import Counter
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.errors import LeakageError, ParamsError
from components.ingest.groups import Sample, audit, group_samples
from components.ingest.layouts.base import LABELS, SPLITS, Split
from components.ingest.splits import deal


def sample(video_id: str, *identities: str, **facts: Any) -> Sample:
    label = "fake" if video_id.startswith("f") else "real"
    known = {"label": label, "method": "swap" if label == "fake" else "none", "sha256": f"hash of {video_id}"}
    return Sample(video_id, identities=identities, **{**known, **facts})


def shared_people(people: int) -> list[Sample]:
    """The sample dataset's shape: two clips a person, swaps tie people in pairs, four methods in turn."""
    samples = []
    for person in range(people):
        method = ("blend", "swap", "flicker", "lowres")[person // 2 % 4]
        name, partner = f"p{person:03d}", f"p{person ^ 1:03d}"
        shown = (name, partner) if method == "swap" else (name,)
        samples += [sample(f"real/{name}", name), sample(f"fake/{name}", *shown, method=method)]
    return samples


def rows(samples: list[Sample], splits: list[Split | None]) -> list[dict[str, Any]]:
    return [
        {
            "video_id": s.video_id,
            "group": g,
            "identities": list(s.identities),
            "sha256": s.sha256,
            "split": split,
        }
        for s, g, split in zip(samples, group_samples(samples), splits, strict=True)
    ]


def split_all(
    samples: list[Sample], val: float = 0.2, test: float = 0.25, seed: int = 0
) -> list[Split | None]:
    return deal(samples, group_samples(samples), val, test, seed)


@pytest.mark.parametrize(
    ("samples", "groups"),
    [
        ([sample("a", "x"), sample("b", "y")], ["x", "y"]),
        ([sample("a", "x"), sample("b", "x")], ["x", "x"]),
        ([sample("a", "x"), sample("b", "y"), sample("c", "z", "y", "x")], ["x", "x", "x"]),
        ([sample("a", "y", sources=("s",)), sample("b", "x", sources=("s",))], ["x", "x"]),
        ([sample("a", "x", sha256="h"), sample("b", "y", sha256="h")], ["x", "x"]),
        ([sample("a", "x", sha256=None), sample("b", "y", sha256=None)], ["x", "y"]),
        ([sample("a", "s", sha256="h"), sample("b", "h", sources=("s",))], ["s", "h"]),
        ([sample("a", "x"), sample("b", "x", "y", usable=False), sample("c", "y")], ["x", "x", "x"]),
    ],
    ids=[
        "alone",
        "person",
        "chain",
        "source",
        "content",
        "unknown content",
        "kinds kept apart",
        "broken video",
    ],
)
def test_what_ties_videos_together(samples: list[Sample], groups: list[str]) -> None:
    assert group_samples(samples) == groups


@pytest.mark.parametrize("seed", range(8))
def test_shares_and_strata_of_the_sample_data(seed: int) -> None:
    samples = shared_people(72)
    splits = split_all(samples, seed=seed)
    shares = {split: count / len(samples) for split, count in Counter(splits).items()}
    assert shares == pytest.approx({"train": 0.55, "val": 0.2, "test": 0.25}, abs=0.05)
    for split in SPLITS:
        members = [s for s, dealt in zip(samples, splits, strict=True) if dealt == split]
        assert Counter(s.label for s in members)["fake"] == len(members) / 2
        assert set(Counter(s.method for s in members)) == {"none", "blend", "swap", "flicker", "lowres"}


def test_seeds_deal_differently() -> None:
    assert split_all(shared_people(72), seed=1) != split_all(shared_people(72), seed=2)


def test_prescribed_split_holds_for_the_whole_group() -> None:
    samples = [sample("f1", "x", split="val"), sample("r1", "x"), sample("r2", "y"), sample("f2", "y")]
    assert split_all(samples)[:2] == ["val", "val"]


def test_contradicting_prescribed_splits_name_the_people() -> None:
    samples = [sample("r1", "x", split="test"), sample("f1", "x", "y"), sample("r2", "y", split="train")]
    with pytest.raises(LeakageError) as caught:
        split_all(samples)
    assert str(caught.value).startswith(
        "identities x, y belong together but stand in test (r1) and in train (r2); correct the columns"
    )


def test_videos_that_are_not_usable_get_no_split() -> None:
    samples = [
        sample("r1", "x"),
        sample("f1", "x"),
        sample("f2", "x", usable=False),
        sample("f3", "z", usable=False),
    ]
    assert split_all(samples) == ["train", "train", None, None]


def test_few_groups_serve_train_and_test_first() -> None:
    samples = [sample("r1", "x"), sample("f1", "x"), sample("r2", "y"), sample("f2", "y")]
    assert set(split_all(samples)) == {"train", "test"}


def test_share_zero_deals_nothing() -> None:
    assert set(split_all(shared_people(20), val=0.0)) == {"train", "test"}


def test_shares_must_leave_something_to_train_on() -> None:
    with pytest.raises(ParamsError, match="leave nothing to train on"):
        split_all(shared_people(4), val=0.5, test=0.5)


@pytest.mark.parametrize(
    "shared",
    [{"identities": ["x"]}, {"group": "g"}, {"sha256": "h"}],
    ids=lambda shared: next(iter(shared)),
)
def test_audit_finds_what_stands_in_two_splits(shared: dict[str, Any]) -> None:
    one = {"video_id": "a", "split": "train", "identities": ["1"], "group": "1", "sha256": "1"}
    other = {"video_id": "b", "split": "test", "identities": ["2"], "group": "2", "sha256": "2"}
    audit([one, other, {**one, **shared}, {**other, **shared, "split": None}])
    with pytest.raises(LeakageError, match=r"stands in train \(a\) and in test \(b\)"):
        audit([one | shared, other | shared])


def possible(samples: list[Sample]) -> bool:
    """Try every way of dealing: can each split hold both classes?"""
    classes: dict[str, set[str]] = {}
    for one, group in zip(samples, group_samples(samples), strict=True):
        classes.setdefault(group, set()).update({one.label} if one.usable else ())
    everything = set(product(SPLITS, LABELS))
    return any(
        {(split, label) for split, held in zip(dealt, classes.values(), strict=True) for label in held}
        == everything
        for dealt in product(SPLITS, repeat=len(classes))
    )


PEOPLE = st.lists(st.sampled_from([f"p{n}" for n in range(8)]), min_size=1, max_size=2, unique=True)
VIDEO = st.tuples(st.sampled_from("rf"), PEOPLE, st.integers(0, 40), st.booleans() | st.just(True))
SHARES = st.sampled_from([(0.2, 0.25), (0.05, 0.05), (0.4, 0.5)])
SAMPLES = st.lists(VIDEO, max_size=30).map(
    lambda drawn: [
        sample(f"{label}{index}", *people, sha256=f"h{content}", usable=usable)
        for index, (label, people, content, usable) in enumerate(drawn)
    ]
)


@given(SAMPLES, st.integers(0, 3), SHARES)
def test_splits_are_disjoint_complete_and_repeatable(
    samples: list[Sample], seed: int, shares: tuple[float, float]
) -> None:
    splits = split_all(samples, *shares, seed)
    audit(rows(samples, splits))
    assert [split is not None for split in splits] == [s.usable for s in samples]
    assert split_all(samples, *shares, seed) == splits
    assert split_all(samples[::-1], *shares, seed) == splits[::-1]


@given(SAMPLES, st.integers(0, 3), SHARES)
def test_each_split_holds_both_classes_where_that_is_possible(
    samples: list[Sample], seed: int, shares: tuple[float, float]
) -> None:
    splits = split_all(samples, *shares, seed)
    held = {(split, s.label) for s, split in zip(samples, splits, strict=True) if split}
    assert (held == set(product(SPLITS, LABELS))) == possible(samples)
