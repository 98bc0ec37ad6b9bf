"""What a person and DVC are told about the splits."""

from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from components.datasets.found import Dataset
from components.datasets.layouts.base import Entry, Listing
from components.datasets.tree import Tree
from components.ingest.summary import lines, splits_table, summarise_dataset
from components.splits.audit import Leak, Tangle


def row(name: str, split: str | None = "train", label: str | None = "real", **told: Any) -> dict[str, Any]:
    found = {"dataset": "data", "method": "none", "identities": ["x"], "group": "x"}
    status = {"status": "ok", "excluded": None, "fingerprint": "0f"}
    return {"video_id": name, "split": split, "label": label, **found, **status, **told}


def dataset(name: str, videos: int, *notes: str) -> Dataset:
    entries = tuple(Entry(f"{number}.mp4", "real", "none") for number in range(videos))
    return Dataset(name, "folders", Tree(Path(), name), Listing(entries, notes))


ROWS = [
    row("a"),
    row("b", label="fake", method="swap", identities=["x", "y"]),
    row("c", "test", identities=["unnamed:c"], group="unnamed:c"),
    row("d", "test", "fake", method="swap", dataset="more", identities=["x"]),
    row("e", None, None, excluded="unlabelled"),
    row("f", None, status="too_short"),
    row("g", None, status="too_short"),
    row("h", None, status="undecodable"),
]
DATASETS = [dataset("data", 7, "a note", "[another] one"), dataset("more", 1)]
LEAKS = [Leak("identity", "x", {"train": ["a", "b"], "test": ["d"]})]


def test_videos_are_counted_by_split() -> None:
    summary = summarise_dataset(ROWS, DATASETS, LEAKS)
    assert summary["videos"] == 8
    assert summary["splits"]["train"] == {
        "videos": 2,
        "real": 1,
        "fake": 1,
        "people": 2,
        "unnamed": 0,
        "unseen": 0,
        "groups": 1,
        "methods": {"none": 1, "swap": 1},
        "datasets": {"data": 2},
    }
    assert summary["splits"]["val"]["videos"] == 0
    assert [summary["splits"]["test"][name] for name in ("people", "unnamed", "groups")] == [1, 1, 2]
    assert summary["excluded"] == {"unlabelled": 1, "dataset": 0, "bridge": 0, "leak": 0}
    assert summary["broken"] == {"too_short": 2, "undecodable": 1}
    assert summary["datasets"]["data"] == {
        "layout": "folders",
        "videos": 7,
        "notes": ["a note", "[another] one"],
    }
    assert summary["leaks"] == {"identity": 1, "source": 0, "content": 0, "near-duplicate": 0}


def test_lines_tell_what_the_numbers_mean() -> None:
    assert list(lines(summarise_dataset(ROWS, DATASETS, LEAKS))) == [
        "data: 7 videos, read as folders",
        "data: a note",
        "data: [another] one",
        "more: 1 videos, read as folders",
        "1 usable videos take no part: their dataset tells no label (unlabelled)",
        "3 videos cannot be used (too_short 2, undecodable 1): reports/quarantine.csv",
        "No source recording, no content, no near duplicate stands in two splits.",
        "1 of 4 videos name nobody: nothing proves that these show no person of another split. "
        "A manifest.csv in their dataset's folder can name people (docs/datasets.md).",
        "Leaks by person: 1; `validate` names them (reports/validation/leaks.csv)",
    ]


@pytest.mark.parametrize(
    ("tangle", "told"),
    [
        (
            Tangle(48, 50, "near-duplicate", 24),
            "48 of 50 videos are tied into one group by near duplicates; "
            "without these they would be 24 groups",
        ),
        (Tangle(9, 9, None, 1), "9 of 9 videos are tied into one group by several kinds of ties together"),
    ],
)
def test_a_group_that_holds_most_videos_is_told(tangle: Tangle, told: str) -> None:
    assert told in lines(summarise_dataset(ROWS, DATASETS, [], tangle))


@pytest.mark.parametrize(
    ("identities", "proof"),
    [
        (["x"], "No person, no source recording, no content, no near duplicate stands in two splits."),
        (["unnamed:a"], "No source recording, no content, no near duplicate stands in two splits."),
    ],
)
def test_nothing_is_claimed_about_people_whom_nobody_named(identities: list[str], proof: str) -> None:
    assert proof in lines(summarise_dataset([row("a", identities=identities)], DATASETS, []))


@pytest.mark.parametrize(
    ("unseen", "by_looks", "told"),
    [
        (0, True, ["No person, no source recording, no content, no near duplicate stands in two splits."]),
        (
            1,
            True,
            [
                "No person, no source recording, no content, no near duplicate stands in two splits.",
                "1 of 20 videos show too little to be compared by looks.",
            ],
        ),
        (
            2,
            True,
            [
                "No person, no source recording, no content stands in two splits.",
                "2 of 20 videos show too little to be compared by looks.",
            ],
        ),
        (
            0,
            False,
            [
                "No person, no source recording, no content stands in two splits.",
                "Nothing looked for near duplicates: ingest.near_duplicates is off in params.yaml.",
            ],
        ),
    ],
)
def test_nothing_is_claimed_about_looks_that_nobody_compared(
    unseen: int, by_looks: bool, told: list[str]
) -> None:
    rows = [row(str(number), fingerprint=None if number < unseen else "0f") for number in range(20)]
    assert list(lines(summarise_dataset(rows, DATASETS[1:], [], by_looks=by_looks)))[1:] == told


def test_the_table_has_a_line_for_each_split() -> None:
    console = Console(width=100)
    with console.capture() as capture:
        console.print(splits_table(summarise_dataset(ROWS, DATASETS, [])))
    shown = [line.replace("│", " ").split() for line in capture.get().splitlines()]
    assert ["train", "2", "1", "1", "2", "1", "none=1,", "swap=1"] in shown
    assert ["val", "0", "0", "0", "0", "0"] in shown


def test_methods_are_no_markup_in_the_table() -> None:
    console = Console(width=120)
    with console.capture() as capture:
        console.print(
            splits_table(
                summarise_dataset([row("a", method="[/x]"), row("b", method="a\u202eb")], DATASETS, [])
            )
        )
    assert r"[/x]=1, a\xe2\x80\xaeb=1" in capture.get()
