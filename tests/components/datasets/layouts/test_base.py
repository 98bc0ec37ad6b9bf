"""How layouts name files in notes."""

import pytest

from components.datasets.layouts.base import some


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        ([], ""),
        (["a.mp4", "é 视频.mp4"], "a.mp4, é 视频.mp4"),
        ([*"abcdefg"], "a, b, c, d, e and 2 more"),
        (["\x1b]0;x\x07", "a\nb", "\x9b2J"], r"\x1b]0;x\x07, a\nb, \x9b2J"),
        (["gpj.\u202e4pm", "\ud800"], r"gpj.\u202e4pm, \ud800"),
    ],
)
def test_names_a_few_and_escapes_what_cannot_be_printed(names: list[str], shown: str) -> None:
    assert some(names) == shown
