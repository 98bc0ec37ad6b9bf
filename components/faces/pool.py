"""Child processes that decode untrusted videos: killed when they hang, replaced when they crash."""

import logging
import os
import queue
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from pydantic import TypeAdapter

from components.detectors.faults import DetectorFault
from components.detectors.registry import asked_provider, chosen_provider
from components.detectors.settings import PROVIDER_VARIABLE
from components.errors import StageError
from components.faces.clip import OUT_OF_MEMORY, Faces, Failure, GivenUp
from components.faces.look import LOOK_BYTES, Look, read_look
from components.faces.policy import CropPolicy
from components.faces.reply import (
    STILL_BYTES,
    faces_bytes,
    read_examined,
    read_faces_reply,
    read_info,
    read_still,
    refusing,
)
from components.sandbox.process import WorkerDied, WorkerProcess
from components.sandbox.protocol import Arrays, Header, ProtocolError
from components.values import PlainLine
from components.video.examine import Examined
from components.video.info import VideoInfo
from components.video.limits import Limits
from components.video.still import Still

log = logging.getLogger(__name__)

S = TypeVar("S")
T = TypeVar("T")

PROGRAM = "components.faces.worker"

_LINE = TypeAdapter(PlainLine)


class WorkerPool:
    """Decodes videos in `workers` child processes; videos past the limits become a `Failure`.

    Workers start when they are first needed and stay until `close`. All methods may be called from
    several threads at once.

    Args:
        workers: child processes; each uses one CPU core.
        limits: what one video may cost.
        policy: how clips are cut; with `detector`, needed by `extract`.
        detector: folder of the detector's files. Where it computes, `UNMASK_DETECTOR_PROVIDER` says.

    Raises:
        StageError: the detector's files are not there; later, the detector fails, whatever the video.
        ParamsError: `UNMASK_DETECTOR_PROVIDER` is something else than cpu, cuda or auto.
    """

    def __init__(
        self, workers: int, limits: Limits, policy: CropPolicy | None = None, detector: Path | None = None
    ) -> None:
        if policy and detector:
            policy.detector.files_in(detector)
        self._limits = limits
        self._policy = policy if detector else None
        asked_provider()
        self._setup = setup = {
            "limits": limits.model_dump(mode="json"),
            "policy": policy.model_dump(mode="json") if policy else None,
            "detector": str(detector.absolute()) if policy and detector else None,
            # Chosen once: workers that fell back one by one would cut the same video in two ways.
            "provider": chosen_provider(policy.detector, detector) if policy and detector else "cpu",
        }
        most = max(STILL_BYTES, faces_bytes(policy) + LOOK_BYTES if policy else 0)
        self._workers = [WorkerProcess(PROGRAM, setup, most) for _ in range(workers)]
        self._idle: queue.LifoQueue[WorkerProcess] = queue.LifoQueue()  # warm workers first
        for worker in self._workers:
            self._idle.put(worker)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pids(self) -> list[int]:
        """The process ids of the workers that run now."""
        return [worker.pid for worker in self._workers if worker.pid]

    def close(self) -> None:
        """Kill all workers; requests in flight end with a StageError."""
        for worker in self._workers:
            worker.close()

    def probe(self, paths: Iterable[Path]) -> Iterator[tuple[int, VideoInfo | Failure]]:
        """Returns what each video is, with its index in `paths`, in order of completion."""
        return self.each(self.probe_one, paths)

    def examine(self, paths: Iterable[Path]) -> Iterator[tuple[int, Examined | Failure]]:
        """Returns what each video is and looks like, with its index in `paths`, in order of completion."""
        return self.each(self.examine_one, paths)

    def stills(self, paths: Iterable[Path]) -> Iterator[tuple[int, Still | Failure]]:
        """Returns a small picture of each video, with its index in `paths`, in order of completion."""
        return self.each(self.still_one, paths)

    def extract(self, paths: Iterable[Path]) -> Iterator[tuple[int, Faces | Failure]]:
        """Returns the faces of each video, with its index in `paths`, in order of completion."""
        return self.each(self.extract_one, paths)

    def probe_one(self, path: Path) -> VideoInfo | Failure:
        """Returns what a video is, or why it cannot be used."""
        return self._ask("probe", path, lambda header, _: read_info(header))

    def examine_one(self, path: Path) -> Examined | Failure:
        """Returns what a video is and looks like, or why it cannot be used."""
        return self._ask("examine", path, lambda header, _: read_examined(header))

    def still_one(self, path: Path) -> Still | Failure:
        """Returns a small picture from the middle of a video, or why there is none."""
        return self._ask("still", path, read_still)

    def extract_one(self, path: Path) -> Faces | Failure:
        """Returns the faces of a video, or why there is none."""
        policy = self._policy
        if policy is None:
            raise StageError("this pool was made without a crop policy and a detector; it can only probe")
        return self._ask("extract", path, lambda header, arrays: read_faces_reply(header, arrays, policy))

    def look(self, paths: Iterable[Path]) -> Iterator[tuple[int, Look | Failure]]:
        """Returns what is seen in each video, with its index in `paths`, in order of completion."""
        return self.each(self.look_one, paths)

    def look_one(self, path: Path) -> Look | Failure:
        """Returns the faces of a video, and all that was seen on the way to them."""
        policy = self._policy
        if policy is None:
            raise StageError("this pool was made without a crop policy and a detector; it can only probe")
        return self._ask("look", path, lambda header, arrays: read_look(header, arrays, policy))

    def _ask(self, task: str, path: Path, read: Callable[[Header, Arrays], T]) -> T | Failure:
        worker = self._idle.get()
        try:
            answer = self._attempt(worker, task, path, read)
            if _is_spent(answer):
                worker.discard()
                answer = self._attempt(worker, task, path, read)
            if _is_spent(answer):
                worker.discard()
            if isinstance(answer, DetectorFault):
                raise StageError(f"{path}: the face detector failed twice ({answer}); {self._remedy()}")
            return answer
        except TimeoutError:
            return _given_up(f"took longer than {self._limits.wall_seconds:g} s and was given up")
        except WorkerDied as death:
            return _given_up(f"the decoder crashed twice ({death})")
        except ProtocolError as error:  # a worker that a video has taken over
            worker.discard()
            return _given_up(f"the decoder answered with nonsense ({error})")
        finally:
            self._idle.put(worker)

    def _attempt(
        self, worker: WorkerProcess, task: str, path: Path, read: Callable[[Header, Arrays], T]
    ) -> T | Failure | DetectorFault:
        header, arrays = self._answer(worker, task, path)
        if "fault" not in header or self._policy is None:
            return read(header, arrays)
        with refusing():
            return DetectorFault(_LINE.validate_python(header["fault"]))

    def _remedy(self) -> str:
        if self._setup["provider"] == "cuda":
            return f"take fewer workers, or set {PROVIDER_VARIABLE}=cpu"
        return f"make {self._setup['detector']} again, in a project with dvc repro -f detector"

    def _answer(self, worker: WorkerProcess, task: str, path: Path) -> tuple[Header, Arrays]:
        """Asks, and once more where the worker dies: the machine may have run out of memory meanwhile."""
        request = {"task": task, "path": os.fspath(path.absolute())}
        try:
            return worker.ask(request, self._limits.wall_seconds)
        except WorkerDied as death:
            log.warning("%s: the decoder crashed (%s); once more", path, death)
            return worker.ask(request, self._limits.wall_seconds)

    def each(self, work: Callable[[S], T], items: Iterable[S]) -> Iterator[tuple[int, T]]:
        """Do work that asks this pool, for as many items at a time as there are workers.

        The look-ahead is bounded, so that a long or endless list of items costs no memory.

        Returns:
            What the work gave for each item, with its index in `items`, in order of completion.
        """
        todo = enumerate(items)
        running: dict[Future[T], int] = {}
        executor = ThreadPoolExecutor(len(self._workers), thread_name_prefix="video")
        try:
            while True:
                for index, item in islice(todo, 2 * len(self._workers) - len(running)):
                    running[executor.submit(work, item)] = index
                if not running:
                    return
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    yield running.pop(future), future.result()
        finally:
            executor.shutdown(wait=False, cancel_futures=True)


def _is_spent(answer: object) -> bool:
    """Tell whether a fresh worker may do better: earlier videos may have left too little, or a device ill."""
    return answer == OUT_OF_MEMORY or isinstance(answer, DetectorFault)


def _given_up(reason: str) -> GivenUp:
    return GivenUp("undecodable", reason)
