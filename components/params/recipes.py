"""`recipes/NAME.yaml`: the settings of a detector of the field, laid over those of `params.yaml`.

`recipe: NAME` in `params.yaml` chooses one. A recipe says what it needs of `faces`, `training`, `candidates`
and `ensemble`; the rest stays as the project has it. Its candidates take the place of those of the file, and
each section that it names of `faces` and `training` that of its like. An ensemble of candidates that go is
none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from components.errors import ParamsError
from components.params.reading import read_yaml

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
    """Returns the names of all recipes in a folder, sorted."""
    return sorted(path.stem for path in folder.glob("*.yaml"))


def read_recipe(name: str, folder: Path) -> Recipe:
    """Reads one recipe; what it sets is checked when it is applied.

    Raises:
        ParamsError: there is none of that name, it is not YAML, or speaks of what is no recipe's.
    """
    path = folder / f"{name}.yaml"
    if name not in recipe_names(folder):
        raise ParamsError(f"no recipe {name!r} in {folder}; {_known(name, folder)}")
    content = read_yaml(path)
    named = content.get("candidates") if isinstance(content, Mapping) else None
    if not (named and isinstance(named, Mapping)):
        raise ParamsError(f"{path}: missing key 'candidates'; name at least one, with its network")
    if foreign := [key for key in content if key not in SECTIONS]:
        raise ParamsError(f"{path}: {foreign[0]}: a recipe says {', '.join(SECTIONS)} and nothing else")
    return Recipe(path, _title(path.read_text(encoding="utf-8")), content)


def with_recipe(content: Mapping[str, Any], recipe: Recipe) -> dict[str, Any]:
    """Returns the content of a parameter file with a recipe laid over it, unchecked.

    Args:
        content: of `params.yaml`.
        recipe: whose `candidates`, and sections within `faces` and `training`, replace those of the file; its
            other settings are merged over it.
    """
    changes = {"ensemble": {"members": []}, **recipe.content, "recipe": recipe.name}
    mixed = {key: _mixed(content.get(key), changes[key]) for key in changes if key != "candidates"}
    return {**content, **changes, **mixed}


def _mixed(section: Any, over: Any) -> Any:
    """Returns each setting, or section within, of one over the other."""
    return {**section, **over} if isinstance(section, Mapping) and isinstance(over, Mapping) else over


def _known(name: str, folder: Path) -> str:
    names = recipe_names(folder)
    if not names:
        return "there are none; see docs/recipes.md"
    close = get_close_matches(name, names, 1)
    return f"{f'did you mean {close[0]}? ' if close else ''}there are {', '.join(names)}"


def _title(text: str) -> str:
    first = text.lstrip().partition("\n")[0]
    return first.lstrip("# ").strip() if first.startswith("#") else ""
