"""`unmask data`: bring datasets into `data/`, and keep `data/` in DVC."""

import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import yaml
from rich.console import Console
from rich.filesize import decimal
from rich.progress import track
from rich.table import Table
from rich.text import Text

from components.datasets.adding import AddingPlan, bring, check_complete, make_plan
from components.datasets.found import Dataset, list_datasets
from components.datasets.layouts import LABELS, LAYOUTS
from components.datasets.layouts.base import Entry
from components.datasets.spellings import Names
from components.errors import DataError, StageError
from components.params import load_params
from components.printable import printable, some
from components.project import Project
from flows.children import child
from flows.graph import check_merged, repository, resolve_once, run_dvc
from flows.paths import print_table

NO_VIDEOS = (
    "no videos there; add a dataset with `unmask data add DIR`, put videos under data/real and data/fake, "
    "or make sample videos with `unmask sample-data data`"
)


def add(
    project: Project,
    source: Path,
    layout: str | None,
    name: str | None,
    copy: bool,
    dry_run: bool,
    allow_missing: bool = False,
) -> None:
    """Links a dataset into `data/`, lets DVC track it, and says what to commit.

    Raises:
        DataError: the folder holds no dataset, its place is taken, or, unless that is allowed, it lacks more
            of the videos that it lists than `validate.warn_lost_share`.
        ParamsError: params.yaml cannot be read.
        StageError: DVC cannot track it.
    """
    console = Console(stderr=True, emoji=False)
    plan = make_plan(source, project.data, layout, name)
    print_table(datasets_table([plan.dataset]), console)
    for line in notes(plan):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    if not allow_missing:
        check_complete(plan, load_params(project.params).validate_.warn_lost_share)
    if dry_run:
        console.print(f"dry run: nothing was written; {plan.target} would get {len(plan.missing)} files")
        return
    verb, total = "Copying" if copy else "Linking", len(plan.missing)
    for _ in track(bring(plan, copy), total=total, description=verb, console=console, disable=not total):
        pass
    track_with_dvc(project.root)
    remote = "" if remote_of(project.root) else f"\n{FIRST_REMOTE}"
    console.print(
        NEXT.format(name=plan.target.name, remote=remote), markup=False, highlight=False, soft_wrap=True
    )


NEXT = """
{name} is tracked. To keep this version of the data:
  git add data.dvc && git commit -m "Add {name}"{remote}
  dvc push
To go on:
  dvc repro validate      # splits, audit and checks: reports/splits.json, reports/validation/data_docs/
  git add dvc.lock reports && git commit -m "Splits"     # reports/splits.lock keeps everybody where they are
  unmask run              # the whole pipeline"""


FIRST_REMOTE = "  dvc remote add --default storage DIR  # once: a folder on another disk, or s3://BUCKET/…"


def show_data(project: Project) -> None:
    """Prints the layouts that are known and the datasets that `data/` holds.

    Raises:
        DataError: there is no `data/`, or a list in it cannot be understood.
    """
    console = Console()
    table = Table("layout", "what it reads", title="Layouts", title_justify="left")
    for layout in LAYOUTS.values():
        table.add_row(layout.NAME, layout.TITLE)
    print_table(table, console)
    if project.data.is_dir():
        print_table(datasets_table(list_datasets(project.data)), console)
    else:
        console.print("data/ is not there yet")


def datasets_table(datasets: Sequence[Dataset]) -> Table:
    """Returns a row per dataset: what its layout found in it."""
    table = Table(title="Datasets", title_justify="left")
    for column in ("dataset", "layout", "real", "fake", "unlabelled", "own splits", "methods"):
        table.add_column(column, no_wrap=column in {"dataset", "layout"})
    for dataset in datasets:
        entries = dataset.listing.entries
        counts = [str(sum(entry.label == label for entry in entries)) for label in ("real", "fake", None)]
        cells = (printable(dataset.name), dataset.layout, *counts, splits_of(entries), methods_of(entries))
        table.add_row(*map(Text, cells))
    return table


