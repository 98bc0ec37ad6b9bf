"""The `unmask` command. Heavy imports stay inside the commands, so that `--help` answers at once."""

import logging
import os
import sys
from contextlib import ExitStack, closing
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from components.errors import GateError, ParamsError, UnmaskError
from components.project import Project
from flows.environment import find_project, prepare

if TYPE_CHECKING:
    from serving.scorer import Scorer

INTERRUPTED = 130
NOTHING_STORED = ("augment-preview", "faces", "score")
"""Commands that begin anew after an interruption."""

data = typer.Typer(help="Datasets: bring them into `data/`, see what is there.", no_args_is_help=True)
app = typer.Typer(
    help="From a folder of labelled videos to a deepfake detector that a team can trust.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    epilog="Exit codes: 0 done, 2 a mistake that the message names, 3 the gate failed, 130 interrupted.",
)
app.add_typer(data, name="data")


class Provider(StrEnum):
    """Where ONNX Runtime computes."""

    auto = "auto"
    cuda = "cuda"
    cpu = "cpu"


class Tracks(StrEnum):
    """Which of several faces are scored."""

    main = "main"
    all = "all"


Model = Annotated[str, typer.Option(help="Alias or version number in the MLflow registry.")]
BundleFolder = Annotated[
    Path | None, typer.Option(help="Score with this bundle instead of one from the registry.", metavar="DIR")
]
ProviderOption = Annotated[
    Provider, typer.Option(help="`cuda` fails rather than fall back; `auto` says which one it took.")
]
Workers = Annotated[int, typer.Option(help="Processes that decode and find faces; 0 is one per core.", min=0)]


@app.command("sample-data")
def sample_data(
    folder: Annotated[Path, typer.Argument(help="Where to write real/, fake/ and manifest.csv.")],
    people: Annotated[int, typer.Option(help="People to render, two clips each.", min=4)] = 72,
    frames: Annotated[int, typer.Option(help="Frames per clip, at 25 a second.", min=8)] = 24,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same files.")] = None,
    workers: Annotated[int, typer.Option(help="Processes that render; 0 is one per core.", min=0)] = 0,
) -> None:
    """Render talking heads and forgeries of them: no photograph of anyone.

    Half of the clips are genuine. The other half are forged by self-blending, face swap, flicker and a
    low-resolution generator; each forgery's mask stands beside it.
    """
    from components.synthesis import SampleSettings, generate

    chosen = {} if seed is None else {"seed": seed}
    generate(folder, SampleSettings(people=people, frames=frames, workers=workers, **chosen))


def layout_names(typed: str) -> list[str]:
    """For the shell's completion of --dataset."""
    from components.ingest.layouts import LAYOUTS

    return [name for name in LAYOUTS if name.startswith(typed.casefold())]


