"""A project with reports, the page in a process of its own, and Chromium to look at it."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
import pytest
from websockets.sync.client import ClientConnection, connect

from components.bundle import Bundle, Calibration
from components.datasets.layouts.base import SPLITS
from components.documents import write_document
from components.evaluation.gate import GateReport, Rule
from components.evaluation.results import CandidateResult, Evaluation
from components.ingest.statistics.results import Statistics
from components.ingest.statistics.statistics import compute_statistics
from components.project import Project
from components.tables import MANIFEST
from serving.dashboard import APP

PATIENCE = 60  # seconds, for one thing to appear on a busy machine

T = TypeVar("T")


@pytest.fixture(scope="session")
def evaluation() -> Evaluation:
    """Two candidates with the same figures; `a` wins."""
    result = CandidateResult(
        threshold=0.5,
        calibration=Calibration(),
        calibration_note=None,
        val={"auc": 0.95},
        test={
            "auc": 0.9,
            "auc_low": 0.8,
            "auc_high": 1.0,
            "f1": 0.75,
            "accuracy": 0.7,
            "eer": None,
            "coverage": 1,
        },
        methods={"self_blend": {"auc": 0.5, "auc_low": None, "auc_high": None, "videos": 4}},
    )
    return Evaluation(
        winner="a",
        select_by="auc",
        confidence=0.95,
        unusable=0,
        data={},
        candidates={"a": result, "b": result},
    )


@pytest.fixture(scope="session")
def gate() -> GateReport:
    """Failed: one rule holds, one figure is not defined."""
    rules = (
        Rule(name="auc", value=0.9, min=0.8, passed=True),
        Rule(name="coverage", value=None, min=0.95, passed=False),
    )
    return GateReport(passed=False, rules=rules, winner="a")


@pytest.fixture
def reported(tmp_path: Path, evaluation: Evaluation, gate: GateReport) -> Project:
    """A project with the reports of a run."""
    project = Project(tmp_path / "project")
    write_document(evaluation, project.evaluation)
    write_document(gate, project.gate)
    figures = project.reports / "figures"
    figures.mkdir()
    for name in ("training_curves.png", "roc.png", "confusion.png"):
        cv2.imwrite(str(figures / name), np.full((40, 60, 3), 200, np.uint8))
    (figures / "notes.txt").touch()
    return project


@pytest.fixture(scope="session")
def statistics() -> Statistics:
    """Four fakes to one genuine video, one file that is too short, one swap between splits."""
    facts = {"fps": 25.0, "width": 640, "height": 480, "bytes": 250_000, "duration": 4.0, "codec": "h264"}
    row = dict.fromkeys(MANIFEST.names) | facts | {"dataset": "faces", "status": "ok", "identities": ["ann"]}
    real, fake = {"label": "real", "method": "none"}, {"label": "fake", "method": "swap"}
    rows = [row | kind | {"split": split} for split in SPLITS for kind in (real, *[fake] * 4)]
    short = row | real | {"status": "too_short", "duration": None, "identities": ["unnamed:v"]}
    return compute_statistics([*rows, short, row | fake | {"excluded": "bridge"}])


@pytest.fixture
def described(tmp_path: Path, statistics: Statistics) -> Project:
    """A project with the reports of the stages `ingest` and `compute_statistics`."""
    project = Project(tmp_path / "project")
    folder = project.reports / "dataset"
    write_document(statistics, folder / "statistics.json")
    (folder / "figures").mkdir()
    for name in ("contact_sheet.png", "figures/balance.png", "figures/formats.png", "figures/methods.png"):
        cv2.imwrite(str(folder / name), np.full((40, 60, 3), 200, np.uint8))
    leaks = {"identity": 0, "source": 0, "content": 0, "near-duplicate": 0}
    datasets = {"faces": {"layout": "folders", "videos": 17, "notes": ["part 3 of <b> 9 is **missing**"]}}
    project.splits.write_text(json.dumps({"leaks": leaks, "datasets": datasets}), encoding="utf-8")
    project.quarantine.write_text(
        "path,dataset,status,reason\ndata/v.mp4,faces,too_short,2 frames\n", encoding="utf-8"
    )
    return project


class Browser:
    """A tab of headless Chromium, driven over the DevTools protocol.

    `chromium --dump-dom` will not do: it prints before Streamlit's websocket has brought the page.
    """

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._numbers = count(1)

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._connection.send(json.dumps({"id": number, "method": method, "params": params}))
        while (answer := json.loads(self._connection.recv(PATIENCE))).get("id") != number:
            pass  # an event
        assert "error" not in answer, answer
        return dict(answer["result"])

    def evaluate(self, expression: str) -> Any:
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def open(self, url: str) -> None:
        self.call("Page.navigate", url=url)

    def text(self) -> str:
        return str(self.evaluate("document.body ? document.body.innerText : ''"))

    def wait_for(self, text: str) -> str:
        """Wait until the page shows a text, and return all that it shows."""
        return eventually(lambda: shown if text in (shown := self.text()) else None, f"{text!r} on the page")

    def element(self, selector: str) -> str:
        """Wait until a selector finds something, and return DevTools' name of it."""
        query = f"document.querySelector({selector!r})"

        def ask() -> str | None:
            return self.call("Runtime.evaluate", expression=query)["result"].get("objectId")

        return eventually(ask, selector)

    def click(self, selector: str) -> None:
        self.call(
            "Runtime.callFunctionOn",
            objectId=self.element(selector),
            functionDeclaration="function() { this.click() }",
        )

    def choose_files(self, selector: str, *paths: Path) -> None:
        files = [str(path) for path in paths]
        self.call("DOM.setFileInputFiles", objectId=self.element(selector), files=files)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed")
    profile = tmp_path / "chromium"
    command = [
        chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--window-size=1280,1000", "--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank",
    ]  # fmt: skip
    with running(command, tmp_path, tmp_path / "chromium.log", dict(os.environ)):
        port = eventually(lambda: _first_line(profile / "DevToolsActivePort"), "Chromium")
        tab = eventually(lambda: _tab(port), "a tab")
        with connect(tab, max_size=None, open_timeout=PATIENCE) as connection:
            yield Browser(connection)


@contextmanager
def running(command: list[str], folder: Path, log: Path, environment: dict[str, str]) -> Iterator[None]:
    """A process, ended with all that it has started."""
    with log.open("wb") as sink:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=sink, stderr=sink, start_new_session=True
        )
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture
def page(reported: Project, real_bundle: Bundle) -> Iterator[str]:
    """The page of a project with reports and `real_bundle`, as a user starts it; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(APP), "--server.port", str(port)]
    environment = os.environ | {"PYTHONPATH": str(APP.parents[2]), "UNMASK_BUNDLE": str(real_bundle.folder)}
    log = reported.root / "page.log"
    with running(command, reported.root, log, environment):
        eventually(lambda: _answer(f"http://127.0.0.1:{port}/_stcore/health"), f"page (see {log})")
        yield f"http://127.0.0.1:{port}"


def eventually(ask: Callable[[], T | None], what: str) -> T:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if answer := ask():
            return answer
        time.sleep(0.1)
    pytest.fail(f"no {what} within {PATIENCE} s")


def _first_line(path: Path) -> str | None:
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return lines[0] if lines else None


def _tab(port: str) -> str | None:
    tabs = json.loads(_answer(f"http://127.0.0.1:{port}/json") or "[]")
    return next((tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page"), None)


def _answer(url: str) -> str | None:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return str(response.read().decode())
    except OSError:
        return None
