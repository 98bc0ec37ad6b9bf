"""Names of files as text: safe to print, and never the same for two files."""

import os
import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from components.printable import printable

# What escapes are made of stands close together, so that names which look like escapes come up.
names = st.lists(st.sampled_from([b"\\", b"x", b"f", b"0", b"\xff", b"\n", "\u202e".encode(), "ü".encode()]))
arbitrary = st.binary(max_size=20).filter(lambda name: b"\0" not in name)


def bytes_of(text: str) -> bytes:
    """Read a printed name by the rule in docs/operations.md."""

    def read(found: re.Match[bytes]) -> bytes:
        pairs, escapes = divmod(len(found[1]), 2)
        return pairs * b"\\" + (bytes([int(found[2], 16)]) if escapes else b"x" + found[2])

    return re.sub(rb"(\\+)x([0-9a-f]{2})", read, text.encode())


@given(st.one_of(names.map(b"".join), arbitrary))
@example(b"v\xff")
@example(rb"v\xff")
@example(rb"v\\xff")
@example(b"\\\xff")
def test_the_file_s_bytes_can_be_read_from_its_printed_name(name: bytes) -> None:
    text = printable(os.fsdecode(name))
    assert bytes_of(text) == name
    assert not re.search(
        r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\udc80-\udcff]", text
    )


@pytest.mark.parametrize(
    "name", ["a.mp4", "ü 日本 👩\u200d💻.mp4", r"C:\dir\x.mp4", "a\u00a0b.mp4", r"\xfg", "שלום.mp4"]
)
def test_what_can_be_printed_stays_as_it_is(name: str) -> None:
    assert printable(Path(name)) == name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"b\xff.mp4", r"b\xff.mp4"),
        (rb"b\xff.mp4", r"b\\xff.mp4"),
        (b"\x1b[31mred\r\n.mp4", r"\x1b[31mred\x0d\x0a.mp4"),
        ("gpj\u202e4pm.mp4".encode(), r"gpj\xe2\x80\xae4pm.mp4"),
        ("\x9b2J.mp4".encode(), r"\xc2\x9b2J.mp4"),
    ],
)
def test_what_acts_on_a_terminal_or_is_no_text_reads_as_bytes(name: bytes, shown: str) -> None:
    assert printable(os.fsdecode(name)) == shown
