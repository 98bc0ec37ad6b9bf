"""Which files of former flow runs are left once a later one has asked the server for them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID, uuid4

import httpx
import pytest
from prefect.exceptions import ObjectNotFound

from components.project import Project
from flows import crashed


class Client:
    """Of a server that answers each request for a run with an error."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.asked: list[UUID] = []

    def read_flow_run(self, name: UUID) -> None:
        self.asked.append(name)
        raise self.error


@pytest.mark.parametrize(
    ("error", "kept"),
    [(ObjectNotFound(ValueError("404")), False), (httpx.ConnectError("refused"), True)],
)
def test_a_run_that_the_server_does_not_know_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, kept: bool
) -> None:
    folder = tmp_path / ".unmask" / "flow-runs"
    folder.mkdir(parents=True)
    dead, odd = folder / f"{uuid4()}.lock", folder / "None.lock"
    dead.touch()
    odd.touch()
    client = Client(error)

    @contextmanager
    def get_client(sync_client: bool) -> Iterator[Client]:
        yield client

    monkeypatch.setattr(crashed, "get_client", get_client)
    monkeypatch.setattr(crashed, "flow_run", SimpleNamespace(id=str(uuid4())))
    with crashed.watched(Project(tmp_path)):
        assert client.asked == [UUID(dead.stem)]
        assert dead.exists() == kept
        assert odd.exists()
