"""What tells a person's name from a stand-in."""

import pytest

from components.datasets.identities import disjointness, is_named


@pytest.mark.parametrize(
    ("identities", "named"),
    [
        (["p1"], True),
        (["p1", "unnamed:a"], True),
        (["unnamed"], True),
        (["unnamed:a"], False),
        ([" "], False),
        ([], False),
    ],
)
def test_a_stand_in_for_a_file_is_no_name(identities: list[str], named: bool) -> None:
    assert is_named(identities) == named


def test_the_claim_holds_no_more_than_the_names_do() -> None:
    assert disjointness(0, 16) == "No person stands in two splits."
    assert disjointness(16, 16).startswith(
        "16 of 16 videos name nobody: for them splits are disjoint by file"
    )
