"""`recipes/NAME.yaml`: the settings of a detector of the field, applied over `params.yaml`.

A recipe says what it needs of `faces`, `training`, `candidates` and `ensemble`; the rest stays as the project
has it. Its candidates take the place of those that are there, and each section that it names of `faces` and
`training` that of its like: nothing of a former recipe is left in them. An ensemble of candidates that go is
none any more.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from ruamel.yaml.error import YAMLError

from components.errors import ParamsError
from components.params.document import Params, checked
from components.params.edit import Keys, edited, round_trip
from components.params.messages import where_and_what

SECTIONS = ("faces", "training", "candidates", "ensemble")
"""What a recipe may speak of: it knows neither the data nor what a project asks of a detector."""


@dataclass(frozen=True)
class Recipe:
    """A detector of the field."""

    path: Path
    title: str  # one line
    content: Mapping[str, Any]

    @property
    def name(self) -> str:
        return self.path.stem


def recipe_names(folder: Path) -> list[str]:
    """Of all recipes in a folder, sorted."""
    return sorted(path.stem for path in folder.glob("*.yaml"))


def read_recipe(name: str, folder: Path) -> Recipe:
    """Read one recipe; what it sets is checked when it is applied.

    Raises:
        ParamsError: there is none of that name, it is not YAML, or speaks of what is no recipe's.
    """
    path = folder / f"{name}.yaml"
    if name not in recipe_names(folder):
        raise ParamsError(f"no recipe {name!r} in {folder}; {_known(name, folder)}")
    try:
        text = path.read_text(encoding="utf-8")
        content = round_trip().load(text)
    except (YAMLError, UnicodeDecodeError) as error:
        raise ParamsError(f"{path}: not valid YAML: {where_and_what(error)}") from error
    named = content.get("candidates") if isinstance(content, Mapping) else None
    if not (named and isinstance(named, Mapping)):
        raise ParamsError(f"{path}: missing key 'candidates'; name at least one, with its network")
    if foreign := [key for key in content if key not in SECTIONS]:
        raise ParamsError(f"{path}: {foreign[0]}: a recipe says {', '.join(SECTIONS)} and nothing else")
    return Recipe(path, _title(text), content)


def apply_recipe(text: str, recipe: Recipe) -> str:
    """The text of a parameter file with a recipe's settings in it, its comments kept.

    Args:
        text: of a valid `params.yaml`.
        recipe: whose `candidates`, and sections within `faces` and `training`, replace those of the file; its
            other settings are merged over it.

    Raises:
        ParamsError: the recipe holds an unknown key or a value out of range.
    """
    after = with_recipe(text, recipe)
    checked(yaml.safe_load(after), recipe.path)
    return after


def with_recipe(text: str, recipe: Recipe) -> str:
    """What `apply_recipe` writes, unchecked."""
    changes = dict(recipe.content)
    if "ensemble" not in changes and "members" in (yaml.safe_load(text).get("ensemble") or ()):
        changes["ensemble"] = {"members": []}
    return edited(text, changes, list(_whole(changes)))


def recipe_params(text: str, recipe: Recipe) -> Params:
    """What a parameter file says once the recipe is applied.

    Raises:
        ParamsError: the recipe holds an unknown key or a value out of range.
    """
    return checked(yaml.safe_load(with_recipe(text, recipe)), recipe.path)


def _whole(changes: Mapping[str, Any]) -> Iterator[Keys]:
    """The sections of which nothing stays but what the recipe says."""
    yield ("candidates",)
    for section in ("faces", "training"):
        content = changes.get(section)
        yield from ((section, key) for key in content) if isinstance(content, Mapping) else ()


def _known(name: str, folder: Path) -> str:
    names = recipe_names(folder)
    if not names:
        return "there are none; see docs/recipes.md"
    close = get_close_matches(name, names, 1)
    return f"{f'did you mean {close[0]}? ' if close else ''}there are {', '.join(names)}"


def _title(text: str) -> str:
    first = text.lstrip().partition("\n")[0]
    return first.lstrip("# ").strip() if first.startswith("#") else ""
