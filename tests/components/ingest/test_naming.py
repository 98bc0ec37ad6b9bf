"""One key for all ways of writing a name, and none for two names."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.ingest.naming import Spellings, normalised


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


@given(st.text(max_size=12))
def test_the_key_is_a_key(name: str) -> None:
    key = normalised(name)
    assert normalised(key) == key
    for form in ("NFC", "NFD"):
        assert normalised(unicodedata.normalize(form, name)) == key  # type: ignore[arg-type]
    assert normalised(f"  {name}\u00a0") == normalised(name.casefold()) == key


def test_what_was_merged_is_said_in_one_line() -> None:
    spellings = Spellings()
    written = ["José", "Zoë", "Jose\u0301", "JOSÉ", "Zoë", "josé", "p1"]
    assert [spellings.first(name) for name in written] == ["José", "Zoë", "José", "José", "Zoë", "José", "p1"]
    (line,) = spellings.notes("identity")
    assert line == (
        r"identity: 'José' is written in 4 ways ('Jos\xe9', 'Jose\u0301', 'JOS\xc9', …); "
        "each is taken for one"
    )
    assert spellings.ways("JOSÉ") == ("José", "Jose\u0301", "JOSÉ", "josé")
    for number in range(4):
        spellings.first(f"q{number}"), spellings.first(f"Q{number}")
    (line,) = spellings.notes("source")
    assert line.endswith("'q1' is written in 2 ways ('q1', 'Q1'), and 2 more; each is taken for one")
    assert list(Spellings().notes("method")) == []