def splits_of(entries: Sequence[Entry]) -> str:
    """Returns what the dataset's own lists prescribe, with counts."""
    counts = Counter(entry.split for entry in entries if entry.split)
    return ", ".join(f"{split} {counts[split]}" for split in sorted(counts)) or "none"


def methods_of(entries: Sequence[Entry]) -> str:
    """Returns the forgery methods, the most common first."""
    counts = Counter(entry.method for entry in entries if entry.label == "fake")
    return some([method for method, _ in counts.most_common()]) or "none"


def notes(plan: AddingPlan) -> Iterator[str]:
    """Yields lines for a person: what is missing or odd in the dataset, and how much there is to bring."""
    entries = plan.dataset.listing.entries
    yield from plan.dataset.listing.notes
    names = Names()
    for entry in entries:
        names.unified(entry)
    yield from names.notes()
    for label in LABELS:
        if not any(entry.label == label for entry in entries):
            yield f"no {label} videos: another dataset has to bring them"
    if unnamed := sum(not entry.identities for entry in entries):
        yield f"{unnamed} of {len(entries)} videos name nobody; a manifest.csv can (docs/datasets.md)"
    unreadable = [path for path in plan.unreadable if plan.dataset.tree.holds(path)]
    if unreadable:
        yield f"{len(unreadable)} files cannot be read and are left out: {some(unreadable)}"
    if plan.gone:
        yield f"{len(plan.gone)} files in data/ that the dataset has no more stay: {some(list(plan.gone))}"
    there = f", {plan.present} are there already" if plan.present else ""
    yield f"{len(plan.missing)} files to bring to {plan.target} ({decimal(plan.bytes)}){there}"


def track_with_dvc(root: Path, quiet: bool = False) -> None:
    """`dvc add data`, with DVC's own progress bars.

    Raises:
        StageError: DVC could not track the folder.
    """
    resolve_once(Project(root))
    command = [sys.executable, "-m", "dvc", "--wait-for-lock", "add", *(["--quiet"] if quiet else []), "data"]
    # DVC's bars and errors go to standard error; what it prints are hints that `NEXT` spells out.
    with child(command, cwd=root, stdout=subprocess.DEVNULL) as process:
        code = process.wait()
    if code:
        check_merged(root)
        raise StageError(f"dvc add data: ended with {code}; its own words stand above")


def needs_pull(root: Path) -> bool:
    """Tells whether `data/` has to be brought from the remote first, or an interrupted pull be ended.

    Raises:
        DataError: there are no videos, and no remote to bring them from.
    """
    data = root / "data"
    if _holds_files(data) and not _pulling(root).exists():
        return False
    if not _names_videos(root / "data.dvc") or remote_of(root) is None:
        raise DataError(f"{data}: {NO_VIDEOS}")
    return True


def _names_videos(tracked: Path) -> bool:
    """Tells whether data.dvc says which videos it stands for; that of a fresh project does not yet."""
    if not tracked.is_file():
        return False
    outs = yaml.safe_load(tracked.read_text(encoding="utf-8")).get("outs", [])
    return any("md5" in out for out in outs)


def pull(root: Path, relay: Callable[[str], None]) -> None:
    """`dvc pull data.dvc`: the videos that this commit names, from the remote.

    Raises:
        DataError: the remote does not hold them, or cannot be reached.
    """
    mark = _pulling(root)
    mark.parent.mkdir(exist_ok=True)
    mark.touch()  # stays where this is killed: half of the data must not pass for all of it
    try:
        run_dvc(["pull", "data.dvc"], root, relay)
    except StageError as error:
        problem = str(error).removeprefix("dvc pull data.dvc: ")
        if not _holds_files(root / "data"):
            mark.unlink()
        raise DataError(
            f"{root / 'data'}: {NO_VIDEOS}; "
            f"the DVC remote {remote_of(root)!r} lacks what data.dvc names ({problem})"
        ) from error
    mark.unlink()


def _holds_files(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())


def _pulling(root: Path) -> Path:
    return root / ".unmask" / "pulling"


def remote_of(root: Path) -> str | None:
    """Names of the project's default DVC remote."""
    with repository(root) as repo:
        name = repo.config["core"].get("remote")
    return str(name) if name else None
