"""Scoring: videos one by one, a library of them, and what the detector sees in them."""

import sys
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Annotated

import typer

from flows.commands.options import (
    BundleFolder,
    Model,
    Provider,
    ProviderOption,
    Tracks,
    Workers,
    enter,
    open_for,
)


def score(
    sources: Annotated[list[Path], typer.Argument(help="Videos or pictures, or folders of videos.")],
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

    A folder of pictures is one clip. A picture that is named is scored as one frame: weaker evidence.

    A video without a score (no face, not decodable …) is `undetermined` and says why; it never gets a
    made-up probability, and it never stops the others.
    """
    from flows.display import check_output, print_scores, write_scores

    check_output(output)
    videos = _find(sources)
    with open_for(bundle, model, provider, workers) as scorer:
        scores = list(scorer.score(videos, progress=sys.stderr.isatty()))
    if output is not None:
        write_scores(scores, output)
    if as_json:
        for row in scores:
            typer.echo(row.model_dump_json())
    else:
        print_scores(scores, scorer.bundle.info.threshold)


def _find(sources: list[Path]) -> tuple[Path, ...]:
    """The videos that are named, or lie in a folder that is; what is left out is told on standard error."""
    from serving.videos import find_videos

    library = find_videos(sources)
    for line in library.left_out:
        typer.echo(line, err=True)
    return library.videos


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
    from components.printable import printable
    from flows.faces import print_view, setup, view

    videos = _find(sources)
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
    with prefect_server(project, registry=bundle is None):
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
