"""Flow runs whose process was killed: the next one of the project tells Prefect that they have crashed."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import UUID

from httpx import HTTPError
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.exceptions import ObjectNotFound
from prefect.runtime import flow_run
from prefect.states import Crashed

from components.project import Project

MESSAGE = "its process was killed; a later run has found this out"


@contextmanager
def watched(project: Project) -> Iterator[None]:
    """Lets it be known while the present flow run lives, and marks those of the project that no longer do.

    Each has a file, which its process holds locked: a lock ends with its process, whatever ends that.
    """
    folder = project.root / ".unmask" / "flow-runs"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{flow_run.id}.lock"
    fresh = path.with_suffix(".new")
    with fresh.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        fresh.rename(path)  # locked, before others take it for a dead one's
        try:
            with get_client(sync_client=True) as client:
                for other in set(folder.glob("*.lock")) - {path}:
                    _mark_dead(client, other)
            yield
        finally:
            path.unlink(missing_ok=True)


def _mark_dead(client: SyncPrefectClient, path: Path) -> None:
    # Alive, marked by another meanwhile, or named otherwise than after a run: this run goes on all the same.
    with suppress(BlockingIOError, FileNotFoundError, HTTPError, ValueError), path.open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with suppress(ObjectNotFound):  # deleted, or of another server: there is nothing to mark
            _mark_crashed(client, UUID(path.stem))
        path.unlink()


def _mark_crashed(client: SyncPrefectClient, name: UUID) -> None:
    run = client.read_flow_run(name)
    if run.state is None or not run.state.is_final():
        mine = FlowRunFilter(id=FlowRunFilterId(any_=[run.id]))
        for task in client.read_task_runs(flow_run_filter=mine):
            if task.state is None or not task.state.is_final():
                client.set_task_run_state(task.id, Crashed(message=MESSAGE), force=True)
        client.set_flow_run_state(run.id, Crashed(message=MESSAGE), force=True)
