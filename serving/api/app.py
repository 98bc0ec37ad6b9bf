"""The HTTP API: one video in, one verdict out."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path, PurePath
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, File, Request, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi_offline import FastAPIOffline

from components.scores import VideoScore
from components.video.formats import VIDEO_SUFFIXES
from components.video.picture_files import PICTURE_SUFFIXES
from serving.api.limits import BodyLimit, Places, too_large, unavailable
from serving.api.schemas import SCORE_RESPONSES, Live, Model, Ready, describe_model, problem
from serving.scorer import Scorer

_NOT_LOADED = problem("No model is loaded yet", "the model is still loading; try again later")

DESCRIPTION = """
Is the face in this video, or picture, a forgery?

`POST /v1/videos:score` answers with a verdict (`fake`, `real` or `undetermined`), the calibrated probability
behind it, and the status of the video. A video that cannot be scored (no face, not decodable, too short,
too large) is answered too: as `undetermined`, with the reason and without a number. `faces` lists the faces
that were scored; of several the highest probability is the video's. Where `fallback` is `center`, no usable
face was found and the middle of the frame was scored: `faces` is empty, and the number is to be trusted less.
A picture (jpg, png, bmp, webp) is scored as a video of one frame: `frames` is 1, and the evidence is weaker.

    curl -F file=@clip.mp4 http://127.0.0.1:8000/v1/videos:score
"""

health = APIRouter(prefix="/health", tags=["health"])
v1 = APIRouter(prefix="/v1", tags=["scoring"])


def create_app(load: Callable[[], Scorer], *, max_upload_bytes: int, max_concurrency: int) -> FastAPI:
    """Build the application.

    Args:
        load: opens the scorer; called once, when the application starts. The application closes it.
        max_upload_bytes: larger uploads are refused with 413.
        max_concurrency: requests that upload or score at once; more are refused with 503.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.scorer = scorer = await asyncio.to_thread(load)
        try:
            yield
        finally:
            app.state.scorer = None
            await asyncio.to_thread(scorer.close)

    # The documentation pages come from this server: FastAPI's own would fetch their code from a CDN.
    app = FastAPIOffline(
        title="Unmask", description=DESCRIPTION, version=version("unmask"), lifespan=lifespan
    )
    app.state.scorer = None
    app.state.max_upload_bytes = max_upload_bytes
    app.add_middleware(Places, path=v1.url_path_for(score_video.__name__), count=max_concurrency)
    app.add_middleware(BodyLimit, max_bytes=max_upload_bytes)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _failed)
    app.include_router(health)
    app.include_router(v1)
    return app


def loaded(request: Request) -> Scorer:
    """The scorer.

    Raises:
        HTTPException: 503 while none is loaded.
    """
    scorer: Scorer | None = request.app.state.scorer
    if scorer is None:
        raise unavailable("the model is still loading; try again later")
    return scorer


Loaded = Annotated[Scorer, Depends(loaded)]


@v1.post("/videos:score", responses=SCORE_RESPONSES)
def score_video(
    request: Request, scorer: Loaded, file: Annotated[UploadFile, File(description="the video, or picture")]
) -> VideoScore:
    """Score one uploaded video. `path` in the answer is the name of the uploaded file."""
    # Not a coroutine: FastAPI runs it in a thread, and a client that goes away cannot free the place early.
    max_bytes = request.app.state.max_upload_bytes
    if (file.size or 0) > max_bytes:
        raise too_large(max_bytes)
    name = PurePath(file.filename or "").name
    with tempfile.NamedTemporaryFile(prefix="unmask-", suffix=_suffix(name)) as video:
        shutil.copyfileobj(file.file, video, 1024 * 1024)
        video.flush()
        return scorer.score_one(Path(video.name)).model_copy(update={"path": name})


@v1.get("/model", responses={503: _NOT_LOADED})
async def model(scorer: Loaded) -> Model:
    """Which model answers, and its figures on test videos with their intervals."""
    return describe_model(scorer)


@health.get("/live")
async def live() -> Live:
    """Whether the process answers; restart it if it does not."""
    return Live()


@health.get("/ready", responses={503: _NOT_LOADED})
async def ready(scorer: Loaded) -> Ready:
    """Whether a model is loaded; send no videos before."""
    return Ready(model_version=scorer.model_version)


def _suffix(name: str) -> str:
    """A client's suffix where it is a video's or a picture's: nothing else of its name is used."""
    suffix = PurePath(name).suffix.lower()
    return suffix if suffix in VIDEO_SUFFIXES | PICTURE_SUFFIXES else ""


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 (registered for this type alone)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return JSONResponse({"detail": f"{where}: {first['msg']}"}, 422)


async def _failed(request: Request, error: Exception) -> JSONResponse:
    # The exception goes on to the server's log from here; the client is not told more.
    return JSONResponse({"detail": "internal error; the server's log says more"}, 500)
