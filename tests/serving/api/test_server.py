import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.bundle import Bundle
from components.errors import BundleError, BusyError
from serving.api.server import listen, serve

ROOT = Path(__file__).parents[3]
PROGRAM = """
import sys
from pathlib import Path
from serving.api.server import serve
serve(port=int(sys.argv[1]), provider="cpu", workers=1, bundle=Path(sys.argv[2]))
print("ended cleanly")
"""


def free_port() -> int:
    with listen("127.0.0.1", 0) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def server(bundle: Bundle, port: int) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(port), str(bundle.folder)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def get(url: str, process: subprocess.Popen[str]) -> "tuple[dict[str, str], dict[str, str]]":
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(url, timeout=30) as response:
                return json.load(response), {name.lower(): value for name, value in response.headers.items()}
        except urllib.error.URLError:
            assert process.poll() is None, "the server ended before it answered"
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_serves_until_ctrl_c(server: subprocess.Popen[str], port: int, bundle: Bundle) -> None:
    ready, headers = get(f"http://127.0.0.1:{port}/health/ready", server)
    assert ready == {"status": "ready", "model_version": bundle.digest[:12]}
    assert "server" not in headers
    server.send_signal(signal.SIGINT)
    out, err = server.communicate(timeout=30)
    assert server.returncode == 0
    assert "GET /health/ready" in out  # the access log
    assert out.endswith("ended cleanly\n")
    assert "Traceback" not in out + err


def test_a_port_that_is_taken_is_named() -> None:
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(BusyError, match=rf"^127\.0\.0\.1:{port}: cannot listen there .*--port"):
            serve(port=port)


def test_what_is_wrong_with_the_model_ends_the_command_and_frees_the_port(tmp_path: Path, port: int) -> None:
    with pytest.raises(BundleError):
        serve(port=port, bundle=tmp_path)
    listen("127.0.0.1", port).close()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_both_kinds_of_address(host: str) -> None:
    with listen(host, 0) as listener:
        assert listener.getsockname()[0] == host


def test_a_host_that_is_not_this_machine() -> None:
    with pytest.raises(BusyError, match="cannot listen there"):
        listen("192.0.2.1", 0)  # an address of documentation's own network


def test_the_server_starts_without_mlflow() -> None:
    program = "import sys, serving.api.server; sys.exit('mlflow' in sys.modules or 'pandas' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True)
