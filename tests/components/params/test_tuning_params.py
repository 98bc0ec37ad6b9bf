from pathlib import Path

import pytest

from components.errors import ParamsError
from components.params import load_params
from components.params.tuning import Choices, Range, Span, TuneParams

TEXT = (Path(__file__).parents[3] / "params.yaml").read_text(encoding="utf-8")


def write(folder: Path, space: str) -> Path:
    file = folder / "params.yaml"
    assert "\n  space: {}" in TEXT
    file.write_text(TEXT.replace("\n  space: {}", f"\n  space: {space}"), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("told", "span"),
    [
        ("[0.1, 0.5]", Range(low=0.1, high=0.5)),
        ("[1e-5, 1.0e-2, log]", Range(low=1e-5, high=1e-2, log=True)),  # YAML 1.1 reads 1e-5 as text
        ("[2, 8]", Range(low=2, high=8)),
        ("{choices: [a, {name: b}]}", Choices(choices=("a", {"name": "b"}))),
    ],
)
def test_spans_are_written_as_lists_or_choices(tmp_path: Path, told: str, span: Span) -> None:
    read = load_params(write(tmp_path, f"{{simple_cnn: {{a.b: {told}}}}}")).tune.space["simple_cnn"]["a.b"]
    assert read == span
    assert not isinstance(read, Range) or read.whole == (told == "[2, 8]")


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        ("[0.5, 0.1]", "the least comes first"),
        ("[0.5, 0.5]", "the least comes first"),
        ("[0, 1, log]", "with log, the least is above 0"),
        ("[1, 2, lag]", "use [least, most]"),
        ("0.5", "use [least, most]"),
        ("{choices: [1]}", "use 2 or more items"),
        ("[a, b]", "use a whole number or a number"),
        ("{lr: [0.1, 1]}", "use [least, most]"),
    ],
)
def test_a_wrong_span_is_named_by_its_whole_key(tmp_path: Path, told: str, wrong: str) -> None:
    with pytest.raises(ParamsError) as refused:
        load_params(write(tmp_path, f"{{simple_cnn: {{a.b: {told}}}}}"))
    assert "tune.space.simple_cnn.a.b" in str(refused.value)
    assert wrong in str(refused.value)


def test_a_file_without_the_section_is_valid(tmp_path: Path) -> None:
    file = tmp_path / "params.yaml"
    file.write_text(TEXT[: TEXT.index("\ntune:")], encoding="utf-8")
    assert load_params(file).tune == TuneParams() == load_params(write(tmp_path, "{}")).tune
