from pathlib import Path

import pytest

from components.documents import as_json, read_document, write_document
from components.errors import StageError
from components.values import Frozen


class Note(Frozen):
    text: str
    pages: tuple[int, ...] = ()


def test_a_document_is_read_as_it_was_written(tmp_path: Path) -> None:
    note, path = Note(text="ä", pages=(1, 2)), tmp_path / "made" / "note.json"
    write_document(note, path)
    assert path.read_text(encoding="utf-8") == as_json(note)
    assert as_json(note).startswith('{\n  "text": "ä",')
    assert as_json(note).endswith("}\n")
    assert read_document(Note, path) == note
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "not there yet; run the stage that makes it"),
        ('{"pages": [1]}', "text: Field required; delete it and run dvc repro"),
        ('{"text": "a", "pages": [1, "b"]}', "pages.1: Input should be a valid integer"),
        ('{"text": "a", "more": 1}', "more: Extra inputs are not permitted"),
        ("{", "Invalid JSON"),
    ],
)
def test_what_is_no_document_is_named_in_one_line(tmp_path: Path, content: str | None, told: str) -> None:
    path = tmp_path / "note.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(StageError) as caught:
        read_document(Note, path)
    assert str(caught.value).startswith(f"{path}: ")
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
