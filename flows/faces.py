"""`unmask faces`: what the pipeline sees in videos, as tables."""

import sys
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from pydantic import ValidationError
from rich.cells import cell_len
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from components.bundle import open_bundle
from components.cores import cores
from components.errors import DataError, ParamsError, StageError
from components.faces.clip import Faces, Failure
from components.faces.look import Look, Sighted
from components.faces.policy import CropPolicy
from components.faces.pool import WorkerPool
from components.params import load_params
from components.video.limits import Limits
from components.video.sampling import Even
from flows.environment import find_project
from flows.paths import shortened_to_fit

MOST_FACES = 12
"""Rows of a table."""


@dataclass(frozen=True)
class Setup:
    """How faces are found and cut."""

    policy: CropPolicy
    limits: Limits
    detector: Path


@dataclass(frozen=True)
class Viewed:
    """A video and what was seen in it."""

    name: str
    found: Look | Failure


def setup(bundle: Path | None, params: Path | None, tracks: str | None, frames: int | None) -> Setup:
    """Returns what the options of the command ask for.

    Raises:
        DataError: options that exclude each other, or ask for more than a worker can hold.
        BundleError: the bundle cannot be used.
        ParamsError: the file of parameters cannot be used.
        StageError: the detector's files are not there and cannot be made.
    """
    if bundle and params:
        raise DataError("--bundle and --params: a bundle brings its own policy; name one of them")
    detector = None
    if bundle:
        opened = open_bundle(bundle)
        policy, limits, detector = opened.info.crop, opened.info.limits, opened.detector
    else:
        policy, limits = _policy(params)
    changed = {"tracks": tracks} if tracks else {}
    sampling = {"sampling": Even(frames=frames)} if frames else {}
    try:
        policy = CropPolicy.model_validate({**dict(policy), **changed, **sampling})
    except ValidationError as error:
        raise DataError(f"--tracks, --frames: {error.errors()[0]['msg']}") from error
    return Setup(policy, limits, detector or _detector(policy))


def _policy(params: Path | None) -> tuple[CropPolicy, Limits]:
    """Reads the policy of a file of parameters, else of the project around here, else what is built in."""
    if params is None:
        try:
            params = find_project().params
        except ParamsError:
            return CropPolicy(), Limits()
    elif not params.is_file():
        raise ParamsError(f"--params {params}: not found; name a params.yaml that exists")
    read = load_params(params)
    return read.faces, read.limits


def _detector(policy: CropPolicy) -> Path:
    """Returns the project's, where it has been made; else one in the user's cache, made once."""
    try:
        folder = find_project().detector
        policy.detector.files_in(folder)
        return folder
    except (ParamsError, StageError):
        return converted(policy)


def converted(policy: CropPolicy) -> Path:
    """Returns the detector in the user's cache, made where it is not there yet.

    Raises:
        StageError: it cannot be made, or the cache cannot be written.
    """
    from components.export.detector import ensure_detector

    cache = Path.home() / ".cache" / "unmask" / "detector"
    try:
        return ensure_detector(policy.detector, cache)
    except OSError as error:
        raise StageError(f"{cache}: {error.strerror}; run this in a project, or name a --bundle") from error


def view(
    videos: Sequence[Path], names: Sequence[str], asked: Setup, workers: int, pictures: bool
) -> Generator[Viewed, None, None]:
    """Looks at videos, in child processes.

    Args:
        videos: where they are.
        names: what they are called.
        asked: how faces are found and cut.
        workers: how many processes; 0 is one per core.
        pictures: whether looks keep their frames and crops, which a sheet shows and a table does not.

    Yields:
        Each video in the order given, as soon as it and those before it are done.
    """
    processes = min(workers or cores(), len(videos))
    waiting: dict[int, Look | Failure] = {}
    following = 0
    with _bar() as bar, WorkerPool(processes, asked.limits, asked.policy, asked.detector) as pool:
        for index, outcome in bar.track(pool.look(videos), len(videos), description="looking"):
            waiting[index] = outcome if pictures else _without_pictures(outcome)
            while following in waiting:
                yield Viewed(names[following], waiting.pop(following))
                following += 1


