from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from components.params import Params
from components.params.training import Optimizer
from components.training import identity
from components.training.videos import Video

VIDEOS = [Video("a", "g", "train", 1, "swap", "0a-1b.npz"), Video("b", "g", "val", 0, "none", "2c-1b.npz")]


def digest(params: Params, videos: list[Video] = VIDEOS, name: str = "simple_cnn") -> str:
    return identity.training_digest(name, params.candidates["simple_cnn"], videos)


def test_same_training_same_digest(params: Params) -> None:
    assert digest(params) == digest(params)
    assert len(digest(params)) == 16


@pytest.mark.parametrize(
    "change",
    [
        {"split": "test"}, {"label": 0}, {"method": "blend"}, {"clip": "0a-ff.npz"}, {"video_id": "c"},
        {"dataset": "other"}, {"group": "h"},
    ],
)  # fmt: skip
def test_other_clips_other_digest(params: Params, change: dict[str, Any]) -> None:
    assert digest(params, [replace(VIDEOS[0], **change), VIDEOS[1]]) != digest(params)


def test_other_settings_other_digest(params: Params, changed: Callable[..., Params]) -> None:
    seeded, slow = changed(seed=8), changed(optimizer=Optimizer(name="adam", lr=1e-5, weight_decay=0.0))
    found = [digest(params), digest(seeded), digest(slow), digest(params, name="resnet18_average")]
    assert len(set(found)) == 4


@pytest.mark.parametrize("package", ["torch", "torchvision", "timm", "numpy"])
def test_other_versions_other_digest(params: Params, monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    before, version = digest(params), identity.version
    monkeypatch.setattr(identity, "version", lambda name: "0.1" if name == package else version(name))
    assert digest(params) != before


def test_other_code_other_digest(params: Params, monkeypatch: pytest.MonkeyPatch) -> None:
    before = digest(params)
    monkeypatch.setattr(identity, "fingerprint", lambda module: {module: "changed"})
    assert digest(params) != before
