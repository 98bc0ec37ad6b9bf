"""`unmask demo`: everything once, on sample data, in one command with one Prefect server."""

import time
from typing import TYPE_CHECKING

import typer

from components.project import Project
from flows.data import track_with_dvc
from flows.locks import project_lock
from flows.server import prefect_server

if TYPE_CHECKING:
    from flows.promote import Promotion
    from serving.batch.store import BatchSummary


def run_demo(project: Project) -> None:
    """Renders sample data, trains, registers, batch-scores; done before is not done again.

    Raises:
        UnmaskError: whatever a step raises.
    """
    began = time.monotonic()
    with project_lock(project):  # the training flow asks for it again, and gets it
        step("Sample data", f"procedurally rendered people in {project.data}")
        make_data(project)
        outcome, summary = run_flows(project)
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in summary.verdicts.items())
    typer.echo(
        WHERE.format(reason=outcome.reason, root=project.root, verdicts=verdicts, count=summary.videos)
    )
    typer.echo(f"Done in {time.monotonic() - began:.0f} s.")


def run_flows(project: Project) -> tuple["Promotion", "BatchSummary"]:
    """Trains, and scores the sample data with the champion."""
    scores = project.root / "scores"
    with prefect_server(project):
        from flows.pipeline import training
        from flows.score import batch_scoring

        step("Pipeline", "Prefect runs the stages of dvc.yaml")
        outcome = training(str(project.root))
        step("Batch scoring", f"{project.data} with the champion, into {scores}")
        return outcome, batch_scoring(source=str(project.data), output=str(scores), project=str(project.root))


WHERE = """
{reason}
{count} videos batch-scored: {verdicts}

  Report       {root}/reports/report.html
  Data Docs    {root}/reports/validation/data_docs/index.html
  Bundle       {root}/artifacts/bundle/MODEL_CARD.md
  Scores       {root}/scores/scores.csv

  make up      Prefect's UI (127.0.0.1:4200), MLflow's UI (127.0.0.1:5000), the API (127.0.0.1:8000/docs)
               and the page (127.0.0.1:8501)
  .venv/bin/unmask score VIDEO …      verdicts for your own videos
"""


def make_data(project: Project) -> None:
    """Renders the sample data where `data/` is empty, and lets DVC track it.

    Someone's own videos are left alone: the demo then runs on them.

    Raises:
        StageError: DVC could not track the folder.
    """
    from sample import generate
    from sample.dataset import MANIFEST, SAMPLE_MARKER

    used = project.data.is_dir() and any(project.data.iterdir())
    if used and not (project.data / SAMPLE_MARKER).is_file():
        typer.echo(f"{project.data} holds your own videos: they are used")
        return
    if not (project.data / MANIFEST).is_file():
        generate(project.data)
    track_with_dvc(project.root, quiet=True)


def step(name: str, what: str) -> None:
    """Says which part of the demo begins."""
    typer.secho(f"\n── {name}: {what}", bold=True)
