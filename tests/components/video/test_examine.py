"""Fingerprints of scenes that are encoded anew, and of scenes that say nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.splits.near_duplicates import CHANGE_SHARE, near_duplicates
from components.video.container import VideoFault
from components.video.examine import examine
from components.video.fingerprint import CHANGE_WORDS, PICTURE_WORDS, SAMPLED_PICTURES, fingerprint_words
from components.video.limits import Limits

MakeScene = Callable[..., Path]


def look(path: Path) -> str:
    return examine(path, Limits()).fingerprint or ""


def differing(one: Path, other: Path) -> float:
    """Share of the changes' bits in which the fingerprints differ."""
    first, second = fingerprint_words([look(one), look(other)])[:, CHANGE_WORDS]
    return float(np.bitwise_count(first ^ second).mean()) / 64


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
    paths = [make_scene(tmp_path / "original.mp4"), make_scene(tmp_path / name, **changed)]
    assert near_duplicates([look(path) for path in paths]) == [0, 0]


@pytest.mark.parametrize("changed", [{"seed": 6}, {"seconds": 8.0}])
def test_another_scene_has_another_fingerprint(
    tmp_path: Path, make_scene: MakeScene, changed: dict[str, Any]
) -> None:
    original, other = make_scene(tmp_path / "a.mp4"), make_scene(tmp_path / "b.mp4", **changed)
    assert differing(original, other) > 1.5 * CHANGE_SHARE


def test_a_picture_on_its_side_is_seen_upright(tmp_path: Path, make_scene: MakeScene) -> None:
    plain, turned = make_scene(tmp_path / "a.mp4"), make_scene(tmp_path / "b.mp4", rotation=90.0)
    assert differing(plain, turned) > 1.5 * CHANGE_SHARE


@pytest.mark.parametrize("blank_until", [0.6, 1.8, 2.6])
def test_a_blank_beginning_says_nothing(tmp_path: Path, make_scene: MakeScene, blank_until: float) -> None:
    """Nor does it take the place of what follows: it stands still, and counts once."""
    path = make_scene(tmp_path / "a.mp4", blank_until=blank_until)
    pictures = fingerprint_words([look(path)])[0, PICTURE_WORDS]
    assert np.count_nonzero(pictures) >= (SAMPLED_PICTURES if blank_until > 1 else SAMPLED_PICTURES - 1)


def test_too_few_frames_behind_a_good_header_are_found_out(cut_short: Callable[[float], Path]) -> None:
    with pytest.raises(VideoFault, match=r"only \d of 30 frames can be decoded"):
        examine(cut_short(0.1), Limits())
