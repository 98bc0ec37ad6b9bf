"""The suite: what must hold of a manifest, how grave it is where it does not, and what to do then."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Literal, get_args

import great_expectations.expectations as gxe
from great_expectations.expectations.expectation import Expectation
from great_expectations.expectations.row_conditions import Column

from components.faces.policy import Status
from components.ingest.layouts.base import GENUINE_METHOD, LABELS, SPLITS
from components.params import ValidateParams
from components.tables import MANIFEST

Severity = Literal["critical", "warning"]

_USABLE, _BROKEN = Column("status") == "ok", Column("status") != "ok"

_MANIFEST_CSV = "correct data/manifest.csv"
_REINGEST = "run dvc repro ingest again"


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
    """

    name: str
    remedy: str
    expectation: Expectation
    severity: Severity = "critical"
    culprits: str = ""


def make_suite(params: ValidateParams) -> list[Check]:
    """All checks, in the order in which reports show them."""
    return [*_table(), *_labels(), *_facts(), *_people(), *_content(), *_splits(params), *_balance(params)]


def _table() -> Iterator[Check]:
    yield Check(
        "all columns of the manifest are there",
        _REINGEST,
        gxe.ExpectTableColumnsToMatchSet(column_set=list(MANIFEST.names), exact_match=False),
    )
    yield Check(
        "there are videos",
        "put videos under data/real and data/fake",
        gxe.ExpectTableRowCountToBeBetween(min_value=1),
    )
    for column in ("video_id", "path"):
        unique = gxe.ExpectColumnValuesToBeUnique(column=column)
        yield Check(f"each {column} stands there once", _REINGEST, unique)


def _labels() -> Iterator[Check]:
    statuses = [
        status for status in get_args(Status) if status != "no_face"
    ]  # nobody has looked for faces yet
    known_values: dict[str, list[str]] = {"label": [*LABELS], "split": [*SPLITS], "status": [*statuses]}
    for column, values in known_values.items():
        known = gxe.ExpectColumnValuesToBeInSet(column=column, value_set=values)
        yield Check(f"each {column} is one of those known", _MANIFEST_CSV, known)
    yield Check(
        "genuine videos have no forgery method",
        _MANIFEST_CSV,
        gxe.ExpectColumnValuesToBeInSet(
            column="method", value_set=[GENUINE_METHOD], row_condition=Column("label") == "real"
        ),
    )
    yield Check(
        "fake videos have a forgery method",
        f"{_MANIFEST_CSV}; a method may be unknown",
        gxe.ExpectColumnValuesToNotBeInSet(
            column="method", value_set=[GENUINE_METHOD], row_condition=Column("label") == "fake"
        ),
    )


def _facts() -> Iterator[Check]:
    yield Check(
        "usable videos have all their facts",
        _REINGEST,
        gxe.ExpectColumnValuesToBeBetween(column="missing_facts", max_value=0),
    )
    for column in ("frames", "bytes", "width", "height"):
        positive = gxe.ExpectColumnValuesToBeBetween(
            column=column, min_value=0, strict_min=True, row_condition=_USABLE
        )
        yield Check(f"{column} is more than zero", "encode these videos again, or remove them", positive)
    plausible = {"fps": (5, 120), "width": (64, 8192), "height": (64, 8192), "duration": (0.3, 3600)}
    for column, (low, high) in plausible.items():
        usual = gxe.ExpectColumnValuesToBeBetween(column=column, min_value=low, max_value=high)
        yield Check(f"{column} is between {low} and {high}", "look at these videos", usual, "warning")
    yield Check(
        "frames agree with rate and duration",
        "look at these videos: their frame rate varies, or they are damaged",
        gxe.ExpectColumnValuesToBeBetween(column="timing", min_value=0.9, max_value=1.1),
        "warning",
    )


def _people() -> Iterator[Check]:
    yield Check(
        "each video names a person",
        "splits are disjoint by file and content only for the others; "
        "fill in the column identity of data/manifest.csv",
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


def _splits(params: ValidateParams) -> Iterator[Check]:
    dealt = gxe.ExpectColumnValuesToNotBeNull(column="split", row_condition=_USABLE)
    yield Check("usable videos stand in a split", _REINGEST, dealt)
    left_out = gxe.ExpectColumnValuesToBeNull(column="split", row_condition=_BROKEN)
    yield Check("broken videos stand in no split", _REINGEST, left_out)
    for tie, column in {"group": "group", "named person": "person", "content": "content"}.items():
        single = gxe.ExpectColumnValuesToBeBetween(column=f"splits_of_{column}", max_value=1)
        yield Check(f"no {tie} stands in two splits", f"{_MANIFEST_CSV}, columns identity and split", single)
    for split, label in product(SPLITS, LABELS):
        smallest = params.min_videos_per_class
        enough = gxe.ExpectColumnSumToBeBetween(column=f"{split}_{label}", min_value=smallest)
        yield Check(
            f"{split} holds at least {smallest} {label} videos",
            f"add {label} videos of more people, or lower validate.min_videos_per_class in params.yaml",
            enough,
            culprits=f'split == "{split}" and label == "{label}"',
        )


def _balance(params: ValidateParams) -> Iterator[Check]:
    yield Check(
        f"the share of broken videos is at most {params.max_broken_share:g}",
        "mend or remove these videos, or raise validate.max_broken_share in params.yaml",
        gxe.ExpectColumnMeanToBeBetween(column="is_broken", max_value=params.max_broken_share),
        culprits='status != "ok"',
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