@data.command("add")
def data_add(
    source: Annotated[
        Path, typer.Argument(help="Folder of the dataset, as it was downloaded.", metavar="DIR")
    ],
    dataset: Annotated[
        str | None,
        typer.Option(
            help="How it is laid out; `unmask data list` names the ways. By default its shape tells.",
            metavar="LAYOUT",
            autocompletion=layout_names,
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Folder under data/; by default the layout's name.")
    ] = None,
    copy: Annotated[
        bool, typer.Option("--copy", help="Copy the files instead of linking them for DVC to take over.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what is there and would be brought.")
    ] = False,
) -> None:
    """Bring a dataset into `data/`, let DVC track it, and say what to commit.

    FaceForensics++, Celeb-DF, DFDC, DeeperForensics, class folders or a manifest: see docs/datasets.md.
    Several stand side by side, each in a folder of its own. A partial copy is taken as far as it goes. Run it
    again to bring what is new, or to go on after an interruption.
    """
    project = enter()
    from flows.data import add

    add(project, source, dataset, name, copy, dry_run)


@data.command("list")
def data_list() -> None:
    """Layouts that are known, and the datasets in `data/`."""
    project = enter()
    from flows.data import show

    show(project)


def recipes_like(typed: str) -> list[str]:
    """For the shell's completion of --recipe."""
    from components.params.recipes import recipe_names

    try:
        return [name for name in recipe_names(find_project().recipes) if name.startswith(typed)]
    except UnmaskError:
        return []


def candidates_like(typed: str) -> list[str]:
    """For the shell's completion of a candidate."""
    from components.params import load_params

    try:
        return [name for name in load_params(find_project().params).candidates if name.startswith(typed)]
    except UnmaskError:
        return []


@app.command()
def run(
    jobs: Annotated[int, typer.Option(help="Stages side by side; 0 chooses by the cores.", min=0)] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would run.")] = False,
    recipe: Annotated[
        str | None,
        typer.Option(
            help="Write a published system's settings into params.yaml first; `unmask recipes` names them.",
            metavar="NAME",
            autocompletion=recipes_like,
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="With --recipe: replace settings that are not committed, too.")
    ] = False,
) -> None:
    """Run the pipeline as a Prefect flow: stages, gate, export, registry.

    The stages are those of dvc.yaml; what has not changed is not run again. Interrupt it and run it again:
    it goes on where it was.

        unmask run --dry-run
        unmask run --recipe transformer_frozen --dry-run

    The second shows what a recipe would change in params.yaml, and which stages would run. Settings that are
    not committed are not replaced. More in docs/recipes.md.
    """
    if force and recipe is None:
        raise ParamsError("--force goes with --recipe NAME; what has not changed is never run again")
    project = enter()
    from components.params import load_params

    load_params(project.params)  # a mistake is told before a server starts or a plan is shown
    if recipe is not None:
        from flows.recipes import adopt, preview

        if dry_run:
            preview(project, recipe)
            return
        adopt(project, recipe, force)
    if dry_run:
        from flows.data import needs_pull
        from flows.graph import read_graph, stale_stages

        stages = read_graph(project.root)
        if needs_pull(project.root):
            typer.echo("pull  data, if the DVC remote holds what data.dvc names; then whatever has changed")
            return
        stale = stale_stages(project.root, stages)
        for stage in stages:
            typer.echo(f"{'run ' if stage.name in stale else 'keep'}  {stage.name}")
        return
    from flows.server import prefect_server

    with prefect_server(project):
        from flows.display import print_gate
        from flows.pipeline import training

        try:
            outcome = training(str(project.root), jobs)
        except GateError:
            print_gate(project.gate)
            raise
    typer.echo(f"{outcome.reason} (report: {project.reports / 'report.html'})")


@app.command()
def tune(
    candidate: Annotated[
        str, typer.Argument(help="A key of `candidates` in params.yaml.", autocompletion=candidates_like)
    ],
    trials: Annotated[
        int | None,
        typer.Option(help="So many more trials; by default up to `tune.trials` in all.", min=1),
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
) -> None:
    """Search for the settings with which a candidate does best on validation videos.

    Each trial is a training with other settings: the first with those of params.yaml, some at random, the
    others near what did well (TPE). One that falls behind is ended early. `tune` in params.yaml says what is
    searched, how long and by which metric. It needs the clips that `unmask run` cuts.

    Interrupt it and run it again: it goes on within the trial where it was. MLflow has a run for each trial,
    reports/tune/CANDIDATE the report. Test videos are never looked at. More in docs/tuning.md.

        unmask tune simple_cnn --dry-run
        unmask tune simple_cnn --trials 20 --apply
    """
    project = enter()
    from flows.tune import tune as search

    search(project, candidate, trials, jobs, dry_run, apply)


@app.command("augment-preview")
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
    forgeries of a genuine one by self-blending with their masks. It needs the clips that `unmask run` cuts.

        unmask augment-preview
        unmask augment-preview real/p003_a --candidate simple_cnn --out look.png
    """
    project = enter()
    from components.params import load_params
    from components.preview.augmentation import preview

    sheet = out or project.artifacts / "augmentation.png"
    preview(project, load_params(project.params), sheet, videos or (), candidate, rows, seed)
    typer.echo(sheet)


@app.command()
def recipes() -> None:
    """Settings of published systems that `unmask run --recipe` can apply."""
    project = enter()
    from flows.recipes import show

    show(project)


@app.command()
def score(
    sources: Annotated[list[Path], typer.Argument(help="Videos, or folders of videos.")],
    model: Model = "champion",
    bundle: BundleFolder = None,
    provider: ProviderOption = Provider.auto,
    workers: Workers = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per video and line.")] = False,
    output: Annotated[
        Path | None, typer.Option(help="Also write a table: .parquet or .csv.", metavar="FILE")
    ] = None,
) -> None:
    """Score videos: a verdict, a probability of fake and a status for each.

    A video without a score (no face, not decodable …) is `undetermined` and says why; it never gets a
    made-up probability, and it never stops the others.
    """
    from flows.display import check_output, print_scores, write_scores
    from serving.videos import find_videos

    check_output(output)
    videos = find_videos(sources)
    with open_for(bundle, model, provider, workers) as scorer:
        scores = list(scorer.score(videos, progress=sys.stderr.isatty()))
    if output is not None:
        write_scores(scores, output)
    if as_json:
        for row in scores:
            typer.echo(row.model_dump_json())
    else:
        print_scores(scores, scorer.bundle.info.threshold)


@app.command()
def faces(
    sources: Annotated[list[Path], typer.Argument(help="Videos, or folders of videos.", metavar="VIDEO")],
    sheet: Annotated[
        Path | None,
        typer.Option(
            help="Also draw the frames with their boxes, and the crops: a .png, of up to 24 videos.",
            metavar="FILE",
        ),
    ] = None,
    tracks: Annotated[
        Tracks | None, typer.Option(help="Which faces are scored, instead of what the policy says.")
    ] = None,
    frames: Annotated[
        int | None, typer.Option(help="Look at so many frames, spread evenly.", min=1, max=512)
    ] = None,
    params: Annotated[
        Path | None, typer.Option(help="Take the policy from this params.yaml.", metavar="FILE")
    ] = None,
    bundle: Annotated[
        Path | None, typer.Option(help="Take policy and detector from this bundle.", metavar="DIR")
    ] = None,
    workers: Workers = 0,
) -> None:
    """Show what the pipeline sees in videos: sampled frames, faces told apart, which of them are scored.

    Where a score surprises you, look here first: is it the right face, is it there for long enough, is the
    crop sharp? The policy is that of the project's params.yaml, or the built-in one outside of a project.
    Nothing is stored. What a sheet shows is told in docs/faces.md.

        unmask faces talk.mp4 --sheet talk.png
        unmask faces panel.mp4 --tracks all --frames 32 --sheet panel.png
    """
    from flows.faces import print_view, setup, view
    from serving.videos import find_videos, printable

    videos = find_videos(sources)
    with ExitStack() as stack:
        partial = None
        if sheet is not None:
            from flows.sheet import reserved, write_sheet

            partial = stack.enter_context(reserved(sheet, len(videos)))
        asked = setup(bundle, params, tracks.value if tracks else None, frames)
        names = [printable(video) for video in videos]
        views = stack.enter_context(closing(view(videos, names, asked, workers, partial is not None)))
        kept = []
        for viewed in views:
            print_view(viewed, asked.policy)
            kept += [viewed] if partial else []
        if partial is not None:
            write_sheet(partial, kept)
    if sheet is not None:
        typer.echo(f"\n{sheet}")


@app.command()
def batch(
    source: Annotated[Path, typer.Argument(help="Folder of videos.")],
    output: Annotated[Path, typer.Option(help="Folder for the scores, one row per video.", metavar="DIR")],
    model: Model = "champion",
    bundle: BundleFolder = None,
    provider: ProviderOption = Provider.auto,
    workers: Workers = 0,
    shard_size: Annotated[int, typer.Option(help="Videos per Parquet shard.", min=1)] = 16,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how much there is to do.")] = False,
) -> None:
    """Score a library of videos as a Prefect flow: sharded, resumable, one row per video and model version.

    Run it again after an interruption, or when videos were added: only what is missing or changed is scored.
    """
    project = enter()
    from flows.server import prefect_server

    if dry_run:
        from flows.score import pending

        typer.echo(pending(project, source, output, model, bundle, shard_size))
        return
    with prefect_server(project):
        from flows.score import batch_scoring

        summary = batch_scoring(
            source=str(source.resolve()),
            output=str(output.resolve()),
            project=str(project.root),
            model=model,
            bundle=str(bundle.resolve()) if bundle else None,
            provider=provider.value,
            workers=workers,
            shard_size=shard_size,
        )
    counts = ", ".join(f"{count} {verdict}" for verdict, count in summary.verdicts.items())
    typer.echo(f"{summary.videos} videos: {counts} ({output / 'scores.csv'})")


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65535)
    ] = 8000,
    model: Model = "champion",
    bundle: BundleFolder = None,
    provider: ProviderOption = Provider.auto,
    workers: Workers = 0,
) -> None:
    """Serve the champion: POST /v1/videos:score, /health/live, /health/ready, /docs."""
    from serving.api.server import serve as serve_api

    serve_api(
        host,
        port,
        provider=provider.value,
        workers=workers,
        alias=model,
        bundle=bundle,
        project=registry_project() if bundle is None else None,
    )


@app.command()
def up(
    prefect_port: Annotated[int, typer.Option(help="Prefect's UI.", min=1, max=65535)] = 4200,
    mlflow_port: Annotated[int, typer.Option(help="MLflow's UI.", min=1, max=65535)] = 5000,
    api_port: Annotated[int, typer.Option(help="The scoring API.", min=1, max=65535)] = 8000,
    page_port: Annotated[int, typer.Option(help="The web page.", min=1, max=65535)] = 8501,
) -> None:
    """Start Prefect's and MLflow's UIs, the API and the page on 127.0.0.1; Ctrl-C ends them all."""
    project = enter()
    from flows.up import run_services

    run_services(project, prefect_port, mlflow_port, api_port, page_port)


@app.command()
def demo() -> None:
    """Everything once, on sample data: render, train, register, batch-score. What `make demo` runs."""
    project = enter()
    from flows.demo import run_demo

    run_demo(project)


def enter() -> Project:
    """Find the project and prepare the environment for what it imports."""
    project = find_project()
    prepare(project)
    return project


def open_for(bundle: Path | None, model: str, provider: Provider, workers: int) -> "Scorer":
    """The scorer that the options of a command ask for."""
    from serving.champion import open_scorer

    project = registry_project() if bundle is None else None
    return open_scorer(bundle, provider=provider.value, workers=workers, alias=model, project=project)


def registry_project() -> Project:
    """The project whose registry is asked; any folder will do where `MLFLOW_TRACKING_URI` names a server."""
    try:
        project = find_project()
    except UnmaskError:
        if "MLFLOW_TRACKING_URI" not in os.environ:
            raise
        project = Project(Path.home() / ".cache" / "unmask")
    prepare(project)
    return project


def main() -> None:
    """Entry point: a mistake that a user can mend ends in one line and its exit code, never a traceback."""
    # Which provider was taken, which damaged shard is scored again, that a detector is converted.
    for name in ("serving", "components.providers", "components.export.detector"):
        told = logging.getLogger(name)
        told.setLevel(logging.INFO)
        told.addHandler(logging.StreamHandler())
    try:
        app()
    except UnmaskError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except SystemExit as ended:
        if ended.code == INTERRUPTED:
            goes_on = sys.argv[1:2] and sys.argv[1] not in NOTHING_STORED
            typer.echo(f"interrupted{'; run the same command again to go on' if goes_on else ''}", err=True)
        raise


if __name__ == "__main__":
    main()
