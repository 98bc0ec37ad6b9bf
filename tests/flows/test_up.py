"""`unmask up`: services start together and end together."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from mlflow.cli import server
from streamlit.web.cli import main_run

from components.project import Project
from flows.server import answers, free_port
from flows.up import mlflow_command, page_command
from serving.dashboard import APP

if TYPE_CHECKING:
    from conftest import StubProject

ROOT = Path(__file__).parents[2]


def ports() -> list[str]:
    names = ("--prefect-port", "--mlflow-port", "--api-port", "--page-port")
    return [text for name in names for text in (name, str(free_port()))]


STAND_INS = """
import sys
from contextlib import contextmanager
from flows import cli, up

def files(port):
    return [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)]

@contextmanager
def prefect(project, port, services):
    assert services
    (project.root / ".unmask").mkdir(exist_ok=True)
    with up.start(project, "prefect", files(port), port):
        yield f"http://127.0.0.1:{port}/api"

up.start_server, up.page_command = prefect, files
up.mlflow_command = lambda store, project, port: files(port)
cli.main()
"""
"""`unmask up` whose servers answer at once, and with nothing but files."""


@pytest.mark.parametrize(
    "start",
    [["-c", STAND_INS], pytest.param(["-m", "flows.cli"], marks=pytest.mark.full)],
    ids=["quick", "real"],
)
def test_services_start_and_end_together(stub_project: "StubProject", start: list[str]) -> None:
    for health in ("health", "_stcore/health"):
        (stub_project.root / health).parent.mkdir(exist_ok=True)
        (stub_project.root / health).touch()
    command = [sys.executable, *start, "up", *ports()]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    told = ""
    with subprocess.Popen(
        command, cwd=stub_project.root, env=environment, stdout=subprocess.PIPE, text=True
    ) as up:
        for line in up.stdout or ():
            told += line
            if "Ctrl-C" in line:
                break
        addresses = re.findall(r"http://127\.0\.0\.1:\d+", told)
        assert len(addresses) == 3
        assert all(answers(address) for address in addresses)
        up.send_signal(signal.SIGTERM)
        assert up.wait(60) == 0
    assert "API      not started: no champion yet" in told
    assert not any(answers(address) for address in addresses)


def test_servers_take_what_they_are_told(tmp_path: Path) -> None:
    """Their own parsers do, at least; to start them takes half a minute."""
    mlflow = mlflow_command("sqlite:///mlflow.db", Project(tmp_path), 5000)[4:]
    told = server.make_context("server", [*mlflow]).params
    assert (told["backend_store_uri"], told["port"], told["workers"]) == ("sqlite:///mlflow.db", 5000, "1")
    page = page_command(8501)[4:]
    told = main_run.make_context("run", [*page]).params
    assert (told["target"], told["server_address"], told["server_port"]) == (str(APP), "127.0.0.1", 8501)


def test_a_taken_port_is_named(stub_project: "StubProject") -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = stub_project.unmask("up", *ports()[:-1], port)
    assert done.returncode == 2
    assert f"port {port}: already taken" in done.stderr
