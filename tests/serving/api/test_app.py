import logging
import re
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from components.bundle import BundleInfo
from components.scores import VideoScore
from serving.api.app import create_app
from serving.scorer import Scorer

LIMIT = 100_000


class FakeScorer:
    """Answers with what it saw of the file it was given."""

    model_version = "3"
    provider = "CPUExecutionProvider"

    def __init__(self, info: BundleInfo) -> None:
        self.bundle = SimpleNamespace(info=info)
        self.seen: list[tuple[Path, bytes]] = []
        self.meanwhile: Callable[[], None] = lambda: None
        self.closed = False

    def score_one(self, path: Path) -> VideoScore:
        self.seen.append((path, path.read_bytes()))
        self.meanwhile()
        return VideoScore(
            path=str(path), verdict="fake", probability=0.75, status="ok", reason=None,
            frames=8, face_share=1.0, fallback=None, faces=(), seconds=0.1,
            model_version=self.model_version,
        )  # fmt: skip

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def scorer(info: BundleInfo) -> FakeScorer:
    return FakeScorer(info)


@pytest.fixture
def temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary files that must be empty in the end."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def application(scorer: FakeScorer) -> FastAPI:
    return create_app(lambda: cast(Scorer, scorer), max_upload_bytes=LIMIT, max_concurrency=1)


@pytest.fixture
def client(scorer: FakeScorer, temp: Path) -> Iterator[TestClient]:
    app = application(scorer)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def upload(client: TestClient, content: bytes = b"video", name: str = "clip.mp4") -> Any:
    return client.post("/v1/videos:score", files={"file": (name, content, "video/mp4")})


def test_a_video_is_scored_under_its_own_name(client: TestClient, scorer: FakeScorer, temp: Path) -> None:
    response = upload(client, b"x" * LIMIT, "my clip.mp4")
    assert response.status_code == 200
    assert response.json() == {
        "path": "my clip.mp4", "verdict": "fake", "probability": 0.75, "status": "ok", "reason": None,
        "frames": 8, "face_share": 1.0, "fallback": None, "faces": [], "seconds": 0.1, "model_version": "3",
    }  # fmt: skip
    ((path, content),) = scorer.seen
    assert content == b"x" * LIMIT
    assert path.suffix == ".mp4"
    assert list(temp.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "answered"),
    [
        ("../../etc/passwd", "passwd"),
        ("/a/b.mp4", "b.mp4"),
        ("a.mp4/../../x.sh", "x.sh"),
        ("видео.mp4", "видео.mp4"),
        ("still.JPG", "still.JPG"),
    ],
)
def test_a_clients_name_never_reaches_the_file_system(
    client: TestClient, scorer: FakeScorer, temp: Path, name: str, answered: str
) -> None:
    assert upload(client, name=name).json()["path"] == answered
    ((path, _),) = scorer.seen
    assert path.parent == temp
    assert path.name.startswith("unmask-")
    assert path.suffix in {"", ".mp4", ".jpg"}
    assert (path.suffix == ".jpg") == (name == "still.JPG")  # by which a picture is known


def test_an_empty_upload_is_a_video_like_any_other(client: TestClient, scorer: FakeScorer) -> None:
    assert upload(client, b"").status_code == 200
    assert scorer.seen[0][1] == b""


@pytest.mark.parametrize("excess", [1, 10 * LIMIT])
def test_a_large_upload_is_refused(client: TestClient, scorer: FakeScorer, temp: Path, excess: int) -> None:
    response = upload(client, b"x" * (LIMIT + excess))
    assert response.status_code == 413
    assert response.json() == {
        "detail": f"the upload is larger than the {LIMIT} bytes that this server takes"
    }
    assert scorer.seen == []
    assert list(temp.iterdir()) == []


def test_a_large_upload_of_untold_length_is_cut_off(client: TestClient, scorer: FakeScorer) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n'
        for _ in range(1000):
            sent += LIMIT
            yield b"x" * LIMIT

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    response = client.post("/v1/videos:score", content=endless(), headers=headers)
    assert response.status_code == 413
    assert scorer.seen == []


