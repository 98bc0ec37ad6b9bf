"""Training: the pipeline, the settings it runs with, and a look at what it learns from."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from components.errors import GateError, UnmaskError
from components.project import Project
from flows.commands.options import Wait, candidates_like, enter
from flows.environment import find_project

if TYPE_CHECKING:
    from components.params import Params
    from flows.promote import Promotion


def recipes_like(typed: str) -> list[str]:
    """For the shell's completion of --recipe."""
    from components.params.recipes import recipe_names

    try:
        return [name for name in recipe_names(find_project().recipes) if name.startswith(typed)]
    except UnmaskError:
        return []


def run(
    jobs: Annotated[
        int,
        typer.Option(help="Stages side by side; 0 chooses: by the cores, or 1 where a GPU trains.", min=0),
    ] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would run.")] = False,
    recipe: Annotated[
        str | None,
        typer.Option(
            help="Use a recipe's settings from now on, or those of params.yaml alone: none.",
            metavar="NAME",
            autocompletion=recipes_like,
        ),
    ] = None,
    wait: Wait = True,
) -> None:
    """Run the pipeline as a Prefect flow: stages, gate, export, registry.

    The stages are those of dvc.yaml; what has not changed is not run again. Interrupt it and run it again:
    it goes on where it was.

        unmask run --dry-run
        unmask run --recipe transformer_frozen --dry-run

    The second shows what a recipe would change, and which stages would run. A recipe is laid over
    params.yaml, of which one line says which; the other lines stay. More in docs/recipes.md.
    """
    project = enter()
    from components.params import load_params

    params = load_params(project.params)  # a mistake is told before a server starts or a plan is shown
    from flows.locks import project_lock, refuse_dvc

    if dry_run and not wait:
        refuse_dvc(project.root)
    if dry_run and recipe is not None:
        from flows.recipes import preview_recipe

        preview_recipe(project, recipe)
        return
    if dry_run:
        show_plan(project, params)
        return
    with project_lock(project, wait=wait):
        if not wait:
            refuse_dvc(project.root)
        if recipe is not None:
            from flows.recipes import adopt

            adopt(project, recipe)
        outcome = train(project, jobs)
    typer.echo(f"{outcome.reason} (report: {project.reports / 'report.html'})")


def train(project: Project, jobs: int) -> "Promotion":
    """Run the training flow; where the gate fails, its rules are printed."""
    from flows.server import prefect_server

    with prefect_server(project):
        from flows.display import print_gate
        from flows.pipeline import training

        try:
            return training(str(project.root), jobs)
        except GateError:
            print_gate(project.gate)
            raise


def show_plan(project: Project, params: "Params") -> None:
    """Which stages `run` would run, and which it would keep."""
    from flows.data import needs_pull
    from flows.plan import print_plan

    if needs_pull(project.root):
        typer.echo("pull  data, if the DVC remote holds what data.dvc names; then whatever has changed")
        return
    print_plan(project, params)


def tune(
    candidate: Annotated[
        str, typer.Argument(help="A key of `candidates` in params.yaml.", autocompletion=candidates_like)
    ],
    trials: Annotated[
        int | None,
        typer.Option(help="So many more trials, or 0; by default up to `tune.trials` in all.", min=0),
    ] = None,
    jobs: Annotated[
        int,
        typer.Option(help="Trials side by side, each in a process; set num_threads to go with it.", min=1),
    ] = 1,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be tried, and what has been.")
    ] = False,
    apply: Annotated[
        bool, typer.Option("--apply", help="Write the best settings into params.yaml; its comments stay.")
    ] = False,
    wait: Wait = True,
) -> None:
    """Search for the settings with which a candidate does best on validation videos.

    Each trial is a training with other settings: the first with those of params.yaml, some at random, the
    others near what did well (TPE). One that falls behind is ended early. `tune` in params.yaml says what is
    searched, how long and by which metric. It needs the clips that `unmask run` cuts.

    Interrupt it and run it again: it goes on within the trial where it was. MLflow has a run for each trial,
    reports/tune/CANDIDATE the report. Test videos are never looked at. More in docs/tuning.md.

        unmask tune simple_cnn --dry-run
        unmask tune simple_cnn --trials 20
        unmask tune simple_cnn --trials 0 --apply

    The last one tries nothing more, and writes what is best so far.
    """
    project = enter()
    from flows.locks import project_lock
    from flows.reach import check_mlflow

    with ExitStack() as stack:
        if not dry_run:
            check_mlflow(project)
            stack.enter_context(project_lock(project, shared=True, wait=wait))
        from flows.tune import tune as search

        search(project, candidate, trials, jobs, dry_run, apply)


def augment_preview(
    videos: Annotated[
        list[str] | None,
        typer.Argument(
            help="Of the training split, by id or file; by default some are chosen.", metavar="VIDEO"
        ),
    ] = None,
    candidate: Annotated[
        str | None,
        typer.Option(
            help="Whose augmentation; by default that of `training`, which all share.",
            metavar="NAME",
            autocompletion=candidates_like,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="The sheet, a .png; by default artifacts/augmentation.png.", metavar="FILE"),
    ] = None,
    rows: Annotated[int, typer.Option(help="Videos, where none is named.", min=1, max=24)] = 4,
    seed: Annotated[int, typer.Option(help="The same seed draws the same sheet.", min=0)] = 0,
) -> None:
    """Draw a sheet of training clips, untouched and as the augmentation of params.yaml changes them.

    Each change that is on is shown by itself first, then clips of both classes as training may see them, then
    forgeries of a genuine one by self-blending with their masks. It needs the clips that `unmask run` cuts;
    before any training, `dvc repro faces` does.

        unmask augment-preview
        unmask augment-preview real/p003_a --candidate simple_cnn --out look.png
    """
    project = enter()
    from components.params import load_params
    from components.preview.augmentation import preview

    sheet = out or project.artifacts / "augmentation.png"
    preview(project, load_params(project.params), sheet, videos or (), candidate, rows, seed)
    typer.echo(sheet)


def recipes() -> None:
    """The recipes: settings of detectors of the field, with their sources.

    Each is a file `recipes/NAME.yaml`, whose header says where it comes from and what differs here. More,
    also on how to write your own, in docs/recipes.md.

        unmask run --recipe xception --dry-run
        unmask run --recipe xception
    """
    project = enter()
    from flows.recipes import show_recipe

    show_recipe(project)
