"""A server that the environment names is asked first; one that cannot be used is told of in one line."""

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from components import addresses
from components.errors import UnmaskError
from components.project import Project
from components.tracking import store
from flows import reach

ANSWERS = (
    (404, b"<html>no such page</html>"),
    (404, b'{"detail": "Not Found"}'),
    (200, b"<html>a web page</html>"),
    (200, b'{"hello": "world"}'),
    (200, b"[]"),
    (401, b"who are you?"),
)
"""Code and body."""


class Other(BaseHTTPRequestHandler):
    """Another kind of server: the path begins with which of `ANSWERS` it gives, if any."""

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        if not self.path[1].isdigit():
            time.sleep(3)
            return
        code, body = ANSWERS[int(self.path[1])]
        self.send_response(code)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def other() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Other) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


ADDRESSES = {
    "http://me:secret@127.0.0.1:9": "http://me:***@127.0.0.1:9: Connection refused",
    "http://no.such.host.invalid": "Name or service not known",
    "https://{other}/0": "WRONG_VERSION_NUMBER",
    "http://{other}/silent": "no answer in 1 s",
    "127.0.0.1:5000": "this is no address",
    "http://[::1": "this is no address",
    "htp://me:secret@host": "htp://me:***@host: ",
    "http://{other}/0": "it answers with HTTP 404: another kind of server?",
    "http://{other}/1": "another kind of server",
    "http://{other}/2": "it answers as another kind of server",
    "http://{other}/3": "it answers as another kind of server",
    "http://{other}/4": "it answers as another kind of server",
    "http://{other}/5": "it answers with HTTP 401: it does not let this client in",
}

CHECKS: dict[str, Callable[[Project], None]] = {
    "MLFLOW_TRACKING_URI": reach.check_mlflow,
    "PREFECT_API_URL": lambda project: reach.check_prefect(),
}


@pytest.mark.parametrize("variable", CHECKS)
@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_that_cannot_be_used_is_one_line(
    monkeypatch: pytest.MonkeyPatch, project: Project, other: str, variable: str, address: str
) -> None:
    for module in (addresses, store, reach):
        monkeypatch.setattr(module, "SECONDS_TO_ANSWER", 1)
    monkeypatch.setenv(variable, address.format(other=other))
    with pytest.raises(UnmaskError) as caught:
        CHECKS[variable](project)
    told = str(caught.value)
    assert told.startswith(f"{variable}=")
    assert ADDRESSES[address] in told
    assert told.count("\n") == told.count("secret") == 0
    assert "; correct it, start what it names, or unset it to use " in told


@pytest.mark.parametrize("variable", CHECKS)
def test_what_is_not_named_is_not_asked(
    monkeypatch: pytest.MonkeyPatch, project: Project, variable: str
) -> None:
    monkeypatch.setenv(variable, "")
    CHECKS[variable](project)
    assert not (project.root / "mlflow.db").exists()


@pytest.fixture
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project(tmp_path_factory.mktemp("project"))
