"""The stage `ingest`: from a folder of datasets to the manifest."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from components.cores import cores
from components.datasets.found import Dataset, read_datasets
from components.datasets.spellings import Names
from components.faces.pool import WorkerPool
from components.files import write_text
from components.ingest.examination import Examination, File, Inspected, locate
from components.ingest.examined import ExaminedStore, examining_digest, open_store
from components.ingest.manifest import ListedVideo, make_rows, make_samples
from components.ingest.quarantine import quarantine
from components.ingest.seal import make_seal
from components.ingest.summary import DatasetSummary, lines, splits_table, summarise_dataset
from components.params import Params
from components.project import Project
from components.splits.assignment import assign, assigned_identities
from components.splits.audit import find_leaks, find_tangle
from components.splits.lock import read_lock, write_lock
from components.tables import MANIFEST, iterate, to_table, write_table


def run(project: Project, params: Params, workers: int = 0) -> None:
    """Lists the videos, examines the new and changed ones, assigns them to splits, and writes the manifest.

    What a run finds out about a file is kept in `.unmask/examined.sqlite` as it goes, so that an interrupted
    run is taken up again, and the next one opens only what has changed.

    Args:
        project: whose data folder is read.
        params: limits of a video, and how groups are assigned to splits.
        workers: processes that open videos; 0 takes one per core.

    Raises:
        DataError: there are no videos, one class is missing, or a dataset's own lists cannot be understood.
        StageError: what earlier runs have found out can be neither read nor written.
    """
    console = Console(stderr=True, emoji=False)
    datasets = read_datasets(project.data)
    files = list(_files(datasets, project.data))
    outputs = (project.manifest, project.splits, project.splits_lock, project.quarantine)
    with open_store(project.examined) as store:
        if store.seal and store.seal == make_seal(datasets, files, params, outputs):
            _say(console, f"{len(files)} videos, nothing changed: {project.manifest} stands as it is")
            return
        inspected = _examine(project.data, files, store, params, workers or cores(), console)
        summary = _write(project, datasets, _videos(datasets, inspected), params, console)
        lasting = all(inspection.lasting for inspection in inspected)
        store.seal = make_seal(datasets, files, params, outputs) if lasting else None
    console.print(splits_table(summary))
    _say(console, *lines(summary))


def _files(datasets: Sequence[Dataset], data: Path) -> Iterator[File]:
    for dataset in datasets:
        cut = len(dataset.tree.inside(""))
        for entry in dataset.listing.entries:
            yield locate(data, entry.path, dataset.tree.files.get(entry.path[cut:]))


def _examine(
    data: Path, files: Sequence[File], store: ExaminedStore, params: Params, workers: int, console: Console
) -> list[Inspected]:
    """Returns what each file holds; only files that are new or have changed are opened."""
    with _progress(console) as progress:
        task = progress.add_task("Examining", total=None)
        digest = examining_digest(params.limits)
        examination = Examination(data, store, digest, lambda: progress.advance(task))
        remembered = [examination.remembered(file) for file in files]
        fresh = [file for file, record in zip(files, remembered, strict=True) if record is None]
        progress.update(task, total=len(fresh))
        try:
            with WorkerPool(workers, params.limits) as pool:
                opened = iter(examination.inspect(fresh, pool, threads=workers))
        except KeyboardInterrupt:
            left = len(fresh) - int(progress.tasks[task].completed)
            _say(console, f"{left} of {len(files)} videos are left to examine; the same command goes on")
            raise
    store.prune({file.path for file in files})
    return [record or next(opened) for record in remembered]


def _videos(datasets: Sequence[Dataset], inspected: Sequence[Inspected]) -> list[ListedVideo]:
    entries = ((dataset.name, entry) for dataset in datasets for entry in dataset.listing.entries)
    return [
        ListedVideo(name, entry, inspection.content, inspection.result)
        for (name, entry), inspection in zip(entries, inspected, strict=True)
    ]


def _write(
    project: Project,
    datasets: Sequence[Dataset],
    videos: Sequence[ListedVideo],
    params: Params,
    console: Console,
) -> DatasetSummary:
    """Assigns the videos to splits and writes all outputs, the manifest last."""
    lock = read_lock(project.splits_lock, params.ingest)
    _say(console, *filter(None, [lock.notice]))
    by_looks, names = params.ingest.near_duplicates == "tie", Names()
    pairs = make_samples(videos, names, by_looks)
    samples = [sample for _, sample in pairs]
    assignments = assign(
        samples, params.ingest, lock.adopting(names.ways_of_people()), params.validate_.min_videos_per_class
    )
    folder = project.data.relative_to(project.root).as_posix()
    manifest = to_table(make_rows(pairs, assignments, folder), MANIFEST)
    leaks, tangle = find_leaks(iterate(manifest)), find_tangle(iterate(manifest))
    summary = summarise_dataset(iterate(manifest), datasets, leaks, tangle, by_looks, names.notes())
    write_text(json.dumps(summary, indent=2) + "\n", project.splits)
    write_text(quarantine(iterate(manifest)), project.quarantine)
    write_lock(project.splits_lock, params.ingest, lock.extended(assigned_identities(samples, assignments)))
    write_table(manifest, MANIFEST, project.manifest)
    return summary


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console)


def _say(console: Console, *told: str) -> None:
    for line in told:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
