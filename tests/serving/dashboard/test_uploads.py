import tempfile
from io import BytesIO
from pathlib import Path

import pytest

from serving.dashboard.uploads import on_disk


class Named(BytesIO):
    def __init__(self, name: str, content: bytes) -> None:
        super().__init__(content)
        self.name = name


@pytest.fixture(autouse=True)
def temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_content_is_there_inside_the_block_and_gone_after_it(temp: Path) -> None:
    with on_disk([Named("a.MP4", b"one"), Named("b.PNG", b"two")]) as (first, second):
        assert [first.read_bytes(), second.read_bytes()] == [b"one", b"two"]
        assert [first.suffix, second.suffix] == [".mp4", ".png"]
    assert not any(temp.iterdir())


def test_files_are_deleted_when_scoring_fails(temp: Path) -> None:
    with pytest.raises(ZeroDivisionError), on_disk([Named("a.mp4", b"one")]):
        raise ZeroDivisionError
    assert not any(temp.iterdir())


@pytest.mark.parametrize("name", ["../../etc/passwd", "a.exe", ".mp4", "a.mp4/"])
def test_nothing_but_a_video_suffix_of_the_name_is_used(name: str, temp: Path) -> None:
    with on_disk([Named(name, b"")]) as (path,):
        assert path.parent == temp
        assert path.name.startswith("unmask-")
        assert path.suffix in {"", ".mp4"}
