"""The stage `faces`: a clip of every usable video into the store, and a row for every video."""

import logging
import os
from collections import Counter
from collections.abc import Iterable, Iterator
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

from components.errors import DataError
from components.faces.clip import Faces, Failure
from components.faces.identity import cut_digest
from components.faces.pool import WorkerPool
from components.faces.store import ClipStore, DamagedClipError
from components.params import Params
from components.project import Project
from components.tables import FACES, MANIFEST, read_table, write_table

log = logging.getLogger(__name__)

T = TypeVar("T")
Row = dict[str, Any]
Summary = dict[str, Any]
"""The columns of a FACES row that come from its clip."""

NO_CLIP: Summary = {"box_side": None, "fallback": None, "clips": 0, "clip": None}


def run(project: Project, params: Params, workers: int = 0) -> None:
    """Cut the missing clips, drop the stale ones, write `artifacts/faces.parquet`.

    Videos that take no part get neither a clip nor a row.

    Clips that an interrupted run has left are taken over. Two videos of the same content share one.

    Args:
        project: where the manifest, the detector and the clips are.
        params: `faces` and `limits` of params.yaml.
        workers: child processes; 0 takes one per CPU core.

    Raises:
        StageError: the manifest or the detector is not there.
        DataError: no video has a face.
    """
    manifest = read_table(project.manifest, MANIFEST)
    store = ClipStore(project.clips)
    digest = cut_digest(params.faces, project.detector)
    videos = {row["sha256"]: project.root / row["path"] for row in manifest if row["split"]}
    names = {sha256: store.name(sha256, digest) for sha256 in videos}
    store.prune(names.values())

    summaries = {sha256: found for sha256, name in names.items() if (found := _stored(store, name))}
    missing = [sha256 for sha256 in videos if sha256 not in summaries]
    log.info("faces: %d clips to cut, %d already there", len(missing), len(summaries))
    with WorkerPool(workers or _cores(), params.limits, params.faces, project.detector) as pool:
        results = pool.extract(videos[sha256] for sha256 in missing)
        for index, result in _progress(results, len(missing)):
            sha256 = missing[index]
            if isinstance(result, Faces):
                store.write(names[sha256], result)
            summaries[sha256] = _summary(result, names[sha256])

    rows = [_row(row, summaries, params.faces.digest) for row in manifest if not row["excluded"]]
    write_table(sorted(rows, key=lambda row: row["video_id"]), FACES, project.faces)
    _report(rows, project)


def _stored(store: ClipStore, name: str) -> Summary | None:
    try:
        return _summary(store.read(name), name)
    except DamagedClipError:
        return None


def _summary(result: Faces | Failure, name: str) -> Summary:
    common = {"frames": result.frames, "face_share": result.face_share, "tracks": result.tracks}
    if isinstance(result, Failure):
        return {"status": result.status, "reason": result.reason, **NO_CLIP, **common}
    cut = {"box_side": result.main.box_side, "fallback": result.fallback, "clips": len(result.clips)}
    return {"status": "ok", "reason": None, "clip": name, **cut, **common}


def _row(video: Row, summaries: dict[str, Summary], crop_digest: str) -> Row:
    """A video's FACES row; one that ingest turned down keeps ingest's status and reason."""
    unusable = {
        "status": video["status"],
        "reason": video["reason"],
        "frames": 0,
        "face_share": 0.0,
        "tracks": 0,
        **NO_CLIP,
    }
    found = summaries[video["sha256"]] if video["status"] == "ok" else unusable
    return {"video_id": video["video_id"], "crop_digest": crop_digest, **found}


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _progress(results: Iterable[T], total: int) -> Iterator[T]:
    columns = (
        TextColumn("faces"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield from progress.track(results, total=total)


def _report(rows: list[Row], project: Project) -> None:
    counts = Counter(row["status"] for row in rows)
    for status, count in sorted(counts.items()):
        log.info("faces: %s: %d of %d videos", status, count, len(rows))
    if not counts["ok"]:
        reasons = Counter(row["reason"] for row in rows if row["reason"])
        common = f"; most often: {reasons.most_common(1)[0][0]}" if reasons else ""
        raise DataError(f"{project.faces}: not one of {len(rows)} videos shows a face{common}")
