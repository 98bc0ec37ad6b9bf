"""The stage `faces`: the clips of every usable video into the store, and a row for every video."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from components.cores import cores
from components.errors import DataError
from components.faces.clip import Failure
from components.faces.identity import cut_digest
from components.faces.pool import WorkerPool
from components.faces.store import ClipStore, DamagedClipError
from components.params import Params
from components.project import Project
from components.tables import FACES, MANIFEST, read_table, write_table

log = logging.getLogger(__name__)

T = TypeVar("T")
Row = dict[str, Any]
ClipSummary = dict[str, Any]
"""The columns of a FACES row that come from its clips."""

OF_MAIN = ("box_side", "brightness", "colourfulness")
"""Columns that are numbers of the main face's clip."""

NO_CLIP: ClipSummary = {**dict.fromkeys(OF_MAIN), "fallback": None, "clips": 0, "clip": None}

TOLD_EVERY = 30.0
"""Seconds between two lines about progress where no terminal shows a bar."""


def run(project: Project, params: Params, workers: int = 0) -> None:
    """Cuts the missing clips, drops the stale ones, writes `artifacts/faces.parquet`.

    Videos that take no part get neither clips nor a row. Clips that an interrupted run has left are taken
    over. Two videos of the same content share theirs.

    Args:
        project: where the manifest, the detector and the clips are.
        params: `faces` and `limits` of params.yaml.
        workers: child processes; 0 takes one per CPU core.

    Raises:
        StageError: the manifest or the detector is not there, or a clip cannot be written.
        ParamsError: `UNMASK_DETECTOR_PROVIDER` names no provider.
        DataError: no video has a face.
    """
    manifest = read_table(project.manifest, MANIFEST)
    store = ClipStore(project.clips)
    digest = cut_digest(params.faces, project.detector)
    videos = {row["sha256"]: project.root / row["path"] for row in manifest if row["split"]}
    names = {sha256: store.name(sha256, digest) for sha256 in videos}

    workers = workers or cores()
    summaries = _stored(store, names, workers)
    missing = [sha256 for sha256 in videos if sha256 not in summaries]
    log.info("faces: %d videos to cut, %d already there", len(missing), len(summaries))
    with WorkerPool(workers, params.limits, params.faces, project.detector) as pool:
        summaries |= _cut(missing, lambda sha256: _clips(pool, videos[sha256], store, names[sha256]), pool)

    rows = [_row(row, summaries, params.faces.digest) for row in manifest if not row["excluded"]]
    write_table(sorted(rows, key=lambda row: row["video_id"]), FACES, project.faces)
    if stale := store.prune(names.values()):  # only now: a change of mind before the end costs nothing
        log.info("faces: %d clips of other videos or settings removed", len(stale))
    _report(rows, project)


def _stored(store: ClipStore, names: Mapping[str, str], threads: int) -> dict[str, ClipSummary]:
    """Returns what is in the store already, undamaged."""

    def verified(name: str) -> ClipSummary | None:
        try:
            return _summary(store.verify(name), name)
        except DamagedClipError:
            return None

    with ThreadPoolExecutor(threads) as executor:
        summaries = zip(names, executor.map(verified, names.values()), strict=True)
        return {sha256: summary for sha256, summary in summaries if summary}


def _cut(missing: list[str], work: Callable[[str], ClipSummary], pool: WorkerPool) -> dict[str, ClipSummary]:
    """Cuts the missing clips and says how fast that went."""
    start = time.monotonic()
    done = _progress(pool.each(work, missing), len(missing))
    summaries = {missing[index]: summary for index, summary in done}
    seconds = time.monotonic() - start
    if missing:
        log.info("faces: %d videos in %.1f s, %.2f videos/s", len(missing), seconds, len(missing) / seconds)
    return summaries


def _clips(pool: WorkerPool, video: Path, store: ClipStore, name: str) -> ClipSummary:
    """Cuts one video's clips and stores them; called from as many threads as there are workers."""
    result = pool.extract_one(video)
    if isinstance(result, Failure):
        counts = {"frames": result.frames, "face_share": result.face_share, "tracks": result.tracks}
        return {"status": result.status, "reason": result.reason, **NO_CLIP, **counts}
    store.write(name, result)
    return _summary(result.parts()[0], name)


def _summary(numbers: Mapping[str, Any], name: str) -> ClipSummary:
    """Summarises a video with clips, from the numbers of `Faces.parts`."""
    main = numbers["clips"][0]
    return {
        "status": "ok",
        "reason": None,
        "frames": numbers["frames"],
        "face_share": main["face_share"],
        "tracks": numbers["tracks"],
        "clips": len(numbers["clips"]),
        "fallback": numbers["fallback"],
        "clip": name,
        **{column: main[column] for column in OF_MAIN},
    }


def _row(video: Row, summaries: Mapping[str, ClipSummary], crop_digest: str) -> Row:
    """Returns a video's FACES row; one that ingest turned down keeps ingest's status and reason."""
    unusable = {
        "status": video["status"],
        "reason": video["reason"],
        "frames": 0,
        "face_share": 0.0,
        "tracks": 0,
        **NO_CLIP,
    }
    summary = summaries[video["sha256"]] if video["status"] == "ok" else unusable
    return {"video_id": video["video_id"], "crop_digest": crop_digest, **summary}


def _progress(results: Iterable[T], total: int) -> Iterator[T]:
    """Passes results on, with a bar on a terminal, and a line now and then elsewhere."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield from _told(results, total)
        return
    columns = (
        TextColumn("faces"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        yield from progress.track(results, total=total)


def _told(results: Iterable[T], total: int) -> Iterator[T]:
    start = reported = time.monotonic()
    for done, result in enumerate(results, start=1):
        yield result
        now = time.monotonic()
        if now - reported >= TOLD_EVERY and done < total:
            left = (now - start) / done * (total - done)
            log.info("faces: %d of %d videos, about %.0f s left", done, total, left)
            reported = now


def _report(rows: list[Row], project: Project) -> None:
    counts = Counter(row["status"] for row in rows)
    for status, count in sorted(counts.items()):
        log.info("faces: %s: %d of %d videos", status, count, len(rows))
    if fallen := sum(row["fallback"] is not None for row in rows):
        log.info("faces: of these, %d show no face; the middle of the frame was cut instead", fallen)
    if not counts["ok"]:
        reasons = Counter(row["reason"] for row in rows if row["reason"])
        common = f"; most often: {reasons.most_common(1)[0][0]}" if reasons else ""
        raise DataError(f"{project.faces}: not one of {len(rows)} videos shows a face{common}")
