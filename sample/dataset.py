"""The embedded sample dataset: talking heads and forgeries of them, in a folder that `ingest` reads."""

import csv
import signal
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import cv2
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from components.cores import cores
from components.errors import StageError
from components.files import replacing
from components.parent import end_with_parent
from sample.encode import write_masks, write_video
from sample.folder import MANIFEST, SAMPLE_MARKER, claimed
from sample.session import Casting, cast, record_session
from sample.settings import SampleSettings

__all__ = ["MANIFEST", "MANIFEST_COLUMNS", "SAMPLE_MARKER", "files", "generate", "name_of"]

MANIFEST_COLUMNS = ("path", "label", "identity", "source", "method")


def generate(folder: Path, settings: SampleSettings | None = None, progress: bool = True) -> None:
    """Makes the sample dataset, or what is missing of it.

    A folder that holds the same sample already is left as it is; an interrupted one is completed; a sample of
    other settings is replaced.

    Args:
        folder: gets real/, fake/ and manifest.csv, which is written last.
        settings: size and seed.
        progress: show a bar on standard error.

    Raises:
        DataError: the folder holds files that are not of a sample.
        BusyError: another process is generating there.
        StageError: a worker was killed.
    """
    settings = settings or SampleSettings()
    castings = cast(settings)
    with claimed(folder, settings):
        missing = [casting for casting in castings if not _is_done(folder, casting)]
        with _bar(progress) as bar:
            task = bar.add_task("people", total=len(castings), completed=len(castings) - len(missing))
            for _ in _record_all(folder, settings, missing):
                bar.advance(task)
        with replacing(folder / MANIFEST) as partial:
            _write_manifest(partial, castings)


def files(folder: Path, casting: Casting) -> tuple[Path, Path, Path]:
    """Returns where a session's genuine clip, forged clip and masks stand."""
    name = name_of(casting.person)
    forged = f"{name}_{casting.forged}"
    real = folder / "real" / f"{name}_{casting.genuine}.mp4"
    return real, folder / "fake" / f"{forged}.mp4", folder / "fake" / f"{forged}.mask.npz"


def name_of(person: int) -> str:
    """Returns the name of a person, as in the manifest."""
    return f"p{person:03d}"


def _is_done(folder: Path, casting: Casting) -> bool:
    return all(path.exists() for path in files(folder, casting))


def _record_all(folder: Path, settings: SampleSettings, castings: list[Casting]) -> Iterator[None]:
    """Records sessions on all cores; yields once for each that is done."""
    workers = min(settings.workers or cores(), len(castings))
    if workers <= 1:
        for casting in castings:
            _record_one(folder, settings, casting)
            yield
        return
    try:
        yield from _record_side_by_side(folder, settings, castings, workers)
    except BrokenProcessPool as error:
        raise StageError(
            f"{folder}: a rendering process was killed (out of memory?); run the same command again to go on"
        ) from error


def _record_side_by_side(
    folder: Path, settings: SampleSettings, castings: list[Casting], workers: int
) -> Iterator[None]:
    # Spawned, not forked: OpenCV's threads do not survive a fork.
    with ProcessPoolExecutor(workers, get_context("spawn"), _start_worker) as pool:
        pending = [pool.submit(_record_one, folder, settings, casting) for casting in castings]
        try:
            for done in as_completed(pending):
                done.result()
                yield
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _start_worker() -> None:
    """One core each; Ctrl-C is the parent's to answer."""
    cv2.setNumThreads(1)
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _record_one(folder: Path, settings: SampleSettings, casting: Casting) -> None:
    session = record_session(settings, casting)
    real, fake, masks = files(folder, casting)
    write_video(real, session.genuine, settings.fps)
    write_video(fake, session.forged, settings.fps)
    write_masks(masks, session.masks)


def _write_manifest(path: Path, castings: Iterable[Casting]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(MANIFEST_COLUMNS)
        table.writerows(sorted(row for casting in castings for row in _rows(casting)))


def _rows(casting: Casting) -> list[tuple[str, ...]]:
    person = name_of(casting.person)
    people = person if casting.donor is None else f"{person};{name_of(casting.donor)}"
    real, fake, _ = files(Path(), casting)
    return [
        (real.as_posix(), "real", person, f"session_{person}", "none"),
        (fake.as_posix(), "fake", people, f"session_{person}", casting.method),
    ]


@contextmanager
def _bar(shown: bool) -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not shown) as bar:
        yield bar
