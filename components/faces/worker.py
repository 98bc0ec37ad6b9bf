"""`python -m components.faces.worker`: the process that decodes untrusted videos for a `WorkerPool`."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from components.detectors.faults import DetectorFault, Guarded, starved
from components.detectors.registry import open_detector
from components.errors import UnmaskError
from components.faces.clip import OUT_OF_MEMORY, Faces, Failure
from components.faces.look import Look, look
from components.faces.policy import CropPolicy
from components.sandbox.child import Child
from components.sandbox.protocol import Arrays, Header
from components.video.container import VideoFault
from components.video.examine import Examined, examine
from components.video.info import VideoInfo
from components.video.limits import Limits
from components.video.source import probe
from components.video.still import Still, still

WorkerResult = VideoInfo | Examined | Still | Look | Faces | Failure
Task = Callable[[Path], WorkerResult]


def main() -> None:
    """Answer requests until the parent hangs up."""
    child = Child()
    limits = Limits.model_validate(child.setup["limits"])
    try:
        detector = _detector(child.setup)
    except UnmaskError as error:
        child.refuse(str(error))
        return
    tasks = _tasks(child.setup, limits, detector)
    child.serve(
        lambda request: reply(tasks[request["task"]], Path(request["path"])),
        limits.wall_seconds,
        memory_limit(limits, detector),
    )


def memory_limit(limits: Limits, detector: Guarded | None) -> int | None:
    """MiB; none where the detector computes on CUDA, which maps tens of gigabytes for itself."""
    return None if detector and detector.on_device else limits.memory_mb


def _detector(setup: Header) -> Guarded | None:
    """Opens what finds faces; a pool that probes has none, and does not pay for OpenCV and ONNX Runtime."""
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


def answer(task: Task, path: Path) -> WorkerResult:
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
    """Returns the answer as a message; to lay out its arrays takes as much memory once more."""
    try:
        return _parts(answer(task, path))
    except DetectorFault as fault:
        return {"fault": str(fault)}, {}
    except MemoryError:
        return _parts(OUT_OF_MEMORY)


def _parts(result: WorkerResult) -> tuple[Header, Arrays]:
    if isinstance(result, Faces):
        numbers, arrays = result.parts()
        return {"faces": numbers}, arrays
    if isinstance(result, Look):
        return result.parts()
    if isinstance(result, Still):
        return {}, {"still": result.image}
    return {_KINDS[type(result)]: asdict(result)}, {}


_KINDS = {VideoInfo: "info", Examined: "examined", Failure: "failure"}


if __name__ == "__main__":
    main()
