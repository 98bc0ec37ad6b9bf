"""The manifest's rows, from what the dataset says and what the files hold. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from components.faces.clip import Failure
from components.faces.video import VideoInfo
from components.ingest.content import Content
from components.ingest.groups import Group, Sample, group_samples
from components.ingest.identities import UNNAMED, disjointness, is_named
from components.ingest.layouts import Entry
from components.ingest.layouts.base import LABELS, SPLITS, Split, some
from components.ingest.splits import deal
from components.params import IngestParams

Row = dict[str, Any]


@dataclass(frozen=True)
class Video:
    """An entry, its content where the file could be read, and what probing it gave."""

    entry: Entry
    content: Content | None
    probed: VideoInfo | Failure


def make_rows(videos: Sequence[Video], folder: str, params: IngestParams) -> list[Row]:
    """Rows of `components.tables.MANIFEST`, sorted by video id.

    Args:
        videos: in any order.
        folder: of the data, relative to the project.
        params: how groups are dealt to splits.

    Raises:
        LeakageError: the dataset prescribes different splits for videos that belong together.
    """
    ids = video_ids([video.entry.path for video in videos])
    ordered = sorted(zip(ids, videos, strict=True), key=lambda pair: pair[0])
    samples = [_sample(video, video_id) for video_id, video in ordered]
    groups = group_samples(samples)
    splits = deal(samples, groups, params.val_share, params.test_share, params.seed)
    return [
        _row(video, sample, group, split, folder)
        for (_, video), sample, group, split in zip(ordered, samples, groups, splits, strict=True)
    ]


def video_ids(paths: Sequence[str]) -> list[str]:
    """Paths without their suffix; with it, where two files differ in nothing else."""
    stems = [str(PurePosixPath(path).with_suffix("")) for path in paths]
    taken = Counter(stems) + Counter(set(paths))
    return [stem if taken[stem] == 1 else path for stem, path in zip(stems, paths, strict=True)]


def summary(rows: Sequence[Row]) -> Iterator[str]:
    """Lines for a person: what there is, how it was dealt, what that proves, and what cannot be used."""
    labels = ", ".join(f"{_count(rows, 'label', label)} {label}" for label in LABELS)
    splits = ", ".join(f"{split} {_count(rows, 'split', split)}" for split in SPLITS)
    groups = len({row["group"] for row in rows})
    yield f"{len(rows)} videos ({labels}) in {groups} groups: {splits}"
    yield _proof([row for row in rows if row["split"]])
    broken = [f"{row['path']} ({row['status']}: {row['reason']})" for row in rows if row["status"] != "ok"]
    if broken:
        yield f"{len(broken)} of them cannot be used: {some(broken)}"


def _count(rows: Sequence[Row], column: str, value: str) -> int:
    return sum(row[column] == value for row in rows)


def _proof(dealt: Sequence[Row]) -> str:
    unnamed = sum(not is_named(row["identities"]) for row in dealt)
    remedy = " Name people in the column identity of data/manifest.csv." if unnamed else ""
    return disjointness(unnamed, len(dealt)) + remedy


def _sample(video: Video, video_id: str) -> Sample:
    entry, usable = video.entry, isinstance(video.probed, VideoInfo)
    return Sample(
        video_id=video_id,
        label=entry.label,
        method=entry.method,
        identities=entry.identities or (f"{UNNAMED}{PurePosixPath(entry.path).stem}",),
        # A source may be another video's path or id, so each video is a source by these names.
        sources=tuple(sorted({entry.path, video_id, entry.source} - {""})),
        # Broken files are often alike, empty ones always: that ties nobody to anybody.
        sha256=video.content.sha256 if video.content and usable else None,
        usable=usable,
        split=entry.split,
    )


def _row(video: Video, sample: Sample, group: Group, split: Split | None, folder: str) -> Row:
    return {
        "video_id": sample.video_id,
        "path": f"{folder}/{video.entry.path}",
        "label": sample.label,
        "method": sample.method,
        "identities": list(sample.identities),
        "group": group,
        "split": split,
        **_facts(video.probed),
        "bytes": video.content.bytes if video.content else None,
        "sha256": video.content.sha256 if video.content else None,
    }


def _facts(probed: VideoInfo | Failure) -> Row:
    if isinstance(probed, Failure):
        return dict.fromkeys(_PROBED) | {"status": probed.status, "reason": probed.reason}
    return {name: getattr(probed, name) for name in _PROBED} | {"status": "ok", "reason": None}


_PROBED = ("frames", "fps", "width", "height", "duration", "codec")
