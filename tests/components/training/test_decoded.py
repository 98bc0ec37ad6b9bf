import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.faces.clip import Faces
from components.faces.store import ClipStore
from components.training import decoded as room
from components.training.decoded import DecodedClips, names_that_fit

NAMES = ["a.safetensors", "b.safetensors", "c.safetensors"]


@pytest.fixture
def store(tmp_path: Path, make_faces: Callable[..., Faces]) -> ClipStore:
    made = ClipStore(tmp_path / "clips")
    for number, name in enumerate(NAMES):
        made.write(name, make_faces(3 + number, 16, shades=(None, 20 * number)))
    return made


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the clips that were decoded."""
    reads: list[str] = []
    read = ClipStore.read_crops

    def read_crops(self: ClipStore, name: str, *of: Any) -> Any:
        reads.append(name)
        return read(self, name, *of)

    monkeypatch.setattr(ClipStore, "read_crops", read_crops)
    return reads


@pytest.mark.parametrize(("frames", "clips"), [(None, None), ([2, 0, 2], None), (None, 1), ([1], 1)])
@pytest.mark.parametrize("bytes_", [1e9, 6e3, 0])
def test_the_same_as_the_store(
    store: ClipStore, tmp_path: Path, bytes_: float, frames: Any, clips: Any
) -> None:
    made = DecodedClips(store, tmp_path / "decoded", NAMES, bytes_)
    for _ in range(3):
        for name in NAMES:
            found = made.read_crops(name, frames, clips)
            assert np.array_equal(found, store.read_crops(name, frames, clips))
            assert made.shape(name) == store.shape(name)


def test_decoded_once_by_whoever_comes_first(store: ClipStore, tmp_path: Path, counted: list[str]) -> None:
    for _ in range(2):
        made = DecodedClips(store, tmp_path / "decoded", NAMES, 1e9)
        for name in NAMES * 2:
            made.read_crops(name, [0], 1)
    assert counted == NAMES


def test_what_has_no_room_is_decoded_each_time(store: ClipStore, tmp_path: Path, counted: list[str]) -> None:
    made = DecodedClips(store, tmp_path / "decoded", NAMES, 2 * 3 * 16 * 16 * 3)
    for name in NAMES * 3:
        made.read_crops(name)
    assert counted == [*NAMES, *NAMES[1:], *NAMES[1:]]
    assert [path.name for path in (tmp_path / "decoded").iterdir()] == ["a.safetensors.npy"]


def test_half_of_what_is_free_is_left(
    store: ClipStore, tmp_path: Path, counted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "FREE_SHARE", 0.0)
    DecodedClips(store, tmp_path / "decoded", NAMES, 1e9).read_crops(NAMES[0])
    assert not (tmp_path / "decoded").exists()


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", None])
def test_a_file_that_is_not_whole_is_made_again(store: ClipStore, tmp_path: Path, content: Any) -> None:
    file = tmp_path / "decoded" / f"{NAMES[0]}.npy"
    DecodedClips(store, file.parent, NAMES, 1e9).read_crops(NAMES[0])
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] if content is None else content)
    again = DecodedClips(store, file.parent, NAMES, 1e9).read_crops(NAMES[0])
    assert np.array_equal(again, store.read_crops(NAMES[0]))
    assert file.read_bytes() == whole


def test_where_nothing_can_be_written_clips_are_decoded(store: ClipStore, tmp_path: Path) -> None:
    (tmp_path / "decoded").write_text("no folder")
    made = DecodedClips(store, tmp_path / "decoded", NAMES, 1e9)
    assert np.array_equal(made.read_crops(NAMES[1]), store.read_crops(NAMES[1]))


def test_clips_that_are_gone_and_half_written_files_are_removed(store: ClipStore, tmp_path: Path) -> None:
    folder = tmp_path / "decoded"
    folder.mkdir()
    for name in ("old.safetensors.npy", f".{NAMES[0]}.npy.123", f"{NAMES[2]}.npy"):
        (folder / name).write_bytes(b"x")
    DecodedClips(store, folder, NAMES[:2], 1e9)
    assert [path.name for path in folder.iterdir()] == [f"{NAMES[2]}.npy"]  # of another candidate, maybe


def test_processes_get_no_pixels_with_it(store: ClipStore, tmp_path: Path) -> None:
    made = DecodedClips(store, tmp_path / "decoded", NAMES, 1e9)
    before = len(pickle.dumps(made))
    for _ in range(2):
        made.read_crops(NAMES[0])
    sent = pickle.dumps(made)
    assert len(sent) == before
    assert np.array_equal(pickle.loads(sent).read_crops(NAMES[0]), store.read_crops(NAMES[0]))


@pytest.mark.parametrize(
    ("bytes_", "kept"), [(0, ""), (9, ""), (10, "a"), (29, "a"), (30, "ab"), (99, "abc")]
)
def test_the_first_that_fit(bytes_: float, kept: str) -> None:
    assert names_that_fit({"a": (2, 5), "b": (20,), "c": (1,)}, bytes_) == frozenset(kept)
