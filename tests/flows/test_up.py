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

from flows.server import answers, free_port

if TYPE_CHECKING:
    from conftest import StubProject

ROOT = Path(__file__).parents[2]


def ports() -> list[str]:
    names = ("--prefect-port", "--mlflow-port", "--api-port", "--page-port")
    return [text for name in names for text in (name, str(free_port()))]


@pytest.mark.slow
def test_services_start_and_end_together(stub_project: "StubProject") -> None:
    command = [sys.executable, "-m", "flows.cli", "up", *ports()]
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


def test_a_taken_port_is_named(stub_project: "StubProject") -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = stub_project.unmask("up", *ports()[:-1], port)
    assert done.returncode == 2
    assert f"port {port}: already taken" in done.stderr