def test_a_form_without_a_file(client: TestClient) -> None:
    response = client.post("/v1/videos:score", data={"other": "field"})
    assert (response.status_code, response.json()) == (422, {"detail": "body.file: Field required"})


def test_a_body_that_is_no_form(client: TestClient) -> None:
    headers = {"Content-Type": "multipart/form-data"}
    response = client.post("/v1/videos:score", content=b"junk", headers=headers)
    assert (response.status_code, response.json()) == (400, {"detail": "Missing boundary in multipart."})


def test_who_finds_all_places_taken_is_told_when_to_come_back(client: TestClient, scorer: FakeScorer) -> None:
    scoring, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        scoring.set()
        go_on.wait(10)

    scorer.meanwhile = hold
    answers: list[int] = []
    first = threading.Thread(target=lambda: answers.append(upload(client).status_code))
    first.start()
    assert scoring.wait(10)
    refused = upload(client)
    alive = client.get("/health/live").status_code
    go_on.set()
    first.join()
    assert (refused.status_code, int(refused.headers["retry-after"]) > 0) == (503, True)
    assert (alive, answers) == (200, [200])
    assert upload(client).status_code == 200  # the place is free again


@pytest.mark.parametrize("form", [{"other": "field"}, {}])
def test_a_refused_form_frees_its_place(client: TestClient, form: dict[str, str]) -> None:
    assert client.post("/v1/videos:score", data=form).status_code == 422
    assert upload(client).status_code == 200


def test_a_fault_is_one_line_and_frees_its_place(
    client: TestClient, scorer: FakeScorer, temp: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise RuntimeError("secret of the server")

    scorer.meanwhile = fail
    with caplog.at_level(logging.CRITICAL):
        answers = [upload(client) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [500, 500]
    assert answers[1].json() == {"detail": "internal error; the server's log says more"}
    assert list(temp.iterdir()) == []


def test_the_model_describes_itself(client: TestClient, info: BundleInfo) -> None:
    told = client.get("/v1/model").json()
    assert told["version"] == "3"
    assert told["candidate"] == "brightness"
    assert told["threshold"] == info.threshold
    assert told["metrics"] == {"auc": {"value": 0.9, "low": 0.85, "high": 0.95}}
    assert told["crop_digest"] == info.crop.digest


def test_ready_once_the_model_is_loaded(client: TestClient) -> None:
    assert client.get("/health/ready").json() == {"status": "ready", "model_version": "3"}


def test_alive_but_not_ready_before(scorer: FakeScorer) -> None:
    app = application(scorer)
    client = TestClient(app)  # not entered: the application has not started
    assert client.get("/health/live").json() == {"status": "live"}
    for answer in (client.get("/health/ready"), client.get("/v1/model"), upload(client)):
        assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
        assert set(answer.json()) == {"detail"}


def test_the_scorer_is_closed_with_the_application(scorer: FakeScorer) -> None:
    app = application(scorer)
    with TestClient(app):
        assert not scorer.closed
    assert scorer.closed


def test_the_api_describes_every_answer(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    score = paths["/v1/videos:score"]["post"]
    assert set(score["responses"]) == {"200", "400", "408", "413", "422", "503"}
    nulls = dict.fromkeys(VideoScore.model_fields)  # FastAPI leaves nulls out of its document
    examples = score["responses"]["200"]["content"]["application/json"]["examples"]
    for example in examples.values():
        VideoScore.model_validate(nulls | example["value"])
    assert set(paths) == {"/v1/videos:score", "/v1/model", "/health/live", "/health/ready"}


def test_the_documentation_needs_no_other_server(client: TestClient) -> None:
    page = client.get("/docs").text
    sources = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert any(source.endswith("swagger-ui-bundle.js") for source in sources)
    for source in sources:
        assert source.startswith("/"), source
        assert client.get(source).status_code == 200
