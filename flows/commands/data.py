"""Data: the sample, and datasets that are brought in."""

from pathlib import Path
from typing import Annotated

import typer

from flows.commands.options import enter


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
    from sample import SampleSettings, generate

    chosen = {} if seed is None else {"seed": seed}
    generate(folder, SampleSettings(people=people, frames=frames, workers=workers, **chosen))


def layout_names(typed: str) -> list[str]:
    """For the shell's completion of --dataset."""
    from components.datasets.layouts import LAYOUTS

    return [name for name in LAYOUTS if name.startswith(typed.casefold())]


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
    allow_missing: Annotated[
        bool,
        typer.Option(
            "--allow-missing",
            help="Go on where many of the listed videos are not found (validate.warn_lost_share).",
        ),
    ] = False,
) -> None:
    """Bring a dataset into `data/`, let DVC track it, and say what to commit.

    A published dataset, class folders or a manifest: `unmask data list` names the layouts, docs/datasets.md
    describes them. Several stand side by side, each in a folder of its own. A partial copy is taken as far as
    it goes. Run it again to bring what is new, or to go on after an interruption.
    """
    project = enter()
    from flows.data import add

    add(project, source, dataset, name, copy, dry_run, allow_missing)


def data_list() -> None:
    """Layouts that are known, and the datasets in `data/`."""
    project = enter()
    from flows.data import show_data

    show_data(project)
