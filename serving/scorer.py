"""One scorer for the command line, the API, batch jobs and MLflow: a bundle and a video give a verdict."""

import math
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from components.bundle import Bundle
from components.cores import cores
from components.errors import BundleError
from components.faces.clip import Clip, Faces, Failure, Origin
from components.faces.pool import WorkerPool
from components.pooling import decisive
from components.printable import printable
from components.providers import Asked, open_session
from components.scores import FaceScore, Verdict, VideoScore


def verdict(probability: float | None, threshold: float) -> Verdict:
    """Decides: no probability is no verdict, and the threshold itself counts as fake."""
    if probability is None:
        return "undetermined"
    return "fake" if probability >= threshold else "real"


class Scorer:
    """A bundle, opened: cuts face clips in worker processes and classifies them with ONNX Runtime.

    A context manager. Methods may be called from several threads at once.

    Args:
        bundle: what to score with.
        provider: where to classify; see `components.providers`.
        workers: processes that decode videos; 0 is one per core.
        model_version: repeated in every score.

    Raises:
        ProviderError: CUDA was asked for and cannot be used.
        BundleError: the bundle's model cannot be opened.
    """

    def __init__(
        self, bundle: Bundle, *, provider: Asked = "auto", workers: int = 0, model_version: str = ""
    ) -> None:
        self.bundle = bundle
        self.model_version = model_version
        self._session = open_session(bundle.model, provider)
        self._masked = any(model_input.name == "mask" for model_input in self._session.get_inputs())
        self.workers = workers or cores()
        self._pool = WorkerPool(self.workers, bundle.info.limits, bundle.info.crop, bundle.detector)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the worker processes. May be called twice."""
        self._pool.close()

    @property
    def provider(self) -> str:
        """ONNX Runtime's name of where it computes."""
        return str(self._session.get_providers()[0])

    def score(self, paths: Sequence[Path], progress: bool = False) -> Iterator[VideoScore]:
        """Scores videos, as many at once as there are workers, and yields the scores in the order given.

        Args:
            paths: the videos.
            progress: show a progress bar on stderr.
        """
        threads = ThreadPoolExecutor(self.workers, thread_name_prefix="score")
        try:
            pending = [threads.submit(self.score_one, path) for path in paths]
            yield from (future.result() for future in _watch(pending, progress))
        finally:
            threads.shutdown(wait=False, cancel_futures=True)  # `close` ends what still runs

    def score_one(self, path: Path) -> VideoScore:
        """Scores one video. Whatever is wrong with the video becomes a status."""
        began = time.perf_counter()
        absence = _absence(path)
        outcome = Failure("undecodable", absence) if absence else self._pool.extract_one(path)
        failure = outcome if isinstance(outcome, Failure) else None
        scored = self._score_faces(outcome, path) if isinstance(outcome, Faces) else ()
        probability = next((face.probability for face in scored if face.decisive), None)
        fallback = outcome.fallback if isinstance(outcome, Faces) else None
        return VideoScore(
            path=printable(path),
            verdict=verdict(probability, self.bundle.info.threshold),
            probability=probability,
            status=failure.status if failure else "ok",
            reason=failure.reason if failure else None,
            frames=outcome.frames,
            face_share=outcome.face_share,
            fallback=fallback,
            faces=() if fallback else scored,  # the middle of a frame is no face
            seconds=round(time.perf_counter() - began, 3),
            model_version=self.model_version,
        )

    def _score_faces(self, faces: Faces, path: Path) -> tuple[FaceScore, ...]:
        """Returns each clip by itself, and which of them decides."""
        logits = [self._logit(clip.crops) for clip in faces.clips]
        chosen = decisive(logits)
        if not all(map(math.isfinite, logits)):
            broken = next(logit for logit in logits if not math.isfinite(logit))
            raise BundleError(
                f"{self.bundle.model}: yields {broken} for {printable(path)}; train and export it again"
            )
        probability = self.bundle.info.calibration.probability
        return tuple(
            _face_score(clip, faces.times, probability(logit), index == chosen)
            for index, (clip, logit) in enumerate(zip(faces.clips, logits, strict=True))
        )

    def _logit(self, crops: NDArray[np.uint8]) -> float:
        """Classifies one clip, crops (T, H, W, 3).

        Always a batch of one: sums in another order differ in their last digits, and a video's score must
        not depend on which videos are scored beside it.
        """
        feeds = {"clip": crops[None]}
        if self._masked:
            feeds["mask"] = np.ones((1, len(crops)), dtype=np.bool_)
        (logit,) = self._session.run(["logit"], feeds)
        return float(logit[0])


def _face_score(clip: Clip, times: NDArray[np.float64], probability: float, chosen: bool) -> FaceScore:
    shown = np.flatnonzero(clip.origins != Origin.REPEATED)
    first, last = (int(shown[0]), int(shown[-1])) if len(shown) else (0, len(times) - 1)
    x1, y1, x2, y2 = (round(float(edge)) for edge in clip.boxes[first])
    return FaceScore(
        probability=probability,
        decisive=chosen,
        face_share=clip.face_share,
        box_side=clip.box_side,
        start=round(float(times[first]), 3),
        end=round(float(times[last]), 3),
        box=(x1, y1, x2, y2),
    )


def _absence(path: Path) -> str | None:
    """Returns why there is no file to open, or None where there is one."""
    try:
        if path.is_file() or path.is_dir():  # the latter of pictures
            return None
        return "not a file" if path.exists() else "no such file"
    except OSError as error:  # a name that is too long, a folder that is not ours to enter
        return f"cannot be read: {error.strerror}"


def _watch(pending: list[Future[VideoScore]], progress: bool) -> Iterator[Future[VideoScore]]:
    console = Console(stderr=True)
    yield from track(pending, "Scoring", console=console, transient=True, disable=not progress)
