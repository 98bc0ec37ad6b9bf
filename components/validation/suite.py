"""The suite: what must hold of a manifest, how grave it is where it does not, and what to do then."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Literal, get_args

import great_expectations.expectations as gxe
from great_expectations.expectations.expectation import Expectation
from great_expectations.expectations.row_conditions import Column

from components.datasets.layouts.base import GENUINE_METHOD, LABELS, SPLITS, Prescribed
from components.ingest.content import NOT_FOUND
from components.ingest.summary import MOST_UNSEEN
from components.params import LeakKind, ValidateParams
from components.splits.roles import Excluded
from components.tables import MANIFEST
from components.validation.frame import LEAK_KINDS, leak_column
from components.video.limits import Status

Severity = Literal["critical", "warning"]

_USABLE, _BROKEN = Column("status") == "ok", Column("status") != "ok"

_CORRECT = "correct the manifest.csv of the dataset, or the list that it came with"
_REINGEST = "run dvc repro ingest again"

_LEAKS: dict[LeakKind, str] = {
    "identity": "named person",
    "source": "source recording",
    "content": "content",
    "near-duplicate": "near duplicate",
}


@dataclass(frozen=True)
class Check:
    """An expectation, in words.

    Attributes:
        name: what holds if all is well; unique in the suite.
        remedy: what a person does where it does not.
        expectation: of Great Expectations, over the columns of `make_frame`.
        severity: critical stops the run, a warning is reported.
        culprits: pandas query for the videos to name where the expectation is about a whole column; an
            expectation about each row names its own.
        leak: the kind of leak to name, where it is about one.
    """

    name: str
    remedy: str
    expectation: Expectation
    severity: Severity = "critical"
    culprits: str = ""
    leak: LeakKind | None = None


def make_suite(params: ValidateParams) -> list[Check]:
    """Returns all checks, in the order in which reports show them."""
    return [
        *_table(),
        *_values(),
        *_facts(params),
        *_people(),
        *_content(),
        _looks(),
        *_leaks(params),
        *_splits(params),
        *_balance(params),
    ]


def _none(column: str) -> Expectation:
    """Expects that no row has more than zero in a derived column."""
    return gxe.ExpectColumnValuesToBeBetween(column=column, max_value=0)


def _table() -> Iterator[Check]:
    yield Check(
        "all columns of the manifest are there",
        _REINGEST,
        gxe.ExpectTableColumnsToMatchSet(column_set=list(MANIFEST.names), exact_match=False),
    )
    yield Check(
        "there are videos",
        "put videos under data/real and data/fake, or add a dataset with `unmask data add`",
        gxe.ExpectTableRowCountToBeBetween(min_value=1),
    )
    for column in ("video_id", "path"):
        unique = gxe.ExpectColumnValuesToBeUnique(column=column)
        yield Check(f"each {column} stands there once", _REINGEST, unique)
    not_null = gxe.ExpectColumnValuesToNotBeNull(column="dataset")
    yield Check("each video names its dataset", _REINGEST, not_null)


def _values() -> Iterator[Check]:
    known_values: dict[str, list[str]] = {
        "label": [*LABELS],
        "split": [*SPLITS],
        "prescribed": [name for literal in get_args(Prescribed) for name in get_args(literal)],
        "excluded": [*get_args(Excluded)],
        "status": [name for name in get_args(Status) if name != "no_face"],  # nobody looked for faces yet
    }
    for column, values in known_values.items():
        known = gxe.ExpectColumnValuesToBeInSet(column=column, value_set=values)
        yield Check(f"each {column} is one of those known", _CORRECT, known)
    yield Check(
        "genuine videos have no forgery method",
        _CORRECT,
        gxe.ExpectColumnValuesToBeInSet(
            column="method", value_set=[GENUINE_METHOD], row_condition=Column("label") == "real"
        ),
    )
    yield Check(
        "fake videos have a forgery method",
        f"{_CORRECT}; a method may be unknown",
        gxe.ExpectColumnValuesToNotBeInSet(
            column="method", value_set=[GENUINE_METHOD], row_condition=Column("label") == "fake"
        ),
    )


def _facts(params: ValidateParams) -> Iterator[Check]:
    yield Check("usable videos have all their facts", _REINGEST, _none("missing_facts"))
    for column in ("frames", "bytes", "width", "height"):
        positive = gxe.ExpectColumnValuesToBeBetween(
            column=column, min_value=0, strict_min=True, row_condition=_USABLE
        )
        yield Check(f"{column} is more than zero", "encode these videos again, or remove them", positive)
    plausible = {"fps": params.fps, "width": params.side, "height": params.side, "duration": params.seconds}
    for column, (low, high) in plausible.items():
        usual = gxe.ExpectColumnValuesToBeBetween(column=column, min_value=low, max_value=high)
        yield Check(f"{column} is between {low:g} and {high:g}", "look at these videos", usual, "warning")
    yield Check(
        "frames agree with rate and duration",
        "look at these videos: their frame rate varies, or they are damaged",
        gxe.ExpectColumnValuesToBeBetween(column="timing", min_value=0.9, max_value=1.1),
        "warning",
    )
    named = gxe.ExpectColumnValuesToNotBeInSet(column="codec", value_set=["", "none", "unknown"])
    yield Check("each codec has a name", "look at these videos", named, "warning")


def _people() -> Iterator[Check]:
    yield Check("each video names people, or says that it names nobody", _REINGEST, _none("blank_people"))
    yield Check(
        "each video names a person",
        "splits are disjoint by recording and content only for the others; "
        "fill in the column identity of a manifest.csv in the folder of their dataset",
        gxe.ExpectColumnValuesToBeBetween(column="people", min_value=1, row_condition=_USABLE),
        "warning",
    )


def _content() -> Iterator[Check]:
    yield Check(
        "the same content has one label",
        "one of these labels is wrong; remove that video",
        gxe.ExpectColumnValuesToBeBetween(column="labels_of_content", max_value=1),
    )
    yield Check(
        "each content stands there once",
        "remove the copies, they count double",
        gxe.ExpectColumnValuesToBeBetween(column="copies", max_value=1),
        "warning",
    )


def _looks() -> Check:
    return Check(
        f"at least {1 - MOST_UNSEEN:.0%} of the videos can be compared by looks",
        "nothing finds near duplicates of these: they are dark, blank, or nothing moves in them; "
        "name their recordings in the column source of a manifest.csv in the folder of their dataset",
        gxe.ExpectColumnMeanToBeBetween(column="is_unseen", max_value=MOST_UNSEEN),
        "warning",
        culprits="is_unseen == 1",
    )


def _leaks(params: ValidateParams) -> Iterator[Check]:
    for kind in LEAK_KINDS:
        allowed = kind in params.allow_leaks
        yield Check(
            f"no {_LEAKS[kind]} stands in two splits",
            "figures on test videos are too good by these; set ingest.leak: drop to do without them"
            if allowed
            else "see reports/validation/leaks.csv; correct the lists, set ingest.leak: drop, "
            f"or let {kind} pass in validate.allow_leaks (params.yaml)",
            _none(leak_column(kind)),
            "warning" if allowed else "critical",
            leak=kind,
        )


def _splits(params: ValidateParams) -> Iterator[Check]:
    yield Check("usable videos stand in a split, or say why not", _REINGEST, _none("is_unplaced"))
    left_out = gxe.ExpectColumnValuesToBeNull(column="split", row_condition=_BROKEN)
    yield Check("broken videos stand in no split", _REINGEST, left_out)
    yield Check("what has no label or is excluded stands in no split", _REINGEST, _none("is_misplaced"))
    yield Check("what is prescribed for testing is only tested on", _REINGEST, _none("is_trained_on"))
    for split, label in product(SPLITS, LABELS):
        smallest = params.min_videos_per_class
        yield Check(
            f"{split} holds at least {smallest} {label} videos",
            f"add {label} videos of more people, or lower validate.min_videos_per_class in params.yaml",
            gxe.ExpectColumnSumToBeBetween(column=f"{split}_{label}", min_value=smallest),
            culprits=f'split == "{split}" and label == "{label}"',
        )
    yield Check(
        "train holds at least 2 known forgery methods",
        "a detector of one method seldom knows another; add forgeries by other methods, or name the methods",
        gxe.ExpectColumnUniqueValueCountToBeBetween(column="train_method", min_value=2),
        "warning",
    )
    yield Check(
        "each dataset brings both classes to train",
        "a detector may learn to tell the datasets apart instead; add the missing class, "
        "or give the dataset a role in ingest.datasets (params.yaml)",
        gxe.ExpectColumnValuesToBeBetween(column="labels_of_dataset", min_value=2),
        "warning",
    )


def _balance(params: ValidateParams) -> Iterator[Check]:
    yield Check(
        "each listed video is there",
        "put these files where the list of the dataset has them, or take them out of it",
        gxe.ExpectColumnValuesToNotBeInSet(column="reason", value_set=[NOT_FOUND]),
        "warning",
    )
    yield Check(
        f"the share of broken videos is at most {params.max_broken_share:g}",
        "mend or remove these videos (reports/quarantine.csv), "
        "or raise validate.max_broken_share in params.yaml",
        gxe.ExpectColumnMeanToBeBetween(column="is_broken", max_value=params.max_broken_share),
        culprits='status != "ok"',
    )
    yield Check(
        f"the share of bridges and leaks is at most {params.warn_lost_share:g}",
        "these sound videos take no part; where a dataset prescribes splits, let it (docs/datasets.md)",
        gxe.ExpectColumnMeanToBeBetween(column="is_lost", max_value=params.warn_lost_share),
        "warning",
        culprits="is_lost == 1",
    )
    bounds: dict[Severity, float] = {"critical": params.max_class_share, "warning": params.warn_class_share}
    for severity, bound in bounds.items():
        low = round(1.0 - bound, 9)
        yield Check(
            f"the share of fake videos is between {low:g} and {bound:g}",
            "add videos of the smaller class",
            gxe.ExpectColumnMeanToBeBetween(column="is_fake", min_value=low, max_value=bound),
            severity,
        )
