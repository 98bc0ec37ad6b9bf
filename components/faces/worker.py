"""`python -m components.faces.worker`: the process that decodes untrusted videos for a `WorkerPool`.

It is killed rather than trusted: memory, CPU time and open files are limited, it can write no file,
and it ends when its parent does. Memory is not limited where the detector computes on CUDA, which maps
tens of gigabytes of address space for itself.
"""

import math
import os
import queue
import resource
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

from components.detectors.base import DetectorFault, Guarded, open_detector, starved
from components.errors import UnmaskError
from components.faces.clip import OUT_OF_MEMORY, Faces, Failure
from components.faces.look import Look, look
from components.faces.policy import CropPolicy
from components.sandbox.protocol import Arrays, Header, message, receive
from components.video.container import VideoFault
from components.video.examine import Examined, examine
from components.video.info import VideoInfo
from components.video.limits import Limits
from components.video.source import probe
from components.video.still import Still, still

OPEN_FILES = 64

Answer = VideoInfo | Examined | Still | Look | Faces | Failure
Task = Callable[[Path], Answer]


def main() -> None:
    """Answer requests until the parent hangs up."""
    inbox, outbox = _claim_pipes()
    setup, _ = receive(_reader(inbox))
    limits = Limits.model_validate(setup["limits"])
    try:
        detector = _detector(setup)
    except UnmaskError as error:
        _send(outbox, {"fault": str(error)})
        return
    tasks = _tasks(setup, limits, detector)
    _limit_resources(limits, memory=not (detector and detector.on_device))
    _send(outbox, {"ready": True})
    _redirect_to_null(1, 2)  # from here on, a dying library's last words are nobody's business
    requests = _follow(inbox)
    while True:
        request = requests.get()
        _renew_cpu_limit(limits.wall_seconds)
        _send(outbox, *reply(tasks[request["task"]], Path(request["path"])))


def _claim_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Move the pipes away from descriptors 0 and 1, where any library may read or print."""
    inbox = os.fdopen(os.dup(0), "rb")
    outbox = os.fdopen(os.dup(1), "wb")
    _redirect_to_null(0)
    os.dup2(2, 1)
    return inbox, outbox


def _redirect_to_null(*descriptors: int) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in descriptors:
        os.dup2(null, descriptor)
    os.close(null)


def _reader(stream: BinaryIO) -> Callable[[memoryview], None]:
    def read_into(view: memoryview) -> None:
        content = stream.read(len(view))
        if len(content) < len(view):
            raise EOFError
        view[:] = content

    return read_into


def _follow(inbox: BinaryIO) -> "queue.SimpleQueue[Header]":
    """Read requests on a thread of their own: it sees at once that the parent has gone, even mid-decode."""
    requests: queue.SimpleQueue[Header] = queue.SimpleQueue()

    def follow() -> None:
        try:
            while True:
                requests.put(receive(_reader(inbox))[0])
        except EOFError:
            os._exit(0)

    threading.Thread(target=follow, daemon=True).start()
    return requests


def _detector(setup: Header) -> Guarded | None:
    """Open what finds faces; a pool that probes has none, and does not pay for OpenCV and ONNX Runtime."""
    if setup["detector"] is None:
        return None
    import cv2  # noqa: PLC0415

    cv2.setNumThreads(1)  # a worker is one core's work
    policy = CropPolicy.model_validate(setup["policy"])
    return Guarded(open_detector(policy.detector, Path(setup["detector"]), setup["provider"]))


def _tasks(setup: Header, limits: Limits, detector: Guarded | None) -> dict[str, Task]:
    tasks: dict[str, Task] = {
        "probe": lambda path: probe(path, limits),
        "examine": lambda path: examine(path, limits),
        "still": lambda path: still(path, limits),
    }
    if detector is None:
        return tasks
    from components.faces.extract import extract  # noqa: PLC0415  it loads OpenCV

    policy = CropPolicy.model_validate(setup["policy"])
    return tasks | {
        "extract": lambda path: extract(path, policy, limits, detector),
        "look": lambda path: look(path, policy, limits, detector),
    }


def answer(task: Task, path: Path) -> Answer:
    """What a task makes of a video; whatever it raises becomes a `Failure`, unless the detector is to blame.

    Raises:
        DetectorFault: it fails, and would for other videos too.
    """
    try:
        return task(path)
    except VideoFault as fault:
        return Failure(fault.status, fault.reason)
    except DetectorFault:
        raise
    except Exception as error:  # one bad video is a row, never a stop
        if starved(error):
            return OUT_OF_MEMORY
        return Failure("undecodable", f"{type(error).__name__}: {' '.join(str(error).split())}"[:300])


def reply(task: Task, path: Path) -> tuple[Header, Arrays]:
    """The answer as a message; to lay out its arrays takes as much memory once more."""
    try:
        return _parts(answer(task, path))
    except DetectorFault as fault:
        return {"fault": str(fault)}, {}
    except MemoryError:
        return _parts(OUT_OF_MEMORY)


def _parts(result: Answer) -> tuple[Header, Arrays]:
    if isinstance(result, Faces):
        numbers, arrays = result.parts()
        return {"faces": numbers}, arrays
    if isinstance(result, Look):
        return result.parts()
    if isinstance(result, Still):
        return {}, {"still": result.image}
    return {_KINDS[type(result)]: asdict(result)}, {}


_KINDS = {VideoInfo: "info", Examined: "examined", Failure: "failure"}


def _send(outbox: BinaryIO, header: Header, arrays: Arrays | None = None) -> None:
    for part in message(header, arrays or {}):
        outbox.write(part)
    outbox.flush()


def _limit_resources(limits: Limits, memory: bool) -> None:
    bounds = {
        resource.RLIMIT_NOFILE: OPEN_FILES,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,  # no file may grow; pipes are not files
    }
    if memory:
        bounds[resource.RLIMIT_AS] = limits.memory_mb * 2**20
    for kind, value in bounds.items():
        hard = resource.getrlimit(kind)[1]
        bounded = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (bounded, bounded))


def _renew_cpu_limit(seconds: float) -> None:
    """Grant CPU time for one more video; the parent's wall clock strikes first unless the parent hangs."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = math.ceil(used.ru_utime + used.ru_stime + seconds) + 1
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(
        resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard)
    )


if __name__ == "__main__":
    main()
