import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI, UploadFile

from serving.api.limits import Places

PATH = "/score"
BODY = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\nvideo\r\n--b--\r\n'
Receive = Callable[[], Awaitable[dict[str, Any]]]


def application(places: int, stall_seconds: float = 60.0, work_seconds: float = 0.0) -> FastAPI:
    app = FastAPI()

    @app.post(PATH)
    async def score(file: UploadFile) -> int:
        await asyncio.sleep(work_seconds)
        return file.size or 0

    @app.get(PATH)
    async def look() -> None: ...

    app.add_middleware(Places, path=PATH, count=places, stall_seconds=stall_seconds)
    return app


async def answer(app: FastAPI, receive: Receive, method: str = "POST") -> dict[str, Any]:
    """The start of the answer: its status and headers."""
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"content-type", b"multipart/form-data; boundary=b")]
    scope = {"type": "http", "method": method, "path": PATH, "query_string": b"", "headers": headers}
    await app(scope, receive, send)
    return sent[0]


async def whole() -> dict[str, Any]:
    return {"type": "http.request", "body": BODY, "more_body": False}


async def never() -> dict[str, Any]:
    raise AssertionError("the body was read")


class Upload:
    """A body whose first bytes have come, and whose rest comes when it is let go."""

    def __init__(self) -> None:
        self.began, self.go_on = asyncio.Event(), asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        if not self.began.is_set():
            self.began.set()
            return {"type": "http.request", "body": BODY[:20], "more_body": True}
        await self.go_on.wait()
        return {"type": "http.request", "body": BODY[20:], "more_body": False}


def test_nothing_is_read_of_an_upload_without_a_place() -> None:
    async def scenario() -> None:
        app, uploads = application(2), [Upload(), Upload()]
        first = [asyncio.create_task(answer(app, upload.receive)) for upload in uploads]
        for upload in uploads:
            await upload.began.wait()
        refused = await answer(app, never)
        headers = dict(refused["headers"])
        assert refused["status"] == 503
        assert int(headers[b"retry-after"]) > 0
        assert headers[b"connection"] == b"close"
        assert (await answer(app, whole, "GET"))["status"] == 200  # who does not upload needs no place
        for upload in uploads:
            upload.go_on.set()
        assert [(await task)["status"] for task in first] == [200, 200]
        assert (await answer(app, whole))["status"] == 200

    asyncio.run(scenario())


def test_an_upload_that_stalls_loses_its_place() -> None:
    async def scenario() -> None:
        app = application(1, stall_seconds=0.01)
        assert (await answer(app, Upload().receive))["status"] == 408
        assert (await answer(app, whole))["status"] == 200

    asyncio.run(scenario())


def test_long_work_is_no_stall() -> None:
    app = application(1, stall_seconds=0.01, work_seconds=0.1)
    assert asyncio.run(answer(app, whole))["status"] == 200


def test_a_client_that_goes_away_frees_its_place() -> None:
    async def gone() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def scenario() -> None:
        app = application(1)
        assert (await answer(app, gone))["status"] == 400
        assert (await answer(app, whole))["status"] == 200

    asyncio.run(scenario())
