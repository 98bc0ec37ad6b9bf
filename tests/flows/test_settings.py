"""A default that changes in the code is a setting that changes, for the stages that read it alone."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from copy import deepcopy
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.params.resolved import write_resolved
from components.project import Project
from flows.plan import Change, touched, watched_settings

ROOT = Path(__file__).parents[2]
TRAININGS = {f"train@{name}" for name in yaml.safe_load((ROOT / "params.yaml").read_text())["candidates"]}

BORDER = 'border: Literal["edge", "mirror", "black"] = Field("edge"'
TRANSFORMER = "efficientnet_transformer"
CUTTING = {"faces", "export"}

UNSAID = (
    "max_group_share",
    "allow_leaks",
    "warn_lost_share",
    "border",
    "factor",
    "ema",
    "folds",
    "trials",
    "leak",
)
"""Settings that are left out of the shipped file, so that the code's defaults hold."""

DEFAULTS = [
    ("params/document.py", "max_group_share: Share = 0.4", "0.5", "ingest.max_group_share", {"ingest"}),
    ("params/document.py", 'leak: Literal["keep", "drop"] = "keep"', '"drop"', "ingest.leak", {"ingest"}),
    ("params/document.py", "warn_lost_share: Share = 0.25", "0.3", "validate.warn_lost_share", {"validate"}),
    ("faces/policy.py", BORDER, 'Field("black"', "faces.border", CUTTING),
    (
        "detectors/settings.py",
        "factor: float = Field(0.709",
        "Field(0.7",
        "faces.detector.factor",
        {"detector", *CUTTING},
    ),
    (
        "params/training.py",
        "ema: float = Field(default=0.0",
        "Field(default=0.5",
        "candidates.*.ema",
        TRAININGS,
    ),
    (
        *("params/networks.py", "dropout: Share = 0.1\n", "0.4\n"),
        *(f"candidates.{TRANSFORMER}.network.dropout", {f"train@{TRANSFORMER}"}),
    ),
    ("params/ensemble.py", "folds: int = Field(default=5", "Field(default=4", "ensemble.folds", {"ensemble"}),
    ("params/tuning.py", "trials: PositiveInt = 30", "31", "tune.trials", set()),
]
"""File, default, the new one, the setting, and the stages that read it."""


def value(document: Mapping[str, Any], key: str) -> Any:
    """Of a setting, in what `params.resolved.yaml` holds."""
    return reduce(getitem, key.split("."), document["resolved"])


def with_value(document: Mapping[str, Any], key: str, new: Any) -> dict[str, Any]:
    changed = deepcopy(dict(document))
    *sections, last = key.split(".")
    reduce(getitem, sections, changed["resolved"])[last] = new
    return changed


@pytest.fixture(scope="module")
def change(tmp_path_factory: pytest.TempPathFactory) -> Change:
    """Of all settings, as another version of the code has all of `DEFAULTS`."""
    root = tmp_path_factory.mktemp("defaults")
    lines = (ROOT / "params.yaml").read_text(encoding="utf-8").splitlines(keepends=True)
    said = [line for line in lines if not line.strip().startswith(tuple(f"{key}:" for key in UNSAID))]
    (root / "params.yaml").write_text("".join(said), encoding="utf-8")
    write_resolved(Project(root))
    before = yaml.safe_load((root / "params.resolved.yaml").read_text(encoding="utf-8"))
    shutil.copytree(
        ROOT / "components",
        root / "components",
        ignore=shutil.ignore_patterns("*.safetensors", "__pycache__"),
    )
    for name, old, new, _, _ in DEFAULTS:
        file = root / "components" / name
        text = file.read_text(encoding="utf-8")
        assert text.count(old) == 1
        file.write_text(text.replace(old, f"{old.rpartition(' = ')[0]} = {new}"), encoding="utf-8")
    subprocess.run([sys.executable, "-m", "components", "resolve"], cwd=root, check=True)
    return Change(before, yaml.safe_load((root / "params.resolved.yaml").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def watched() -> dict[str, list[str]]:
    return watched_settings(ROOT)


@pytest.mark.parametrize(("key", "stages"), [(key, stages) for *_, key, stages in DEFAULTS])
def test_another_default_runs_the_stages_that_read_it(
    change: Change, watched: dict[str, list[str]], key: str, stages: set[str]
) -> None:
    after = change.before
    for name in change.before["names"] if "*" in key else [""]:
        place = key.replace("*", name)
        assert value(change.before, place) != value(change.after, place)
        after = with_value(after, place, value(change.after, place))
    assert touched(watched, Change(change.before, after)) == stages


@pytest.mark.parametrize(
    ("key", "new", "stages"),
    [
        ("limits.max_seconds", 60.0, {"ingest", "describe", "faces", "export"}),
        ("validate.min_videos_per_class", 1, {"ingest", "validate"}),
        ("training.epochs", 9, set()),  # which candidates have taken over, each for itself
        ("evaluate.seed", 4, {"evaluate"}),
        ("ensemble.members", ["a", "b"], {"ensemble", "evaluate"}),
        ("gate.auc.min", 0.9, {"gate"}),
        ("export.opset", 19, {"export"}),
    ],
)
def test_a_setting_runs_the_stages_that_read_it(
    change: Change, watched: dict[str, list[str]], key: str, new: Any, stages: set[str]
) -> None:
    after = with_value(change.before, key, new)
    assert touched(watched, Change(change.before, after)) == stages


def test_every_section_is_read_by_some_stage(change: Change, watched: dict[str, list[str]]) -> None:
    read = {key.split(".")[1] for keys in watched.values() for key in keys if key.startswith("resolved.")}
    assert change.before["resolved"].keys() - read == {"training", "tune", "recipe"}
