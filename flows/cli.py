"""The `unmask` command: its parts in the order in which `--help` shows them, and how it ends."""

import logging
import sys

import typer

from components.errors import UnmaskError, full_disk
from flows.commands import data, scoring, services, training
from flows.interruption import INTERRUPTED

NOTHING_STORED = ("augment-preview", "faces", "score")
"""Commands that begin anew after an interruption."""

app = typer.Typer(
    help="From a folder of labelled videos to a deepfake detector that a team can trust.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    epilog="Exit codes: 0 done, 2 a mistake that the message names, 3 the gate failed, 130 interrupted.",
)
app.command("sample-data")(data.sample_data)
app.command()(training.run)
app.command()(training.tune)
app.command("augment-preview")(training.augment_preview)
app.command()(training.recipes)
app.command()(scoring.score)
app.command()(scoring.faces)
app.command()(scoring.batch)
app.command()(services.serve)
app.command()(services.up)
app.command()(services.demo)

datasets = typer.Typer(help="Datasets: bring them into `data/`, see what is there.", no_args_is_help=True)
datasets.command("add")(data.data_add)
datasets.command("list")(data.data_list)
app.add_typer(datasets, name="data")


def main() -> None:
    """Entry point: a mistake that a user can mend ends in one line and its exit code, never a traceback."""
    # Which provider was taken, which damaged shard is scored again, that a detector is converted.
    for name in ("serving", "components.providers", "components.export.detector"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.INFO)
        logger.addHandler(logging.StreamHandler())
    try:
        app()
    except UnmaskError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except Exception as error:
        if not (message := full_disk(error)):
            raise
        typer.echo(f"error: {message}", err=True)
        sys.exit(UnmaskError.exit_code)
    except SystemExit as ended:
        if ended.code == INTERRUPTED:
            goes_on = sys.argv[1:2] and sys.argv[1] not in NOTHING_STORED
            typer.echo(f"interrupted{'; run the same command again to go on' if goes_on else ''}", err=True)
        raise


if __name__ == "__main__":
    main()
