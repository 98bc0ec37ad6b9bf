"""Runs the API under uvicorn."""

import contextlib
import socket
from pathlib import Path

import uvicorn

from components.errors import BusyError
from components.project import Project
from components.providers import Asked
from serving.api.app import create_app
from serving.champion import ALIAS, open_scorer

MAX_UPLOAD_BYTES = 512 * 1024**2
MAX_CONCURRENCY = 4
SHUTDOWN_SECONDS = 30  # for requests in flight when the server is told to end


def serve(
    host: str = "127.0.0.1",
    port: int = 8000,
    *,
    provider: Asked = "auto",
    workers: int = 0,
    alias: str = ALIAS,
    bundle: Path | None = None,
    project: Project | None = None,
    max_upload_bytes: int = MAX_UPLOAD_BYTES,
    max_concurrency: int = MAX_CONCURRENCY,
) -> None:
    """Serves until Ctrl-C or SIGTERM.

    The model is opened before the server starts, so that what is wrong with it ends the command with its
    one-line error; whoever connects meanwhile waits in the socket's backlog.

    Raises:
        BusyError: the address is taken.
        UnmaskError: the model cannot be opened; see `serving.champion.open_scorer`.
    """
    with (
        listen(host, port) as listener,
        open_scorer(bundle, provider=provider, workers=workers, alias=alias, project=project) as scorer,
    ):
        app = create_app(lambda: scorer, max_upload_bytes=max_upload_bytes, max_concurrency=max_concurrency)
        config = uvicorn.Config(app, server_header=False, timeout_graceful_shutdown=SHUTDOWN_SECONDS)
        with contextlib.suppress(KeyboardInterrupt):  # raised again by uvicorn once all is shut down
            uvicorn.Server(config).run(sockets=[listener])


def listen(host: str, port: int) -> socket.socket:
    """Opens the listening socket.

    Raises:
        BusyError: the address is taken, or is not one of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise BusyError(
            f"{host}:{port}: cannot listen there ({error.strerror}); choose another --port or --host"
        ) from error
