import time
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from components.faces.clip import Clip
from components.faces.store import ClipStore, DamagedClipError
from components.faces.video import VideoInfo


@pytest.fixture
def clip() -> Clip:
    rng = np.random.default_rng(3)
    return Clip(
        crops=rng.integers(0, 256, (4, 32, 32, 3), np.uint8),
        boxes=rng.random((4, 4), np.float32),
        scores=rng.random(4, np.float32),
        landmarks=rng.random((4, 5, 2), np.float32),
        times=rng.random(4),
        frames=4,
        face_share=0.75,
        tracks=2,
        box_side=81.5,
        info=VideoInfo(30, 29.97, 320, 240, 1.001, "h264", 12345),
    )


def test_a_clip_comes_back_as_it_was(tmp_path: Path, clip: Clip) -> None:
    store = ClipStore(tmp_path / "clips")
    store.write("a.npz", clip)
    read = store.read("a.npz")
    for field in fields(Clip):
        value, expected = getattr(read, field.name), getattr(clip, field.name)
        assert np.array_equal(value, expected)
        assert getattr(value, "dtype", None) == getattr(expected, "dtype", None)
    assert np.array_equal(store.read_crops("a.npz"), clip.crops)


def test_the_same_clip_is_the_same_bytes(tmp_path: Path, clip: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    store = ClipStore(tmp_path)
    store.write("a.npz", clip)
    later = time.time() + 86_400
    monkeypatch.setattr(time, "time", lambda: later)
    store.write("b.npz", replace(clip))
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_names_tell_content_and_policy_apart() -> None:
    names = {ClipStore.name(sha * 64, digest) for sha in "ab" for digest in ("0" * 12, "1" * 12)}
    assert len(names) == 4


@pytest.mark.parametrize("damage", ["missing", "empty", "garbage", "cut", "flipped", "other"])
def test_damage_is_found(tmp_path: Path, clip: Clip, damage: str) -> None:
    store, path = ClipStore(tmp_path), tmp_path / "a.npz"
    store.write("a.npz", clip)
    content = bytearray(path.read_bytes())
    if damage == "missing":
        path.unlink()
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "garbage":
        path.write_bytes(b"garbage" * 100)
    elif damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "flipped":
        content[5000] ^= 1
        path.write_bytes(content)
    else:
        np.savez(path, crops=clip.crops)
    with pytest.raises(DamagedClipError, match=r"a\.npz: missing or damaged; run dvc repro faces"):
        store.read("a.npz")


def test_prune_keeps_only_what_is_named(tmp_path: Path, clip: Clip) -> None:
    store = ClipStore(tmp_path)
    for name in ("a.npz", "b.npz"):
        store.write(name, clip)
    (tmp_path / ".c.npz.4711").write_bytes(b"half")
    assert store.prune({"b.npz"}) == [".c.npz.4711", "a.npz"]
    assert [path.name for path in tmp_path.iterdir()] == ["b.npz"]
    assert ClipStore(tmp_path / "none").prune(set()) == []
