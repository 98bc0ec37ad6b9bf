"""The stage `compute_statistics`: what the data are, for people, for DVC's plots and for the page."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import track

from components.documents import write_document
from components.faces.clip import Failure
from components.faces.pool import WorkerPool
from components.ingest.statistics.contact_sheet import (
    StillOrReason,
    StillStrip,
    choose_strips,
    draw_contact_sheet,
)
from components.ingest.statistics.figures import draw_balance, draw_formats, draw_methods
from components.ingest.statistics.results import Statistics
from components.ingest.statistics.statistics import compute_statistics
from components.ingest.statistics.tables import write_tables
from components.params import Params
from components.project import Project
from components.tables import MANIFEST, read_table
from components.video.limits import Limits

TELLING = 0.6
"""A property that tells the classes apart better than this, beyond its margin, is worth a warning."""


def run(project: Project, params: Params, workers: int = 0) -> None:
    """Describes the manifest into `reports/dataset`: `statistics.json`, tables, figures, a contact sheet.

    Args:
        project: whose manifest is read, and whose videos the contact sheet shows.
        params: what one video may cost.
        workers: processes that open videos; 0 takes one per core.

    Raises:
        StageError: there is no manifest.
    """
    rows = read_table(project.manifest, MANIFEST)
    folder = project.reports / "dataset"
    statistics = compute_statistics(rows)
    write_document(statistics, folder / "statistics.json")
    write_tables(statistics, folder)
    draw_balance(statistics, folder / "figures" / "balance.png")
    draw_methods(statistics, folder / "figures" / "methods.png")
    draw_formats(statistics, folder / "figures" / "formats.png")
    strips = choose_strips(rows)
    del rows  # of 100,000 videos, before processes are started
    pictures = read_stills(project.root, strips, params.limits, workers or min(os.cpu_count() or 1, 4))
    draw_contact_sheet(strips, pictures, folder / "contact_sheet.png")
    for line in (*giveaways(statistics), f"described {statistics.total.videos:,} videos; see {folder}"):
        sys.stderr.write(f"{line}\n")


def read_stills(
    root: Path, strips: Sequence[StillStrip], limits: Limits, workers: int
) -> dict[str, StillOrReason]:
    """Returns a frame of each video on the strips, by video id, or the reason why there is none."""
    shown = [row for strip in strips for row in strip.shown]
    pictures: dict[str, StillOrReason] = {}
    with WorkerPool(workers, limits) as pool:
        stills = pool.stills([root / row["path"] for row in shown])
        for index, outcome in track(stills, "Stills", len(shown), console=Console(stderr=True)):
            picture = outcome.reason if isinstance(outcome, Failure) else outcome.image
            pictures[shown[index]["video_id"]] = picture
    return pictures


def giveaways(statistics: Statistics) -> list[str]:
    """Returns a line per property of the files that gives the label away."""
    return [
        f"warning: the {name} of a file alone tells real from fake for {form.shortcut.accuracy:.0%} of the "
        f"videos held out (chance: 50%); a detector may learn it in place of the forgery"
        for name, form in statistics.formats.items()
        if form.shortcut and form.shortcut.accuracy - form.shortcut.margin > TELLING
    ]
