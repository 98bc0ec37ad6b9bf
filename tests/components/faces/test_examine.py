"""Fingerprints of scenes that are encoded anew, and of scenes that say nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.faces.container import VideoFault
from components.faces.examine import examine
from components.faces.fingerprint import BLANK, PICTURES, hash_picture, join, words
from components.faces.policy import Limits
from components.ingest.near_duplicates import FINE_BITS

MakeScene = Callable[..., Path]


def distance(one: Path, other: Path) -> int:
    """Bits of 1024 in which the fingerprints differ."""
    found = [examine(path, Limits()).fingerprint for path in (one, other)]
    first, second = words([fingerprint or "" for fingerprint in found])
    return int(np.bitwise_count(first ^ second).sum())


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("quality.mp4", {"options": {"crf": "38"}}),
        ("size.mp4", {"size": (320, 240)}),
        ("slower.mp4", {"fps": 12}),
        ("faster.mp4", {"fps": 60}),
        ("keyframes.mp4", {"gop": 7}),
        ("fragmented.mp4", {"movflags": "frag_keyframe+empty_moov", "gop": 20}),
        ("a.mkv", {}),
        ("a.avi", {"codec": "mpeg4"}),
        ("a.webm", {"codec": "libvpx"}),
        ("a.ts", {"gop": 30}),
        ("a.mpg", {"codec": "mpeg2video", "gop": 15}),
        ("a.flv", {}),
    ],
)
def test_a_copy_keeps_its_fingerprint(
    tmp_path: Path, make_scene: MakeScene, name: str, changed: dict[str, Any]
) -> None:
    assert distance(make_scene(tmp_path / "original.mp4"), make_scene(tmp_path / name, **changed)) < FINE_BITS


@pytest.mark.parametrize("changed", [{"seed": 6}, {"seconds": 8.0}])
def test_another_scene_has_another_fingerprint(
    tmp_path: Path, make_scene: MakeScene, changed: dict[str, Any]
) -> None:
    original, other = make_scene(tmp_path / "a.mp4"), make_scene(tmp_path / "b.mp4", **changed)
    assert distance(original, other) > 2 * FINE_BITS


def test_a_picture_on_its_side_is_seen_upright(tmp_path: Path, make_scene: MakeScene) -> None:
    plain, turned = make_scene(tmp_path / "a.mp4"), make_scene(tmp_path / "b.mp4", rotation=90.0)
    assert distance(plain, turned) > 2 * FINE_BITS


@pytest.mark.parametrize(("blank_until", "says_something"), [(0.6, True), (1.6, True), (2.6, False)])
def test_blank_pictures_say_nothing(
    tmp_path: Path, make_scene: MakeScene, blank_until: float, says_something: bool
) -> None:
    path = make_scene(tmp_path / "a.mp4", blank_until=blank_until)  # sampled at 0.5, 1.5, 2.5 and 3.5 s
    assert (examine(path, Limits()).fingerprint is not None) == says_something


@pytest.mark.parametrize("grey", [0, 127, 255])
def test_a_flat_picture_is_blank(grey: int) -> None:
    noise = np.random.default_rng(1).integers(-2, 3, (90, 120, 3))
    assert hash_picture(np.clip(grey + noise, 0, 255).astype(np.uint8)) == BLANK


@pytest.mark.parametrize(
    ("hashes", "fingerprint"),
    [
        (["1" * 64] * PICTURES, "1" * 64 * PICTURES),
        (["1" * 64, BLANK, "2" * 64, BLANK], "1" * 64 + BLANK + "2" * 64 + BLANK),
        (["1" * 64, BLANK, BLANK, BLANK], None),
        (["1" * 64] * (PICTURES - 1), None),
        ([], None),
    ],
)
def test_join(hashes: list[str], fingerprint: str | None) -> None:
    assert join(hashes) == fingerprint


def test_too_few_frames_behind_a_good_header_are_found_out(cut_short: Callable[[float], Path]) -> None:
    with pytest.raises(VideoFault, match=r"only \d of 30 frames can be decoded"):
        examine(cut_short(0.1), Limits())
