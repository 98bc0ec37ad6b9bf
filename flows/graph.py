"""The stage graph, read from dvc.yaml, and the running of one stage. DVC owns both graph and cache.

Not named after DVC: Prefect puts the folder of a flow's file first on `sys.path`, and there it would hide
the package.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from components.errors import StageError
from components.merges import conflict
from components.project import Project
from flows.children import child, ending
from flows.locks import DVC_RWLOCK, to_stderr, wait_for_dvc, wait_for_processes

if TYPE_CHECKING:
    from dvc.repo import Repo

T = TypeVar("T")

RESOLVE = "resolve"
"""The stage that writes every setting with its value."""

HINTS = ("To track the changes", "git add", "To enable auto staging", "dvc config", "Use `dvc push`")
"""What DVC says after every stage; in the log of a flow it would drown the rest."""

BLOCKER = re.compile(r"\(PID (\d+)\): (.+?)(?= \(PID |$)")
"""Who uses what a stage needs, in DVC's message."""

BUSY = re.compile(
    r"is busy, it is being blocked by:|^ +\(PID \d+\): |^If there are no processes with such PIDs"
)
"""That message, which a line of our own replaces."""


@dataclass(frozen=True)
class Stage:
    """One stage of the graph, with the stages that must end before it."""

    name: str
    upstream: tuple[str, ...]


def read_graph(root: Path) -> list[Stage]:
    """Returns all stages of a project, each after those that it needs; foreach stages come expanded.

    Raises:
        StageError: DVC cannot read the project.
    """
    import networkx

    with repository(root) as repo:
        graph = repo.index.graph
        # DVC's edges point from a stage to what it needs. A sort by name makes the order the same every time.
        order = networkx.lexicographical_topological_sort(graph.reverse(), key=lambda stage: stage.addressing)
        return [
            Stage(stage.addressing, tuple(sorted(need.addressing for need in graph.successors(stage))))
            for stage in order
        ]


def stale_stages(root: Path, stages: Sequence[Stage]) -> set[str]:
    """The stages that DVC says have changed, and everything downstream of them. One status call for all.

    What is downstream of the settings is compared with their values, which stand in the file already: another
    comment in params.yaml makes nothing stale but the stage that reads it.

    Raises:
        StageError: DVC cannot tell.
    """

    def changed() -> set[str]:
        with repository(root) as repo:
            return set(repo.status())

    stale = unblocked(changed, root, to_stderr)
    return with_downstream(stale - {RESOLVE}, stages) | (stale & {RESOLVE})


def with_downstream(changed: Collection[str], stages: Sequence[Stage]) -> set[str]:
    """Adds to `changed` every stage that comes after one of them; `stages` must be in order."""
    stale = set(changed)
    for stage in stages:
        if stale.intersection(stage.upstream):
            stale.add(stage.name)
    return stale


def downstream(name: str, stages: Sequence[Stage]) -> set[str]:
    """Returns every stage that needs `name`, directly or not."""
    return with_downstream({name}, stages) - {name}


def run_stage(name: str, root: Path, relay: Callable[[str], None]) -> None:
    """Reproduce one stage in a child process and relay its lines.

    `--wait-for-lock` stands before the subcommand: stages that run side by side wait for DVC's lock.

    Raises:
        StageError: the stage failed; carries the stage's own one-line message where it printed one.
    """
    run_dvc(["repro", "--single-item", name], root, relay, subject=f"stage {name}")


def run_dvc(arguments: Sequence[str], root: Path, relay: Callable[[str], None], subject: str = "") -> None:
    """Runs a DVC command in a child process and relays its lines; it waits for DVC's lock.

    What another DVC command uses is waited for, too.

    Raises:
        StageError: it failed; carries what it first marked as an error, after `subject`.
    """
    resolve_once(Project(root))
    command = ["dvc", "--wait-for-lock", *arguments]
    unblocked(lambda: relayed(command, root, relay, subject or f"dvc {' '.join(arguments)}"), root, relay)


def unblocked(action: Callable[[], T], root: Path, say: Callable[[str], None]) -> T:
    """Do what another DVC command may be in the way of: wait for that one, after a line, and do it then.

    Raises:
        StageError: it cannot be done for another reason.
    """
    while True:
        try:
            return action()
        except StageError as error:
            blockers = [(int(pid), command) for pid, command in BLOCKER.findall(str(error))]
            if not wait_for_processes(blockers, root / DVC_RWLOCK, say):
                raise


def relayed(module: Sequence[str], root: Path, relay: Callable[[str], None], subject: str) -> None:
    """Runs a module with its arguments in a child process and relays its lines.

    Raises:
        StageError: it failed; carries what it first marked as an error, after `subject`.
        KeyboardInterrupt: `end_children` has ended it.
    """
    command = [sys.executable, "-m", *module]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    message: list[str] = []
    with child(
        command, cwd=root, env=environment, text=True, errors="replace",
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        for line in process.stdout or ():
            text = line.rstrip()
            if text and not text.lstrip().startswith(HINTS) and not BUSY.search(text):
                relay(text)
            if message or text.startswith(("error: ", "ERROR: ")):
                message.append(text.strip())
    if process.returncode != 0:
        if ending.is_set():  # no exit code tells an end that was asked for from a signal of somebody else
            raise KeyboardInterrupt
        raise StageError(f"{subject}: {first_error(message) or _ended(process.returncode)}")


def _ended(code: int) -> str:
    """What an exit code says; that of a signal is negative, or above 128 where the supervisor tells it."""
    try:
        return f"was ended ({signal.Signals(-code if code < 0 else code - 128).name})"
    except ValueError:
        return f"ended with {code}"


def first_error(lines: Sequence[str]) -> str:
    """Returns in one line the error that these begin with: a stage's is a line, DVC's a paragraph."""
    paragraph = list(takewhile(bool, lines))
    lines_of_error = paragraph if lines and lines[0].startswith("ERROR: ") else paragraph[:1]
    return " ".join(lines_of_error).partition(": ")[2]


def check_merged(root: Path) -> None:
    """Tells of a merge that DVC's files are in the midst of.

    Raises:
        StageError: one holds the marks of a conflict.
    """
    resolved = Project(root).resolved
    for path in (root / "dvc.yaml", resolved, root / "dvc.lock", *sorted(root.glob("*.dvc"))):
        if mark := conflict(path):
            raise StageError(f"{mark}; {_remedy(path.name)}")


def _remedy(name: str) -> str:
    if name == "dvc.yaml":
        return "keep what is right of them, and remove the marks"
    if name == Project().resolved.name:
        return "delete it, and run the same command again"
    then = f"`dvc checkout {name}`, " if name.endswith(".dvc") else ""
    return f"take one side (git checkout --ours {name}, or --theirs), {then}and run the same command again"


def resolve_once(project: Project) -> None:
    """Writes the settings where they have never been: without them, DVC cannot read dvc.yaml.

    Raises:
        ParamsError: params.yaml or its recipe cannot be used.
    """
    if project.params.is_file() and not project.resolved.exists():
        from components.params.resolved import write_resolved

        write_resolved(project)


@contextmanager
def repository(root: Path) -> Iterator["Repo"]:
    """Opens a project's DVC repository from its own root: DVC names stages relative to the current folder."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        resolve_once(Project(root))
        with chdir(root), Repo() as repo:
            wait_for_dvc(Path(repo.lock.lockfile))
            yield repo
    except DvcException as error:
        check_merged(root)
        problem = takewhile(bool, map(str.strip, str(error).splitlines()))
        raise StageError(f"{root}: {' '.join(problem) or type(error).__name__}") from error
