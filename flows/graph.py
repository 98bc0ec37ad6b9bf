"""The stage graph, read from dvc.yaml, and the running of one stage. DVC owns both graph and cache.

Not named after DVC: Prefect puts the folder of a flow's file first on `sys.path`, and there it would hide
the package.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from components.errors import StageError

if TYPE_CHECKING:
    from dvc.repo import Repo

HINTS = ("To track the changes", "git add", "To enable auto staging", "dvc config", "Use `dvc push`")
"""What DVC says after every stage; in the log of a flow it would drown the rest."""


@dataclass(frozen=True)
class Stage:
    """One stage of the graph, with the stages that must end before it."""

    name: str
    upstream: tuple[str, ...]


def read_graph(root: Path) -> list[Stage]:
    """All stages of a project, each after those that it needs; foreach stages come expanded.

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

    Raises:
        StageError: DVC cannot tell.
    """
    with repository(root) as repo:
        changed = set(repo.status())
    return with_downstream(changed, stages)


def with_downstream(changed: Collection[str], stages: Sequence[Stage]) -> set[str]:
    """Add to `changed` every stage that comes after one of them; `stages` must be in order."""
    stale = set(changed)
    for stage in stages:
        if stale.intersection(stage.upstream):
            stale.add(stage.name)
    return stale


def downstream(name: str, stages: Sequence[Stage]) -> set[str]:
    """Every stage that needs `name`, directly or not."""
    return with_downstream({name}, stages) - {name}


def run_stage(name: str, root: Path, relay: Callable[[str], None]) -> None:
    """Reproduce one stage in a child process and relay its lines.

    `--wait-for-lock` stands before the subcommand: stages that run side by side wait for DVC's lock.

    Raises:
        StageError: the stage failed; carries the stage's own one-line message where it printed one.
    """
    run_dvc(["repro", "--single-item", name], root, relay, subject=f"stage {name}")


def run_dvc(arguments: Sequence[str], root: Path, relay: Callable[[str], None], subject: str = "") -> None:
    """Run a DVC command in a child process and relay its lines; it waits for DVC's lock.

    Raises:
        StageError: it failed; carries the first line that it marked as an error, after `subject`.
    """
    relayed(["dvc", "--wait-for-lock", *arguments], root, relay, subject or f"dvc {' '.join(arguments)}")


def relayed(module: Sequence[str], root: Path, relay: Callable[[str], None], subject: str) -> None:
    """Run a module with its arguments in a child process and relay its lines.

    Raises:
        StageError: it failed; carries the first line that it marked as an error, after `subject`.
    """
    command = [sys.executable, "-m", *module]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    message = ""
    with subprocess.Popen(
        command, cwd=root, env=environment, text=True, errors="replace",
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        for line in process.stdout or ():
            text = line.rstrip()
            if text and not text.lstrip().startswith(HINTS):
                relay(text)
            message = text if text.startswith(("error: ", "ERROR: ")) and not message else message
    if process.returncode != 0:
        told = re.sub(r"^error: ", "", message, flags=re.IGNORECASE) or f"ended with {process.returncode}"
        raise StageError(f"{subject}: {told}")


@contextmanager
def repository(root: Path) -> Iterator["Repo"]:
    """Open a project's DVC repository from its own root: DVC names stages relative to the current folder."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with chdir(root), Repo() as repo:
            yield repo
    except DvcException as error:
        told = (str(error) or type(error).__name__).splitlines()[0]
        raise StageError(f"{root}: {told}") from error
