from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

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


def test_source_of_both_rooms_and_of_the_rule_for_faces_counts(tmp_path: Path) -> None:
    names = ["models/a.py", "pooling.py", "training/a.py"]
    for name in (*names, "bundle.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x = 1\n")
    before = identity._source(tmp_path)
    (tmp_path / "models" / "a.py").write_text("x = 2\n")
    after = identity._source(tmp_path)
    assert list(before) == names
    assert before["models/a.py"] != after["models/a.py"]
    assert before["training/a.py"] == after["training/a.py"]


def test_source_is_what_the_stage_depends_on() -> None:
    """Else a finished training would be taken for another one that DVC tells from it."""
    root = Path(identity.__file__).parents[2]
    stage = yaml.safe_load((root / "dvc.yaml").read_text(encoding="utf-8"))["stages"]["train"]["do"]
    places = [root / dep for dep in stage["deps"] if dep.startswith("components/")]
    files = {file for place in places for file in ([place] if place.is_file() else place.rglob("*.py"))}
    known = identity._source(root / "components")
    assert {file.relative_to(root / "components").as_posix() for file in files} <= set(known)


def test_source_of_this_package_is_found() -> None:
    assert {"models/simple_cnn.py", "training/module.py", "pooling.py"} <= set(
        identity._source(Path(identity.__file__).parents[1])
    )
