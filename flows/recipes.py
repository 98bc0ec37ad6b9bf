"""`unmask recipes` and `unmask run --recipe`: detectors of the field, chosen by a line of params.yaml."""

import typer
from rich.table import Table
from rich.text import Text

from components.errors import ParamsError
from components.params import Params, load_params
from components.params.document import apply_recipe, checked
from components.params.edit import write_settings
from components.params.reading import read_yaml
from components.params.recipes import read_recipe, recipe_names
from components.printable import printable
from components.project import Project
from flows.paths import print_table
from flows.plan import changed_settings, print_plan

NO_RECIPE = "none"
"""In place of a recipe's name: the settings of params.yaml alone."""


def show_recipe(project: Project) -> None:
    """Prints the project's recipes, and which one it uses."""
    used = load_params(project.params).recipe
    table = Table("recipe", "what it is", "", title="Recipes", title_justify="left")
    for name in recipe_names(project.recipes):
        try:
            title = read_recipe(name, project.recipes).title
        except ParamsError as error:
            title = f"cannot be used: {error}"
        table.add_row(Text(printable(name)), Text(title), "in use" if name == used else "")
    print_table(table)
    typer.echo("unmask run --recipe NAME uses one from now on; docs/recipes.md says more")


def adopt(project: Project, name: str) -> None:
    """Lets params.yaml name a recipe, and says how to go back.

    Args:
        project: whose params.yaml.
        name: of the recipe, or `none`.

    Raises:
        ParamsError: there is no such recipe, or it is not valid.
    """
    before, after = load_params(project.params), params_with_recipe(project, name)
    if before.recipe == after.recipe:
        typer.echo(f"params.yaml says recipe: {name} already")
        return
    write_settings(project.params, {"recipe": after.recipe})
    back = before.recipe or NO_RECIPE
    typer.echo(f"params.yaml now says recipe: {name}; to go back: unmask run --recipe {back}\n")


def preview_recipe(project: Project, name: str) -> None:
    """Prints what a recipe would change, and which stages would then run.

    Raises:
        ParamsError: there is no such recipe, or it is not valid.
        StageError: DVC cannot read the project.
    """
    after = params_with_recipe(project, name)
    for line in changed_settings(load_params(project.params), after):
        typer.echo(line)
    typer.echo("\ndry run: nothing was written; with the recipe, and the data as they are:")
    print_plan(project, after)


def params_with_recipe(project: Project, name: str) -> Params:
    """Returns what the settings are once params.yaml names a recipe.

    Raises:
        ParamsError: there is no such recipe, or it or params.yaml is not valid.
    """
    content = read_yaml(project.params)
    if name == NO_RECIPE:
        return checked({**content, "recipe": None}, project.params)
    return apply_recipe(content, read_recipe(name, project.recipes), project.params)
