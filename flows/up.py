"""`unmask up`: the user interfaces, the API and the page, all on 127.0.0.1, all ended together."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress

import typer

from components.addresses import without_password
from components.errors import RegistryError, StageError
from components.project import Project
from flows.children import child
from flows.interruption import interruptible
from flows.reach import check_mlflow
from flows.server import server_record, start_server, wait_until_ready


def run_services(
    project: Project, prefect_port: int, mlflow_port: int, api_port: int, page_port: int
) -> None:
    """Starts Prefect, MLflow, the API and the page, prints where they are, and ends them on Ctrl-C.

    Raises:
        StageError: a port is taken, or a server did not start.
        RegistryError: the environment names an MLflow that does not answer.
    """
    for port in (prefect_port, mlflow_port, api_port, page_port):
        check_port(port)
    from components.tracking.store import tracking_uri

    check_mlflow(project)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts background jobs without it
    with suppress(KeyboardInterrupt), interruptible(), ExitStack() as services:
        api = services.enter_context(start_server(project, prefect_port, services=True))
        services.enter_context(announce(project, api))
        typer.echo(f"Prefect  http://127.0.0.1:{prefect_port}")
        watched = []
        if (uri := tracking_uri(project)).startswith("http"):
            typer.echo(f"MLflow   {without_password(uri)}")
        else:
            command = mlflow_command(uri, project, mlflow_port)
            watched.append(services.enter_context(start(project, "mlflow", command, mlflow_port)))
            typer.echo(f"MLflow   http://127.0.0.1:{mlflow_port}/#/models/unmask")
        if has_champion(project):
            command = [sys.executable, "-m", "flows.cli", "serve", "--port", str(api_port)]
            watched.append(services.enter_context(start(project, "api", command, api_port, "/health/live")))
            typer.echo(f"API      http://127.0.0.1:{api_port}/docs")
        else:
            typer.echo("API      not started: no champion yet; `unmask run` trains one")
        page = start(project, "page", page_command(page_port), page_port, "/_stcore/health")
        watched.append(services.enter_context(page))
        typer.echo(f"Page     http://127.0.0.1:{page_port}")
        typer.echo("Ctrl-C ends them all.")
        wait_for_any(watched)


def mlflow_command(store: str, project: Project, port: int) -> Sequence[str]:
    """MLflow's server over the project's store."""
    artifacts = (project.root / "mlartifacts").as_uri()
    return [
        *(sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)),
        *(
            "--backend-store-uri",
            store,
            "--artifacts-destination",
            artifacts,
            "--workers",
            "1",
        ),
    ]


def page_command(port: int) -> Sequence[str]:
    """Streamlit over the page."""
    from serving.dashboard import APP

    address = ("--server.address", "127.0.0.1", "--server.port", str(port))
    return [sys.executable, "-m", "streamlit", "run", str(APP), *address]


def has_champion(project: Project) -> bool:
    """Returns whether there is anything to serve."""
    from components.tracking import registry

    try:
        return registry.version_behind(registry.CHAMPION, project) is not None
    except RegistryError:
        return False


@contextmanager
def start(
    project: Project, name: str, command: Sequence[str], port: int, health: str = "/health"
) -> Iterator["subprocess.Popen[bytes]"]:
    """Runs a server until the block ends; its log stands in `.unmask/`.

    Raises:
        StageError: it did not start; names the log.
    """
    log = project.root / ".unmask" / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as sink, child(command, cwd=project.root, stdout=sink, stderr=sink) as process:
        wait_until_ready(process, f"http://127.0.0.1:{port}{health}", log)
        yield process


@contextmanager
def announce(project: Project, url: str) -> Iterator[None]:
    """Lets other commands of this project find the server while it runs."""
    record = server_record(project)
    record.write_text(json.dumps({"url": url, "pid": os.getpid()}), encoding="utf-8")
    try:
        yield
    finally:
        record.unlink(missing_ok=True)


def check_port(port: int) -> None:
    """Refuses a port that something listens on.

    Raises:
        StageError: it is taken.
    """
    import socket

    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise StageError(f"port {port}: already taken; end what listens there or choose another (--help)")


def wait_for_any(processes: Sequence["subprocess.Popen[bytes]"]) -> None:
    """Sleep until one of the servers ends or the user does.

    Raises:
        StageError: a server ended by itself.
    """
    while all(process.poll() is None for process in processes):
        time.sleep(1)
    raise StageError("a server ended by itself; its log is in .unmask/")
