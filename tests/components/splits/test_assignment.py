"""What decides a split, as tables; its laws stand in test_split_laws.py."""

from collections import Counter
from itertools import product
from time import perf_counter
from typing import Any

import pytest

from components.datasets.layouts.base import SPLITS
from components.errors import ParamsError
from components.splits.assignment import assign, assigned_identities
from components.splits.audit import find_leaks
from components.splits.groups import Sample
from components.splits.lock import Lock
from sample.dataset import _rows as rows_of
from sample.session import cast
from sample.settings import SampleSettings
from tests.components.ingest.samples import locked, outcomes, pair, params, rows, sample


def shared_people(people: int) -> list[Sample]:
    """The sample dataset's shape: two clips a person, swaps tie people in pairs, four methods in turn."""
    samples = []
    for person in range(people):
        method = ("blend", "swap", "flicker", "lowres")[person // 2 % 4]
        name, partner = f"p{person:03d}", f"p{person ^ 1:03d}"
        shown = (name, partner) if method == "swap" else (name,)
        samples += [sample(f"real/{name}", name), sample(f"fake/{name}", *shown, method=method)]
    return samples


def dense(people: int, clips: int = 6) -> list[Sample]:
    """Celeb-DF's shape: a few genuine clips a person, and a swap of every pair of people, either way."""
    names = [f"id{person:02d}" for person in range(people)]
    genuine = [sample(f"r {name} {clip}", name) for name in names for clip in range(clips)]
    return genuine + [sample(f"f {a} {b}", a, b) for a, b in product(names, names) if a != b]


# Shares


@pytest.mark.parametrize("seed", range(8))
def test_shares_and_strata_of_the_sample_data(seed: int) -> None:
    samples = shared_people(72)
    splits = outcomes(samples, seed=seed)
    shares = {split: count / len(samples) for split, count in Counter(splits).items()}
    assert shares == pytest.approx({"train": 0.55, "val": 0.2, "test": 0.25}, abs=0.05)
    for split in SPLITS:
        members = [s for s, dealt_to in zip(samples, splits, strict=True) if dealt_to == split]
        assert Counter(s.label for s in members)["fake"] == len(members) / 2
        assert set(Counter(s.method for s in members)) == {"none", "blend", "swap", "flicker", "lowres"}


def test_the_published_figures_come_from_these_splits() -> None:
    """Figures in the documentation were measured with them: another assignment makes those untrue."""
    samples = [
        sample(path.removesuffix(".mp4"), *people.split(";"), label=label, method=method, sources=(source,))
        for casting in cast(SampleSettings())
        for path, label, people, source, method in rows_of(casting)
    ]
    found = dict(assigned_identities(samples, assign(samples, params(seed=11), Lock.empty())))
    assert " ".join(sorted(person for person, split in found.items() if split == "test")) == (
        "p006 p012 p013 p019 p028 p034 p036 p048 p049 p051 p054 p055 p058 p059 p061 p064 p065 p071"
    )
    assert " ".join(sorted(person for person, split in found.items() if split == "val")) == (
        "p011 p016 p017 p020 p026 p027 p037 p038 p040 p041 p044 p047 p052 p063 p070"
    )


def test_seeds_assign_differently() -> None:
    assert outcomes(shared_people(72), seed=1) != outcomes(shared_people(72), seed=2)


def test_few_groups_serve_train_and_test_first() -> None:
    assert set(outcomes([*pair("x"), *pair("y")])) == {"train", "test"}


@pytest.mark.parametrize("least", [1, 2, 3])
@pytest.mark.parametrize("seed", range(4))
def test_a_small_set_is_assigned_so_that_validate_passes(least: int, seed: int) -> None:
    """Three people with enough of both classes, and many who would fill the shares without them."""
    rich = [sample(f"{label}{person}{n}", person) for person in "xyz" for label in "rf" for n in range(least)]
    poor = [sample(f"r{n}", f"p{n}") for n in range(20)]
    found = assign([*poor, *rich], params(seed=seed), Lock.empty(), least)
    assert {assignment.split for assignment in found[20 :: 2 * least]} == set(SPLITS)


def test_a_scarce_class_in_a_large_set_is_spread_soon() -> None:
    samples = [sample(f"r{n}", f"p{n % 1500}") for n in range(3000)]
    samples += [sample(f"f{n}", f"q{n // (1 + n % 3)}") for n in range(60)]
    started = perf_counter()
    found = assign(samples, params(), Lock.empty(), least=10)
    counts = Counter(a.split for s, a in zip(samples, found, strict=True) if s.label == "fake")
    assert min(counts[split] for split in SPLITS) >= 10
    assert perf_counter() - started < 10


def test_share_zero_assigns_nothing() -> None:
    assert set(outcomes(shared_people(20), val_share=0.0)) == {"train", "test"}


def test_shares_must_leave_something_to_train_on() -> None:
    with pytest.raises(ParamsError, match="leave nothing to train on"):
        outcomes(shared_people(4), val_share=0.5, test_share=0.5)


@pytest.mark.parametrize(
    "facts", [{"dataset": "other"}, {"label": None}, {"usable": False}], ids=["role", "unlabelled", "broken"]
)
def test_what_takes_no_part_ties_nobody(facts: dict[str, Any]) -> None:
    samples = [one for n in range(20) for one in pair(f"p{n}")]
    ties_all = [sample(f"f{n}", f"p{n}", f"p{n + 1}", **facts) for n in range(19)]
    datasets = {"other": "ignore"} if "dataset" in facts else {}
    found = assign([*samples, *ties_all], params(datasets=datasets), Lock.empty())
    assert [one.split for one in found[:40]] == outcomes(samples)
    assert len({one.group for one in found[:40]}) == 20


def test_what_takes_no_part_says_why() -> None:
    samples = [
        *pair("x"),
        sample("f2", "x", usable=False),
        sample("u3", "z"),
        sample("u4", "x", usable=False),
    ]
    assert outcomes(samples) == ["train", "train", None, "unlabelled", None]


# Prescribed splits


def test_a_prescribed_split_holds_for_the_whole_group() -> None:
    samples = [sample("f1", "x", prescribed="val"), sample("r1", "x"), *pair("y")]
    assert outcomes(samples)[:2] == ["val", "val"]


def test_contradicting_prescribed_splits_are_kept_for_validate_to_name() -> None:
    samples = [sample("r1", "x", prescribed="test"), sample("f1", "x", prescribed="train")]
    found = assign(samples, params(), Lock.empty())
    assert [assignment.split for assignment in found] == ["test", "train"]
    assert [leak.key for leak in find_leaks(rows(samples, found))] == ["x"]


def test_a_free_video_follows_most_of_its_ties() -> None:
    fixed = [sample(f"r{n}", "x", prescribed=split) for n, split in enumerate(("test", "train", "train"))]
    assert outcomes([*fixed, sample("f4", "x")])[-1] == "train"
    assert outcomes([*fixed[:2], sample("f4", "x")])[-1] == "test"


def test_not_for_testing_is_assigned_between_train_and_validation() -> None:
    samples = [one for n in range(40) for one in pair(f"p{n}", prescribed="trainval")]
    counts = Counter(outcomes([*samples, *pair("t", prescribed="test")]))
    assert counts["test"] == 2
    assert counts["val"] == pytest.approx(80 * 0.2 / 0.75, abs=4)


def test_not_for_testing_stays_out_of_test_though_its_person_is_there() -> None:
    samples = [sample("r1", "x", prescribed="test"), sample("f1", "x", prescribed="trainval")]
    assert outcomes(samples)[0] == "test"
    assert outcomes(samples)[1] in {"train", "val"}
    assert outcomes(samples, leak="drop") == ["test", "leak"]


@pytest.mark.parametrize("prescribed", ["test", None], ids=["by its list", "by its role"])
@pytest.mark.parametrize("tie", ["near_duplicate", "sha256"])
def test_no_free_video_resembles_one_that_stands_elsewhere(prescribed: Any, tie: str) -> None:
    facts = {"prescribed": prescribed, "dataset": "celeb", tie: "n"}
    official = [sample("f1", "q", **facts), sample("r1", "q", prescribed=prescribed, dataset="celeb")]
    for a, b in (("id00", "id01"), ("id03", "id02"), ("id09", "id04")):
        samples = [sample(f"f {a} {b} copy", a, b, **{tie: "n"}), *dense(12)]
        found = assign([*official, *samples], params(datasets={"celeb": "test"}), Lock.empty())
        assert find_leaks(rows([*official, *samples], found)) == []


# Roles of datasets

CELEB = [
    sample(f"r{n}", f"c{n}", dataset="celeb", prescribed="test" if n < 2 else "trainval") for n in range(4)
]
OWN = [one for n in range(20) for one in pair(f"p{n}")]


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("ignore", ["dataset"] * 4),
        ("test", ["test", "test", "dataset", "dataset"]),
        ("train", ["dataset", "dataset", "train or val", "train or val"]),
    ],
)
def test_the_role_of_a_dataset(role: str, expected: list[str]) -> None:
    found = outcomes([*CELEB, *OWN], datasets={"celeb": role})
    assert ["train or val" if one in {"train", "val"} else one for one in found[:4]] == expected
    assert set(found[4:]) == set(SPLITS)


