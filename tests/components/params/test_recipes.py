import re
from copy import deepcopy
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.errors import ParamsError
from components.params import TrainingParams
from components.params.recipes import apply_recipe, read_recipe, recipe_names, recipe_params, with_recipe

ROOT = Path(__file__).parents[3]
RECIPES = ROOT / "recipes"
NAMES = recipe_names(RECIPES)
TEXT = (ROOT / "params.yaml").read_text(encoding="utf-8")

TOUCHED = re.sub(r"(?ms)^(?!faces|training|candidates|ensemble)\w+:.*?(?=^\w+:|\Z)", "", TEXT)
"""Of the shipped settings what a recipe may speak of."""

YOURS = {"seed", "num_threads", "workers", "decoded_gb", "mix"}
"""What no recipe says of `training`."""

SCRATCH = {"simple_cnn", "mesonet"}
"""Networks of which nobody publishes weights."""

SHORT = """# A small one
training:
  epochs: 3
candidates:
  small:
    network: {name: simple_cnn}
"""


OWN = {"network": {"name": "simple_cnn"}, "ema": 0.9, "optimizer": {"lr": 0.1, "sam": 1.0}, "seed": 3}
"""A candidate with settings of its own."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "small.yaml").write_text(SHORT, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_says_all_that_matters(name: str) -> None:
    """Whatever a project has set before, the same candidate comes of it."""
    recipe = read_recipe(name, RECIPES)
    told = yaml.safe_load(TEXT)
    told["faces"] |= {"size": 99, "margin": 0.7, "fallback": "center"}
    told["faces"]["sampling"] = {"policy": "clip", "places": 2, "frames": 3}
    told["training"] |= {
        "epochs": 1, "accumulate": 7, "balance": "sampler", "ema": 0.9, "hard_examples": 0.5, "methods": 1.0,
        "self_blended": 0.5, "learn_from": "genuine", "precision": "fp16",
    }  # fmt: skip
    told["training"]["optimizer"] |= {"lr": 1.0, "sam": 1.0, "backbone": 0.5}
    told["training"]["early_stopping"] |= {"min_delta": 0.5}
    told["training"]["augmentation"] |= {"jpeg": {"chance": 1.0}, "crop": 32, "hue": 0.5}
    told["candidates"] = {candidate: deepcopy(OWN) for candidate in recipe.content["candidates"]}
    other = recipe_params(yaml.safe_dump(told), recipe)
    shipped = recipe_params(TEXT, recipe)
    assert set(other.candidates) == set(recipe.content["candidates"])
    assert other.candidates == shipped.candidates
    assert other.faces == shipped.faces
    assert set(recipe.content["training"]) == set(TrainingParams.model_fields) - YOURS


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_starts_from_imagenet_and_names_its_source(name: str) -> None:
    recipe = read_recipe(name, RECIPES)
    networks: list[Any] = [settings.network for settings in recipe_params(TEXT, recipe).candidates.values()]
    assert {
        network.name for network in networks if getattr(network, "pretrained", None) is not True
    } <= SCRATCH
    assert recipe.title
    said = recipe.path.read_text(encoding="utf-8")
    assert "https://" in said or "No paper is known to state these settings" in said
    assert "Not told, chosen here" in said or "Differs" in said


def test_the_same_comes_of_a_recipe_whichever_was_tried_before() -> None:
    """All ordered pairs, and each after itself."""
    recipes = {name: read_recipe(name, RECIPES) for name in NAMES}
    once = {name: with_recipe(TOUCHED, recipe) for name, recipe in recipes.items()}
    alone = {name: yaml.safe_load(text) for name, text in once.items()}
    assert {name for name in NAMES if with_recipe(once[name], recipes[name]) != once[name]} == set()
    after = {
        (first, second): yaml.safe_load(with_recipe(once[first], recipes[second]))
        for first, second in permutations(NAMES, 2)
    }
    assert [pair for pair, content in after.items() if content != alone[pair[1]]] == []


def test_an_ensemble_of_candidates_that_go_is_none(folder: Path) -> None:
    told = yaml.safe_load(TEXT)
    told["ensemble"] = {"members": list(told["candidates"])[:2], "how": "stacked"}
    after = yaml.safe_load(apply_recipe(yaml.safe_dump(told), read_recipe("small", folder)))
    assert after["ensemble"] == {"members": [], "how": "stacked"}


def test_the_rest_of_the_file_stays(folder: Path) -> None:
    after = apply_recipe(TEXT, read_recipe("small", folder))
    changed = set(TEXT.splitlines()) - set(after.splitlines())
    assert "  epochs: 25" in changed
    assert not {line for line in changed if line.startswith(("gate", "  auc: 0.80", "export"))}
    assert after.endswith(TEXT[TEXT.index("evaluate:") :])


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("epochs: 3", "epoch: 3", "unknown key 'training.epoch'"),
        ("epochs: 3", "epochs: none", "training.epochs = 'none'"),
        ("simple_cnn", "simple_rnn", "candidates.small.network.name = 'simple_rnn'"),
        ("training:", "gate:", "gate: a recipe says faces, training, candidates, ensemble"),
        ("candidates:", "candidate:", "missing key 'candidates'"),
        ("{name", "{{name", "not valid YAML"),
        ("training:", "candidates: {}\ntraining:", "not valid YAML: line 5: found duplicate key"),
        ("\n  small:\n    network: {name: simple_cnn}", " {}", "missing key 'candidates'"),
    ],
)
def test_a_mistake_is_told_in_one_line(folder: Path, old: str, new: str, told: str) -> None:
    file = folder / "small.yaml"
    file.write_text(SHORT.replace(old, new), encoding="utf-8")
    with pytest.raises(ParamsError) as caught:
        apply_recipe(TEXT, read_recipe("small", folder))
    assert str(caught.value).startswith(f"{file}: ")
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("smal", "did you mean small? there are small"),
        ("zzz", "there are small"),
        ("../small", "there are small"),
    ],
)
def test_an_unknown_name_is_answered_with_those_there_are(folder: Path, name: str, told: str) -> None:
    (folder / "inner").mkdir()
    for where, expected in ((folder, told), (folder / "inner", "there are none")):
        with pytest.raises(ParamsError, match=re.escape(expected)):
            read_recipe(name, where)
