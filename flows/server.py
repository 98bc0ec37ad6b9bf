"""Prefect's server: the one that is named, the one that `unmask up` runs, or one for this command alone."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from components.errors import StageError
from components.project import Project
from flows.children import child
from flows.interruption import interruptible
from flows.reach import check_mlflow, check_prefect

STARTUP_SECONDS = 150


def server_record(project: Project) -> Path:
    """Returns where a running server of this project leaves its address."""
    return project.root / ".unmask" / "prefect-server.json"


@contextmanager
def prefect_server(project: Project, *, registry: bool = True) -> Iterator[str]:
    """Yields the address of Prefect's API, and points this process at it; Ctrl-C ends the block quietly.

    A temporary server per flow run costs about half a minute of CPU; one for a whole command costs it once.

    Args:
        project: the project folder.
        registry: whether what follows needs MLflow.

    Raises:
        StageError: the server did not start, or the one that the environment names does not answer.
        RegistryError: MLflow does not.
    """
    check_prefect()
    if registry:
        check_mlflow(project)
    with interruptible():
        url = os.environ.get("PREFECT_API_URL") or running_server(project)
        if url:
            os.environ["PREFECT_API_URL"] = url
            yield url
            return
        with start_server(project, free_port(), services=False) as url:
            os.environ["PREFECT_API_URL"] = url
            try:
                yield url
            finally:
                flush_logs()
                os.environ.pop("PREFECT_API_URL", None)


def flush_logs() -> None:
    """Sends what Prefect still holds back, before its server goes."""
    if "prefect" in sys.modules:
        from prefect.logging.handlers import APILogHandler

        APILogHandler().flush()


def running_server(project: Project) -> str | None:
    """Returns the address of the server that `unmask up` runs for this project, if it answers."""
    try:
        url = str(json.loads(server_record(project).read_text(encoding="utf-8"))["url"])
    except (OSError, ValueError, KeyError):
        return None
    return url if answers(f"{url}/health") else None


@contextmanager
def start_server(project: Project, port: int, *, services: bool) -> Iterator[str]:
    """Runs a server on 127.0.0.1 until the block ends.

    Args:
        project: its database and its log live in this project's `.unmask/`.
        port: the port to listen on.
        services: also run the scheduler, which deployments need.
    """
    log = project.root / ".unmask" / "prefect-server.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    url = f"http://127.0.0.1:{port}/api"
    environment = {**os.environ, "PREFECT_UI_API_URL": url, "PREFECT_SERVER_UI_API_URL": url}
    with log.open("ab") as sink, child(
        command if services else [*command, "--no-scheduler", "--no-late-runs"],
        outlives=True,  # a flow that ends its stages still talks to it
        stdout=sink, stderr=sink, env=environment,
    ) as process:  # fmt: skip
        wait_until_ready(process, f"{url}/health", log)
        yield url


def wait_until_ready(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    """Waits until a started server answers.

    Raises:
        StageError: it ended, or did not answer in time.
    """
    deadline = time.monotonic() + STARTUP_SECONDS
    while not answers(url):
        if process.poll() is not None or time.monotonic() > deadline:
            raise StageError(f"{url}: the server did not start; its log is {log}")
        time.sleep(0.3)


def answers(url: str) -> bool:
    """Returns whether a server of this machine answers with success; no proxy is asked for it."""
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def free_port() -> int:
    """Returns a port of 127.0.0.1 that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