def test_a_dataset_for_testing_that_prescribes_nothing_is_all_test() -> None:
    free = [sample(f"r{n}", f"c{n}", dataset="celeb") for n in range(4)]
    assert outcomes([*free, *OWN], datasets={"celeb": "test"})[:4] == ["test"] * 4


def test_a_large_dataset_for_testing_leaves_the_shares_of_the_others_alone() -> None:
    free = [sample(f"r{n}", f"c{n}", dataset="celeb") for n in range(400)]
    counts = Counter(outcomes([*free, *OWN], datasets={"celeb": "test"})[400:])
    assert counts["test"] == pytest.approx(10, abs=2)


def test_training_videos_that_resemble_a_test_dataset_take_no_part() -> None:
    celeb = sample("r1", "c", dataset="celeb", near_duplicate="r1")
    own = [sample("f2", "p", near_duplicate="r1"), sample("r2", "p")]
    found = outcomes([celeb, *own], datasets={"celeb": "test", "data": "train"})
    assert found[:2] == ["test", "bridge"]
    assert found[2] in {"train", "val"}


def test_a_dataset_that_is_not_there_is_named() -> None:
    with pytest.raises(ParamsError, match=r"ingest\.datasets names cleeb, and there are celeb, data"):
        outcomes([*CELEB, *OWN], datasets={"cleeb": "test"})


