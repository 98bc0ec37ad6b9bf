"""A proxy in the environment is not asked for this machine's own servers, whatever client asks."""

import json
import os
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest
import requests

from flows.environment import spare_loopback
from flows.server import answers

DEAD = "http://127.0.0.1:9"
VARIABLES = ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY")


class Fine(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[int]:
    """The port of a local server that answers everything."""
    with HTTPServer(("", 0), Fine) as fine:
        threading.Thread(target=fine.serve_forever, daemon=True).start()
        yield fine.server_port
        fine.shutdown()


CLIENTS: dict[str, Callable[[str], object]] = {
    "ours": lambda url: answers(url) or pytest.fail("no answer"),
    "httpx, as Prefect": lambda url: httpx.get(url).raise_for_status(),
    "requests, as MLflow": lambda url: requests.get(url, timeout=5).raise_for_status(),
}


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("proxy", [DEAD, "socks5h://127.0.0.1:9"])
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_no_client_asks_a_proxy(
    monkeypatch: pytest.MonkeyPatch, server: int, variable: str, proxy: str, client: str, host: str
) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, proxy)
    spare_loopback(os.environ)
    CLIENTS[client](f"http://{host}:{server}/")


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("listed", ["*", "intranet,*"])
def test_whoever_spares_everything_is_believed(
    monkeypatch: pytest.MonkeyPatch, server: int, client: str, listed: str
) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", DEAD)
    monkeypatch.setenv("NO_PROXY", listed)
    spare_loopback(os.environ)
    CLIENTS[client](f"http://127.0.0.2:{server}/")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, "127.0.0.1,localhost,::1"),
        ({"no_proxy": ""}, "127.0.0.1,localhost,::1"),
        ({"NO_PROXY": "intranet, 10.0.0.0/8"}, "intranet,10.0.0.0/8,127.0.0.1,localhost,::1"),
        ({"no_proxy": "localhost", "NO_PROXY": "other"}, "localhost,127.0.0.1,::1"),
        ({"no_proxy": "*"}, "*"),
        ({"NO_PROXY": "intranet, *"}, "*"),
    ],
)
def test_what_a_user_has_spared_stays_spared(before: dict[str, str], after: str) -> None:
    environment = {**before, "https_proxy": DEAD}
    for _ in range(2):
        spare_loopback(environment)
        assert environment == {**before, "https_proxy": DEAD, "no_proxy": after, "NO_PROXY": after}


def test_a_proxy_that_no_client_can_use_is_told(caplog: pytest.LogCaptureFixture) -> None:
    environment = {"ALL_PROXY": "socks5://me:secret@127.0.0.1:9", "https_proxy": DEAD}
    spare_loopback(environment)
    assert "ALL_PROXY" not in environment
    assert environment["https_proxy"] == DEAD
    assert caplog.messages == ["ALL_PROXY: left out, since SOCKS needs `pip install socksio`"]
    assert "secret" not in json.dumps(environment)
