"""Names as they were first written, whoever writes them otherwise later."""

from components.datasets.layouts.base import Entry
from components.datasets.spellings import Names, Spellings


def test_what_was_merged_is_said_in_one_line() -> None:
    spellings = Spellings()
    written = ["José", "Zoë", "Jose\u0301", "JOSÉ", "Zoë", "josé", "p1"]
    assert [spellings.first(name) for name in written] == ["José", "Zoë", "José", "José", "Zoë", "José", "p1"]
    (line,) = spellings.notes("identity")
    assert line == (
        r"identity: 'José' is written in 4 ways ('Jos\xe9', 'Jose\u0301', 'JOS\xc9', …); "
        "each is taken for one"
    )
    assert spellings.ways()[0] == ("José", "Jose\u0301", "JOSÉ", "josé")
    for number in range(4):
        spellings.first(f"q{number}"), spellings.first(f"Q{number}")
    (line,) = spellings.notes("source")
    assert line.endswith("'q1' is written in 2 ways ('q1', 'Q1'), and 2 more; each is taken for one")
    assert list(Spellings().notes("method")) == []


def test_an_entry_has_every_name_as_it_was_first_written() -> None:
    names = Names()
    first = Entry("a.mp4", "fake", "FaceSwap", ("José", "Zoë"), ("take 1",))
    again = Entry("b.mp4", "fake", "faceswap", ("ZOË", "Jose\u0301", "josé"), ("Take  1", "take\u00a01"))
    assert names.unified(first) == first
    assert names.unified(again) == Entry("b.mp4", "fake", "FaceSwap", ("Zoë", "José"), ("take 1",))
    assert [names.stand_in(file) for file in ("real 1", "REAL 1")] == ["unnamed:real 1"] * 2
    assert [line.split(":")[0] for line in names.notes()] == ["identity", "file", "source", "method"]
    assert ("unnamed:real 1", "unnamed:REAL 1") in names.ways_of_people()