# The lock


def test_whoever_was_assigned_before_stays() -> None:
    samples = [*pair("x"), *pair("y"), *pair("z")]
    assert outcomes(samples, locked(x="val", y="val"))[:4] == ["val"] * 4


def test_a_new_video_follows_the_people_in_it() -> None:
    assert outcomes([sample("r1", "x"), sample("f1", "x", "new")], locked(x="val")) == ["val", "val"]


def test_a_new_video_that_ties_people_of_two_splits_takes_no_part() -> None:
    samples = [*pair("x"), *pair("y"), sample("f1", "x", "y")]
    assert outcomes(samples, locked(x="test", y="train")) == ["test", "test", "train", "train", "bridge"]


def test_a_newcomer_who_resembles_people_of_two_splits_follows_one_and_leaves_the_rest() -> None:
    samples = [sample("r1", "x", near_duplicate="n"), sample("r2", "y", sha256="h")]
    new = [sample("r3", "new", near_duplicate="n"), sample("r4", "new", sha256="h")]
    found = outcomes([*samples, *new], locked(x="test", y="train"))
    assert found[:2] == ["test", "train"]
    assert sorted(map(str, found[2:])) == ["bridge", "test"]


def test_a_new_video_that_may_not_go_to_its_person_takes_no_part() -> None:
    samples = [*pair("x"), sample("r1", "x", prescribed="trainval"), *pair("y")]
    assert outcomes(samples, locked(x="test", y="train")) == ["test", "test", "bridge", "train", "train"]


def test_whoever_is_tied_to_newcomers_who_may_not_follow_stays() -> None:
    samples = [sample("r1", "x", near_duplicate="n"), sample("f1", "x")]
    new = [sample("r2", "z", near_duplicate="n", prescribed="trainval"), *pair("z", prescribed="trainval")]
    found = outcomes([*samples, *new, *pair("y")], locked(x="test"))
    assert found[:3] == ["test", "test", "bridge"]
    assert set(found[3:5]) <= {"train", "val"}


def test_a_person_whom_a_list_puts_elsewhere_takes_no_part_in_the_old_place() -> None:
    official = sample("r1", "x", prescribed="test", dataset="celeb")
    assert outcomes([*pair("x"), *pair("y"), official], locked(x="train", y="train")) == [
        *("bridge", "bridge"),
        *("train", "train"),
        "test",
    ]


def test_what_is_prescribed_is_not_remembered() -> None:
    samples = [*pair("x", prescribed="val"), *pair("y"), sample("u1", "z"), sample("r1", "w", usable=False)]
    assert dict(assigned_identities(samples, assign(samples, params(), Lock.empty()))).keys() == {"y"}


def test_a_role_is_stronger_than_the_lock() -> None:
    samples = [*pair("x", dataset="own"), *pair("y")]
    assert outcomes(samples, locked(x="test"), datasets={"own": "train"})[0] in {"train", "val"}


# Large groups


def test_a_dense_group_is_assigned_by_people() -> None:
    samples = dense(20)
    found = assign(samples, params(), Lock.empty())
    assert find_leaks(rows(samples, found)) == []
    genuine = Counter(a.split for s, a in zip(samples, found, strict=True) if s.label == "real")
    assert genuine == {"train": 66, "val": 24, "test": 30}
    splits = dict(assigned_identities(samples, found))
    for one, assignment in zip(samples, found, strict=True):
        sides = {splits[person] for person in one.identities}
        assert (assignment.split, assignment.excluded) == (
            (sides.pop(), None) if len(sides) == 1 else (None, "bridge")
        )
    assert {a.group for a in found} == {f"id{person:02d}" for person in range(20)}


def test_below_the_limit_a_group_stays_whole() -> None:
    samples = dense(20)
    found = assign(samples, params(max_group_share=1.0), Lock.empty())
    assert {(a.group, a.split) for a in found} == {("id00", "train")}


def test_a_group_is_not_cut_where_that_would_lose_a_class() -> None:
    samples = [sample("r1", "x"), sample("r2", "y"), sample("f1", "x", "y"), *pair("z")]
    assert set(outcomes(samples, max_group_share=0.5)) == {"train", "test"}


def test_people_who_are_seen_in_swaps_only_are_assigned_too() -> None:
    samples = [one for one in dense(20) if one.label == "fake"] + [
        sample(f"r{n}", f"v{n}") for n in range(100)
    ]
    found = assign(samples, params(), Lock.empty())
    assert find_leaks(rows(samples, found)) == []
    assert {a.split for s, a in zip(samples, found, strict=True) if s.label == "fake"} == {*SPLITS, None}
