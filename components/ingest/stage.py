"""The stage `ingest`: from a folder of videos to the manifest."""

import os
from collections.abc import Sequence

from rich.console import Console
from rich.progress import Progress

from components.faces.clip import Failure
from components.faces.policy import Limits
from components.faces.pool import WorkerPool
from components.faces.video import VideoInfo
from components.ingest.content import Content, hash_files
from components.ingest.groups import audit
from components.ingest.layouts import Entry, read_listing
from components.ingest.manifest import Video, make_rows, summary
from components.params import Params
from components.project import Project
from components.tables import MANIFEST, write_table


def run(project: Project, params: Params, workers: int = 0) -> None:
    """List, hash and probe the videos, deal them to splits, audit that, and write the manifest.

    Args:
        project: whose data folder is read.
        params: limits of a video, and how groups are dealt to splits.
        workers: processes that open videos; 0 takes one per core.

    Raises:
        DataError: there are no videos, one class is missing, or manifest.csv contradicts itself.
        LeakageError: prescribed splits put a person on both sides.
    """
    console = Console(stderr=True)
    listing = read_listing(project.data)
    videos = _examine(project, listing.entries, params.limits, workers or os.cpu_count() or 1, console)
    rows = make_rows(videos, project.data.relative_to(project.root).as_posix(), params.ingest)
    audit(rows)
    write_table(rows, MANIFEST, project.manifest)
    for line in (*listing.notes, *summary(rows)):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _examine(
    project: Project, entries: Sequence[Entry], limits: Limits, workers: int, console: Console
) -> list[Video]:
    """Hash and probe each entry's file; what cannot be read is not opened a second time."""
    paths = [project.data / entry.path for entry in entries]
    with Progress(console=console) as progress:
        hashing = hash_files(paths, threads=workers)
        contents = list(progress.track(hashing, total=len(paths), description="Hashing"))
        results: dict[int, VideoInfo | Failure] = {
            index: content for index, content in enumerate(contents) if isinstance(content, Failure)
        }
        readable = [index for index in range(len(paths)) if index not in results]
        with WorkerPool(workers, limits) as pool:
            probing = pool.probe([paths[index] for index in readable])
            for position, result in progress.track(probing, total=len(readable), description="Probing"):
                results[readable[position]] = result
    return [
        Video(entry, content if isinstance(content, Content) else None, results[index])
        for index, (entry, content) in enumerate(zip(entries, contents, strict=True))
    ]
