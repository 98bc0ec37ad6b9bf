import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.errors import ParamsError
from components.params import Params, TrainingParams, load_params
from components.params.document import apply_recipe
from components.params.recipes import Recipe, read_recipe, recipe_names, with_recipe

ROOT = Path(__file__).parents[3]
RECIPES = ROOT / "recipes"
NAMES = recipe_names(RECIPES)
TEXT = (ROOT / "params.yaml").read_text(encoding="utf-8")

SHIPPED = yaml.safe_load(TEXT)

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


def applied(content: dict[str, Any], recipe: Recipe) -> Params:
    return apply_recipe(content, recipe, Path("params.yaml"))


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
    other = applied(told, recipe)
    shipped = applied(SHIPPED, recipe)
    assert set(other.candidates) == set(recipe.content["candidates"])
    assert other.candidates == shipped.candidates
    assert other.faces == shipped.faces
    assert set(recipe.content["training"]) == set(TrainingParams.model_fields) - YOURS


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_starts_from_imagenet_and_names_its_source(name: str) -> None:
    recipe = read_recipe(name, RECIPES)
    networks: list[Any] = [settings.network for settings in applied(SHIPPED, recipe).candidates.values()]
    assert {
        network.name for network in networks if getattr(network, "pretrained", None) is not True
    } <= SCRATCH
    assert recipe.title
    said = recipe.path.read_text(encoding="utf-8")
    assert "https://" in said or "No paper is known to state these settings" in said
    assert "Not told, chosen here" in said or "Differs" in said


def test_an_ensemble_of_candidates_that_go_is_none(folder: Path) -> None:
    told = SHIPPED | {"ensemble": {"members": list(SHIPPED["candidates"])[:2], "how": "stacked"}}
    after = with_recipe(told, read_recipe("small", folder))
    assert after["ensemble"] == {"members": [], "how": "stacked"}


def test_the_rest_stays_and_nothing_is_written(folder: Path) -> None:
    before = deepcopy(SHIPPED)
    after = with_recipe(SHIPPED, read_recipe("small", folder))
    assert before == SHIPPED
    assert after["training"] == SHIPPED["training"] | {"epochs": 3}
    assert list(after["candidates"]) == ["small"]
    same = SHIPPED.keys() - {"training", "candidates", "ensemble", "recipe"}
    assert {key for key in same if after[key] == SHIPPED[key]} == same


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A parameter file that names a recipe."""
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "small.yaml").write_text(SHORT, encoding="utf-8")
    file = tmp_path / "params.yaml"
    file.write_text(TEXT.replace("recipe: null", "recipe: small"), encoding="utf-8")
    return file


def test_a_line_of_the_file_lays_a_recipe_over_it(project: Path) -> None:
    params = load_params(project)
    assert (params.recipe, list(params.candidates), params.training.epochs) == ("small", ["small"], 3)
    assert params.candidates["small"].epochs == 3


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("params.yaml", "recipe: small", "recipe: smal", "no recipe 'smal' in .*; did you mean small"),
        ("params.yaml", "recipe: small", "recipe: 7", "params.yaml: recipe = 7: use text"),
        ("params.yaml", "{min: 0.80}", "{min: 8.0}", "params.yaml: gate: auc: 8.0"),
        ("recipes/small.yaml", "epochs: 3", "epochs: none", "small.yaml: training.epochs = 'none'"),
        ("recipes/small.yaml", "training:", "faces: 3\ntraining:", "small.yaml: faces = 3: use a section"),
    ],
)
def test_a_mistake_is_told_of_the_file_that_makes_it(
    project: Path, file: str, old: str, new: str, told: str
) -> None:
    place = project.with_name("recipes") / "small.yaml" if "/" in file else project
    text = place.read_text(encoding="utf-8")
    assert old in text
    place.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(ParamsError, match=told):
        load_params(project)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("epochs: 3", "epoch: 3", "unknown key 'training.epoch'"),
        ("epochs: 3", "epochs: none", "training.epochs = 'none'"),
        ("simple_cnn", "simple_rnn", "candidates.small.network.name = 'simple_rnn'"),
        ("training:", "gate:", "gate: a recipe says faces, training, candidates, ensemble"),
        ("candidates:", "candidate:", "missing key 'candidates'"),
        ("{name", "{{name", "not valid YAML"),
        (
            "training:",
            "candidates: {}\ntraining:",
            "not valid YAML: line 5: key 'candidates' stands here twice",
        ),
        ("\n  small:\n    network: {name: simple_cnn}", " {}", "missing key 'candidates'"),
    ],
)
def test_a_mistake_is_told_in_one_line(folder: Path, old: str, new: str, told: str) -> None:
    file = folder / "small.yaml"
    file.write_text(SHORT.replace(old, new), encoding="utf-8")
    with pytest.raises(ParamsError) as caught:
        applied(SHIPPED, read_recipe("small", folder))
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
