"""Prefect's server: the one that is named, the one that `unmask up` runs, or one for this command alone."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from components.errors import StageError
from components.project import Project

STARTUP_SECONDS = 150


def server_record(project: Project) -> Path:
    """Where a running server of this project leaves its address."""
    return project.root / ".unmask" / "prefect-server.json"


@contextmanager
def prefect_server(project: Project) -> Iterator[str]:
    """Yield the address of Prefect's API, and point this process at it.

    A temporary server per flow run costs about half a minute of CPU; one for a whole command costs it once.

    Raises:
        StageError: the server did not start; names its log.
    """
    url = os.environ.get("PREFECT_API_URL") or running_server(project)
    if url:
        os.environ["PREFECT_API_URL"] = url
        yield url
        return
    with ended_by_sigterm(), start_server(project, free_port(), services=False) as url:
        os.environ["PREFECT_API_URL"] = url
        try:
            yield url
        finally:
            flush_logs()
            os.environ.pop("PREFECT_API_URL", None)


def flush_logs() -> None:
    """Send what Prefect still holds back, before its server goes."""
    if "prefect" in sys.modules:
        from prefect.logging.handlers import APILogHandler

        APILogHandler().flush()


def running_server(project: Project) -> str | None:
    """The address of the server that `unmask up` runs for this project, if it answers."""
    try:
        url = str(json.loads(server_record(project).read_text(encoding="utf-8"))["url"])
    except (OSError, ValueError, KeyError):
        return None
    return url if answers(f"{url}/health") else None


@contextmanager
def start_server(project: Project, port: int, *, services: bool) -> Iterator[str]:
    """Run a server on 127.0.0.1 until the block ends.

    Args:
        project: its database and its log live in this project's `.unmask/`.
        port: the port to listen on.
        services: also run the scheduler, which deployments need.
    """
    log = project.root / ".unmask" / "prefect-server.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    url = f"http://127.0.0.1:{port}/api"
    with log.open("ab") as sink:
        # Its own session: Ctrl-C must end the flow first, which still talks to the server.
        process = subprocess.Popen(
            command if services else [*command, "--no-scheduler", "--no-late-runs"],
            stdout=sink, stderr=sink, stdin=subprocess.DEVNULL, start_new_session=True,
            env={**os.environ, "PREFECT_UI_API_URL": url, "PREFECT_SERVER_UI_API_URL": url},
        )  # fmt: skip
    try:
        wait_until_ready(process, f"{url}/health", log)
        yield url
    finally:
        stop(process)


def wait_until_ready(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    """Wait until a started server answers.

    Raises:
        StageError: it ended, or did not answer in time.
    """
    deadline = time.monotonic() + STARTUP_SECONDS
    while not answers(url):
        if process.poll() is not None or time.monotonic() > deadline:
            raise StageError(f"{url}: the server did not start; its log is {log}")
        time.sleep(0.3)


@contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end the block as Ctrl-C does, so that what was started in it is ended too."""
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def answers(url: str) -> bool:
    """Whether a local server answers with success."""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 - an http address of ours
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def stop(process: "subprocess.Popen[bytes]") -> None:
    """End a server and what it has started, by force if they do not go by themselves."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(10)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