def _bar() -> Progress:
    """Makes a bar on a terminal, below the tables that are printed meanwhile."""
    console = Console(stderr=True)
    redirect = sys.stdout.isatty()
    return Progress(
        console=console, transient=True, redirect_stdout=redirect, disable=not console.is_terminal
    )


def _without_pictures(outcome: Look | Failure) -> Look | Failure:
    if isinstance(outcome, Failure):
        return outcome
    result = outcome.result
    if isinstance(result, Faces):
        clips = (replace(clip, crops=np.empty((0, *clip.crops.shape[1:]), np.uint8)) for clip in result.clips)
        result = replace(result, clips=tuple(clips))
    return replace(outcome, result=result, pictures=np.empty((0, *outcome.pictures.shape[1:]), np.uint8))


def ranks(look: Look) -> dict[int, int]:
    """Returns the place of each track: those that are scored first, then those seen most often."""
    counts = {face.track: 0 for face in look.sighted}
    for face in look.sighted:
        counts[face.track] += 1
    others = sorted(counts.keys() - set(look.scored), key=lambda track: (-counts[track], track))
    return {track: place for place, track in enumerate([*look.scored, *others])}


def look_line(look: Look) -> str:
    """Returns a look in one line."""
    info, result = look.info, look.result
    scored = len(result.clips) if isinstance(result, Faces) and result.fallback is None else 0
    return (
        f"{info.width}×{info.height}, {info.fps:.4g} frames/s, {info.duration:.1f} s, {info.codec} · "
        f"{len(look.times)} frames sampled · faces told apart: {len(ranks(look))}, scored: {scored} · "
        f"{look.cpu:.2f} s CPU, {look.wall:.2f} s wall"
    )


def print_view(video: Viewed, policy: CropPolicy) -> None:
    """Prints what was seen in a video, with a table of its faces."""
    console = Console()
    result = video.found if isinstance(video.found, Failure) else video.found.result
    status = "ok" if isinstance(result, Faces) else f"{result.status}: {result.reason}"
    if isinstance(result, Faces) and result.fallback:
        status = "ok: no face is scored, the middle of the frame stands in"
    # On a line with the status; where both do not fit, the name still takes no second line.
    name = shortened_to_fit(
        video.name, console, max(console.width - cell_len(status) - 2, console.width // 2)
    )
    console.print(Text.assemble("\n", (name, "bold"), f"  {status}"), highlight=False, soft_wrap=True)
    if isinstance(video.found, Look):
        console.print(look_line(video.found), highlight=False, style="dim")
        if video.found.sighted:
            console.print(_table(video.found, policy))
    console.file.flush()  # whoever reads a pipe sees it now, not at the end


def _table(look: Look, policy: CropPolicy) -> Table:
    """Makes a table as wide as a terminal of 80 columns."""
    table = Table("face", "frames", "share", "first", "last", "side", "score", "scored")
    order = sorted(ranks(look).items(), key=lambda item: item[1])
    for track, place in order[:MOST_FACES]:
        table.add_row(str(place + 1), *_cells(look, track, policy))
    if len(order) > MOST_FACES:
        table.add_row("…", f"+{len(order) - MOST_FACES} more")
    return table


def _cells(look: Look, track: int, policy: CropPolicy) -> Iterator[str]:
    faces = [face for face in look.sighted if face.track == track]
    share = len(faces) / len(look.times)
    yield f"{len(faces)} of {len(look.times)}"
    yield f"{share:.0%}"
    yield from (f"{look.times[face.frame]:.2f} s" for face in (faces[0], faces[-1]))
    yield f"{np.median([_side(face) for face in faces]):.0f} px"
    yield f"{np.mean([face.score for face in faces]):.3f}"
    yield "yes" if track in look.scored else _why_not(share, policy)


def _side(face: Sighted) -> float:
    return float(max(face.box[2] - face.box[0], face.box[3] - face.box[1]))


def _why_not(share: float, policy: CropPolicy) -> str:
    if share < policy.min_face_share:
        return f"< {100 * policy.min_face_share:.3g}%"
    return "not main" if policy.tracks == "main" else "too many"
