import errno
import json
import time
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load, save

from components.errors import StageError
from components.faces.clip import Clip, Faces
from components.faces.store import SUFFIX, ClipStore, DamagedClipError

NAME = f"a{SUFFIX}"


@pytest.fixture
def faces(make_faces: Callable[..., Faces]) -> Faces:
    """Two faces of six frames."""
    return make_faces(6, 32, shades=(None, None))


@pytest.fixture
def store(tmp_path: Path, faces: Faces) -> ClipStore:
    store = ClipStore(tmp_path / "clips")
    store.write(NAME, faces)
    return store


def assert_same(found: Any, expected: Any) -> None:
    for field in fields(type(expected)):
        value, wanted = getattr(found, field.name), getattr(expected, field.name)
        if isinstance(wanted, np.ndarray):
            assert value.dtype == wanted.dtype
            assert np.array_equal(value, wanted, equal_nan=wanted.dtype.kind == "f")
        elif field.name != "clips":
            assert value == wanted


@pytest.mark.parametrize("shades", [(None,), (None, 7, 255)])
@pytest.mark.parametrize(("length", "size"), [(1, 32), (16, 33)])
@pytest.mark.parametrize("fallback", [None, "center"])
def test_faces_come_back_as_they_were(
    tmp_path: Path,
    make_faces: Callable[..., Faces],
    length: int,
    size: int,
    shades: tuple[int | None, ...],
    fallback: Any,
) -> None:
    faces = replace(make_faces(length, size, shades), fallback=fallback)
    faces.main.landmarks[0, 2] = np.nan  # not known
    store = ClipStore(tmp_path)
    store.write(NAME, faces)
    read = store.read(NAME)
    assert_same(read, faces)
    assert len(read.clips) == len(shades)
    for clip, expected in zip(read.clips, faces.clips, strict=True):
        assert isinstance(clip, Clip)
        assert_same(clip, expected)
    assert store.verify(NAME) == json.loads(json.dumps(faces.parts()[0]))


@pytest.mark.parametrize("frames", [None, [0], [5], [1, 4], [4, 1, 1], []])
@pytest.mark.parametrize("clips", [None, 1, 2])
def test_some_frames_are_read_without_the_others(
    store: ClipStore, faces: Faces, frames: list[int] | None, clips: int | None
) -> None:
    whole = faces.parts()[1]["crops"]
    wanted = slice(None) if frames is None else frames
    read = store.read_crops(NAME, frames, clips)
    assert read.dtype == np.uint8
    assert np.array_equal(read, whole[:clips][:, wanted])


def test_the_shape_is_known_without_a_look_at_the_crops(store: ClipStore) -> None:
    path = store.folder / NAME
    content = path.read_bytes()
    path.write_bytes(damaged(content, "crops"))
    assert store.shape(NAME) == (2, 6, 32, 32, 3)
    with pytest.raises(DamagedClipError):
        store.read_crops(NAME)


def test_where_faces_are_is_known_without_a_look_at_the_crops(store: ClipStore, faces: Faces) -> None:
    path = store.folder / NAME
    path.write_bytes(damaged(path.read_bytes(), "crops"))
    boxes, landmarks = store.read_geometry(NAME)
    assert np.array_equal(boxes, [clip.boxes for clip in faces.clips])
    assert np.array_equal(landmarks, [clip.landmarks for clip in faces.clips], equal_nan=True)


def test_a_frame_that_is_not_there_is_the_callers_mistake(store: ClipStore) -> None:
    with pytest.raises(IndexError):
        store.read_crops(NAME, [6])


def test_the_same_faces_are_the_same_bytes(
    store: ClipStore, faces: Faces, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = time.time() + 86_400
    monkeypatch.setattr(time, "time", lambda: later)
    store.write("b", replace(faces))
    assert (store.folder / NAME).read_bytes() == (store.folder / "b").read_bytes()


def test_names_tell_content_and_policy_apart() -> None:
    names = {ClipStore.name(sha * 64, digest) for sha in "ab" for digest in ("0" * 12, "1" * 12)}
    assert len(names) == 4


def damaged(content: bytes, damage: str) -> bytes:
    """A file in which the last byte of a member was changed, or one that is damaged as a whole."""
    members = load(content)
    wholly = {
        "empty": b"",
        "garbage": b"garbage" * 100,
        "cut": content[: len(content) // 2],
        "longer": content + b"\0",
        "foreign": save({"weights": np.zeros(3, np.float32)}),
        "without a head": save({"crops": members["crops"]}),
    }
    if damage in wholly:
        return wholly[damage]
    changed = bytearray(members[damage].tobytes())
    changed[-1] ^= 1
    array = np.frombuffer(changed, members[damage].dtype).reshape(members[damage].shape)
    return save(members | {damage: array})


MEMBERS = ("numbers", "boxes", "scores", "landmarks", "origins", "times", "ends", "sums", "head_sum", "crops")


@pytest.mark.parametrize(
    "damage",
    ["empty", "garbage", "cut", "longer", "foreign", "without a head", *MEMBERS],
)
def test_damage_is_found(store: ClipStore, damage: str) -> None:
    path = store.folder / NAME
    path.write_bytes(damaged(path.read_bytes(), damage))
    told = r"a\.safetensors: missing or damaged; run dvc repro faces"
    for read in (store.read, store.read_crops, store.verify):
        with pytest.raises(DamagedClipError, match=told):
            read(NAME)


def test_every_byte_counts(tmp_path: Path, make_faces: Callable[..., Faces]) -> None:
    store = ClipStore(tmp_path)
    store.write(NAME, make_faces(2, 32, shades=(90,)))
    path = tmp_path / NAME
    content = path.read_bytes()
    expected = store.read(NAME)
    for position in range(len(content)):
        broken = bytearray(content)
        broken[position] ^= 1
        path.write_bytes(broken)
        try:
            read = store.read(NAME)
        except DamagedClipError:
            continue
        assert_same(read, expected)  # white space of the index
        assert_same(read.main, expected.main)


def test_a_missing_file_is_named(store: ClipStore) -> None:
    with pytest.raises(DamagedClipError, match=r"b\.safetensors: missing or damaged; run dvc repro faces"):
        store.verify("b.safetensors")


@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EACCES])
def test_what_cannot_be_written_is_told_and_leaves_nothing(
    store: ClipStore, faces: Faces, monkeypatch: pytest.MonkeyPatch, fault: int
) -> None:
    def replace_nothing(*_: object) -> None:
        raise OSError(fault, "no room")

    monkeypatch.setattr(Path, "replace", replace_nothing)
    with pytest.raises(StageError, match=r"b: cannot be written \(no room\); free disk space"):
        store.write("b", faces)
    assert [path.name for path in store.folder.iterdir()] == [NAME]


def test_prune_keeps_only_what_is_named(tmp_path: Path, faces: Faces) -> None:
    store = ClipStore(tmp_path)
    for name in ("a", "b"):
        store.write(name, faces)
    (tmp_path / ".c.4711").write_bytes(b"half")
    assert store.prune({"b"}) == [".c.4711", "a"]
    assert [path.name for path in tmp_path.iterdir()] == ["b"]
    assert ClipStore(tmp_path / "none").prune(set()) == []
