"""What one request may cost: the bytes of its body, and a place among those that score at once."""

import asyncio

from fastapi import HTTPException
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FRAMING = 64 * 1024
"""What multipart adds around a file: boundaries and headers."""

RETRY_AFTER = "5"  # seconds: a few videos' worth

STALL_SECONDS = 30.0
"""How long an upload may send nothing before its place goes to another."""


class BodyLimit:
    """ASGI middleware that ends a request with 413 as soon as its body is known to be too large.

    The form parser writes uploads to disk before any endpoint runs, so the bytes are counted as they
    arrive; a `Content-Length` that admits to too many is answered before anything is read.
    """

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif _announced(scope) > self.max_bytes + FRAMING:
            await _refusal(too_large(self.max_bytes))(scope, receive, send)
        else:
            await self.app(scope, self._counted(receive), send)

    def _counted(self, receive: Receive) -> Receive:
        left = self.max_bytes + FRAMING

        async def counted() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise too_large(self.max_bytes)
            return message

        return counted


class Places:
    """ASGI middleware that gives out places for requests that score at once.

    A place is taken before the first byte of the body is read and kept until the answer is sent, so that
    `count` also bounds the uploads that lie on disk. There is no queue: who finds none free is told with
    503 to come back. An upload that stalls loses its place with 408.
    """

    def __init__(self, app: ASGIApp, path: str, count: int, stall_seconds: float = STALL_SECONDS) -> None:
        self.app = app
        self.path = path
        self.stall_seconds = stall_seconds
        self._free = count  # touched by one event loop only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or (scope["method"], scope["path"]) != ("POST", self.path):
            await self.app(scope, receive, send)
        elif not self._free:
            refusal = _refusal(unavailable("all scoring places are busy; try again later"))
            await refusal(scope, receive, send)
        else:
            await self._in_place(scope, receive, send)

    async def _in_place(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._free -= 1
        try:
            await self.app(scope, self._unstalled(receive), send)
        finally:
            self._free += 1

    def _unstalled(self, receive: Receive) -> Receive:
        async def unstalled() -> Message:
            try:
                return await asyncio.wait_for(receive(), self.stall_seconds)
            except TimeoutError as error:
                raise HTTPException(408, f"no byte of the upload for {self.stall_seconds:g} s") from error

        return unstalled


def too_large(max_bytes: int) -> HTTPException:
    """413, for an upload of more than `max_bytes`."""
    return HTTPException(413, f"the upload is larger than the {max_bytes} bytes that this server takes")


def unavailable(detail: str) -> HTTPException:
    """503, with the seconds after which to try again."""
    return HTTPException(503, detail, {"Retry-After": RETRY_AFTER})


def _refusal(error: HTTPException) -> JSONResponse:
    """An answer before the body is read; the connection cannot be used again with a body still in it."""
    headers = {**(error.headers or {}), "Connection": "close"}
    return JSONResponse({"detail": error.detail}, error.status_code, headers)


def _announced(scope: Scope) -> int:
    length = Headers(scope=scope).get("content-length", "0")
    return int(length) if length.isascii() and length.isdigit() else 0
