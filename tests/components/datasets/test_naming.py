"""One key for all ways of writing a name, and none for two names."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from components.datasets.naming import normalised


@pytest.mark.parametrize(
    "ways",
    [
        ("José", "Jose\u0301", "JOSÉ", "jose\u0301", " José\t", "Jos\u200bé", "\ufeffJosé", "Ｊｏｓé"),
        ("Ana María", "ANA  MARÍA", "Ana\u00a0María", "Ana\u3000Mari\u0301a", "ana maría\u200e"),
        ("Strauß", "STRAUSS", "strauss", "STRAUẞ"),
        ("Işık", "IŞIK", "ışık", "işik", "İŞİK", "I\u0307s\u0327ik"),
        ("Ὀδυσσεύς", "ὈΔΥΣΣΕΎΣ"),
        ("Åsa", "A\u030asa", "\u212bsa"),
        ("ﬁona", "Fiona"),
        ("Nguyễn", "Nguye\u0302\u0303n", "NGUYỄN"),
        ("real/José 1.mp4", "Real / JOSE\u0301  1.MP4"),
        ("p001", "P001", "ｐ００１"),
    ],
)
def test_all_ways_of_writing_a_name_have_one_key(ways: tuple[str, ...]) -> None:
    assert {normalised(way) for way in ways} == {normalised(ways[0])}


def test_names_that_only_resemble_each_other_have_keys_of_their_own() -> None:
    names = (
        "José",
        "Jose",
        "Josè",
        "Zoë",
        "Zoe",
        "Müller",
        "Mueller",
        "Muller",
        "p1",
        "p01",
        "p 1",
        "а",
        "a",
    )
    assert len({normalised(name) for name in names}) == len(names)


def test_no_letter_becomes_a_slash() -> None:
    assert normalised("real／a/B／c") == "real⁄a/b⁄c"
    assert "/" not in normalised("／℀℁℅℆")


@given(st.text(max_size=12))
@example("a／ /℅⁄\u0338")
def test_the_key_is_a_key(name: str) -> None:
    key = normalised(name)
    assert normalised(key) == key
    for form in ("NFC", "NFD"):
        assert normalised(unicodedata.normalize(form, name)) == key  # type: ignore[arg-type]
    assert normalised(f"  {name}\u00a0") == normalised(name.casefold()) == key
