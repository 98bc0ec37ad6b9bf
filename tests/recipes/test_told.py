"""The recipes, as they stand and as they are applied, against the table of what is told of them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.faces.policy import CropPolicy
from components.params import CandidateParams, merged
from components.params.document import apply_recipe
from components.params.recipes import read_recipe, recipe_names

ROOT = Path(__file__).parents[2]
SHIPPED = (ROOT / "params.yaml").read_text(encoding="utf-8")
OWNERS = ("source", "second-hand", "kind", "unmask")
TOLD: dict[str, dict[str, dict[str, Any]]] = yaml.safe_load(
    (Path(__file__).parent / "told.yaml").read_text(encoding="utf-8")
)

OFF: dict[str, Any] = {
    "faces.fallback": "none",
    "training.accumulate": 1,
    "training.loss.label_smoothing": 0.0,
    "training.optimizer.backbone": 1.0,
    "training.optimizer.sam": 0.0,
    "training.early_stopping.min_delta": 0.0,
    "training.ema": 0.0,
    "training.cache_features": False,
    "training.hard_examples": 0.0,
    "training.learn_from": "all",
    "training.self_blended": 0.0,
    "training.methods": 0.0,
    "training.augmentation.flip": 0.0,
    "training.augmentation.brightness": 0.0,
    "training.augmentation.contrast": 0.0,
    "training.augmentation.shift": 0.0,
}
"""Features that a recipe names only to have them off, unless the table says otherwise."""

LEFT = ("seed", "num_threads")
"""What no recipe says of `training`, without a default."""


def flat(content: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Settings by dotted key."""
    settings: dict[str, Any] = {}
    for key, value in content.items():
        name = f"{above}{key}"
        settings |= flat(value, f"{name}.") if isinstance(value, Mapping) else {name: value}
    return settings


def settings_of(name: str) -> dict[str, Any]:
    return flat(yaml.safe_load((ROOT / "recipes" / f"{name}.yaml").read_text(encoding="utf-8")))


def header(name: str) -> str:
    return (ROOT / "recipes" / f"{name}.yaml").read_text(encoding="utf-8").partition("\nfaces:")[0]


def owned(name: str) -> dict[str, Any]:
    """What the table says of the values that a recipe has."""
    return {key: value for owner in OWNERS for key, value in TOLD[name].get(owner, {}).items()}


def off(name: str) -> dict[str, Any]:
    """Features that a recipe names, as they are where they are off."""
    return {key: value for key, value in OFF.items() if key in settings_of(name)}


def nested(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What `flat` was made of."""
    content: dict[str, Any] = {}
    for name, value in settings.items():
        section = content
        *above, key = name.split(".")
        for one in above:
            section = section.setdefault(one, {})
        section[key] = value
    return content


def test_the_table_names_every_recipe() -> None:
    assert sorted(TOLD) == recipe_names(ROOT / "recipes")
    assert len(TOLD) >= 9


@pytest.mark.parametrize("name", TOLD)
def test_every_setting_has_one_owner_and_the_value_that_is_told(name: str) -> None:
    owners = [key for owner in OWNERS for key in TOLD[name].get(owner, {})]
    assert len(owners) == len(set(owners))
    assert settings_of(name) == off(name) | owned(name)


@pytest.mark.parametrize("name", TOLD)
def test_what_is_trained_is_what_is_told_and_nothing_else(name: str) -> None:
    """On the settings that are shipped, of which some candidates have the names of a recipe's."""
    shipped = yaml.safe_load(SHIPPED)
    told = nested(off(name) | owned(name))
    applied = apply_recipe(shipped, read_recipe(name, ROOT / "recipes"), Path("params.yaml"))
    assert applied.faces == CropPolicy.model_validate(shipped["faces"] | told["faces"])
    shared = {key: shipped["training"][key] for key in LEFT} | told["training"]
    expected = {one: merged(shared, settings) for one, settings in told["candidates"].items()}
    assert applied.candidates == {
        one: CandidateParams.model_validate(settings) for one, settings in expected.items()
    }


@pytest.mark.parametrize("name", TOLD)
def test_what_is_told_in_kind_is_on(name: str) -> None:
    nothing = {None, "none", "fp32", 0}
    kinds = TOLD[name].get("kind", {})
    assert [key for key, value in kinds.items() if not isinstance(value, list) and value in nothing] == []


@pytest.mark.parametrize("name", [name for name in TOLD if "second-hand" in TOLD[name]])
def test_what_is_second_hand_is_said(name: str) -> None:
    assert "second-hand" in header(name).lower()


@pytest.mark.parametrize("name", [name for name in TOLD if "differs" in TOLD[name]])
def test_what_differs_from_what_is_told_is_said(name: str) -> None:
    settings = settings_of(name)
    assert all(settings.get(key) != value for key, value in TOLD[name]["differs"].items())
    assert "# Differs: " in header(name)


def test_what_a_header_gives_instead_of_what_differs_can_be_set() -> None:
    """MediaPipe is an extra, so that the recipe leaves the detector to the project."""
    line = next(line for line in header("transformer_finetuned").splitlines() if "detector: {" in line)
    instead = yaml.safe_load(line.lstrip("# "))["faces"]
    policy = CropPolicy.model_validate(yaml.safe_load(SHIPPED)["faces"] | instead)
    assert policy.detector.name == TOLD["transformer_finetuned"]["differs"]["faces.detector.name"]
