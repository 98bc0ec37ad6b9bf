"""The manifest's rows, from what the datasets say and what the files hold. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from components.datasets.found import ROOT_NAME
from components.datasets.layouts import Entry, folders
from components.datasets.spellings import Names
from components.faces.clip import Failure
from components.ingest.content import Content
from components.splits.assignment import Assignment
from components.splits.groups import Sample
from components.splits.near_duplicates import near_duplicates
from components.video.examine import Examined

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ListedVideo:
    """An entry of a dataset, its content where the file could be read, and what examining it gave."""

    dataset: str
    entry: Entry
    content: Content | None
    result: Examined | Failure

    @property
    def fingerprint(self) -> str | None:
        return self.result.fingerprint if isinstance(self.result, Examined) else None


def make_samples(
    videos: Sequence[ListedVideo], names: Names, by_looks: bool = True
) -> list[tuple[ListedVideo, Sample]]:
    """What the assignment needs to know of each video, by video id: the order of `videos` decides nothing.

    Args:
        videos: of all datasets.
        names: brings all ways of writing a name to one.
        by_looks: whether to look for near duplicates.
    """
    ids = video_ids([video.entry.path for video in videos])
    ordered = sorted(zip(ids, videos, strict=True), key=lambda pair: pair[0])
    firsts = near_duplicates([video.fingerprint if by_looks else None for _, video in ordered])
    return [
        (video, _sample(video, video_id, names, None if first is None else ordered[first][0]))
        for (video_id, video), first in zip(ordered, firsts, strict=True)
    ]


def make_rows(
    samples: Iterable[tuple[ListedVideo, Sample]], assignments: Iterable[Assignment], folder: str
) -> Iterator[Row]:
    """Yields rows of `components.tables.MANIFEST`, in the order given.

    Args:
        samples: from `make_samples`.
        assignments: what was assigned.
        folder: of the data, relative to the project.
    """
    for (video, sample), assignment in zip(samples, assignments, strict=True):
        yield {
            "video_id": sample.video_id,
            "path": f"{folder}/{video.entry.path}",
            "dataset": video.dataset,
            "label": sample.label,
            "method": sample.method,
            "identities": list(sample.identities),
            "sources": list(sample.sources),
            "group": assignment.group,
            "split": assignment.split,
            "prescribed": sample.prescribed,
            "excluded": assignment.excluded,
            **_facts(video.result),
            "bytes": video.content.bytes if video.content else None,
            "sha256": video.content.sha256 if video.content else None,
            "fingerprint": video.fingerprint,
            "near_duplicate": sample.near_duplicate,
        }


def video_ids(paths: Sequence[str]) -> list[str]:
    """Returns paths without their suffix; with it, where two files differ in nothing else."""
    stems = [str(PurePosixPath(path).with_suffix("")) for path in paths]
    taken = Counter(stems) + Counter(set(paths))
    return [stem if taken[stem] == 1 else path for stem, path in zip(stems, paths, strict=True)]


def _sample(video: ListedVideo, video_id: str, names: Names, near_duplicate: str | None) -> Sample:
    # A source may be another video's path or id, so each video is a source by these names.
    sources = (video.entry.path, video_id, *video.entry.sources)
    entry = names.unified(replace(video.entry, sources=tuple(filter(None, sources))))
    usable = isinstance(video.result, Examined)
    return Sample(
        video_id=video_id,
        dataset=video.dataset,
        label=entry.label,
        method=entry.method,
        identities=entry.identities or (names.stand_in(_without_class(video)),),
        sources=tuple(sorted(entry.sources)),
        # Broken files are often alike, empty ones always: that ties nobody to anybody.
        sha256=video.content.sha256 if video.content and usable else None,
        near_duplicate=near_duplicate,
        usable=usable,
        prescribed=entry.split,
    )


def _without_class(video: ListedVideo) -> str:
    """Returns the path without suffix and class folder, which stands for the person whom nobody names.

    So `real/7.mp4` and `fake/7.mp4` belong together, as those who name files alike mean it; `a/7.mp4` and
    `b/7.mp4` do not, nor do `train/real/7.mp4` and `test/real/7.mp4`.
    """
    above = "" if video.dataset == ROOT_NAME else f"{video.dataset}/"
    path = str(PurePosixPath(video.entry.path).with_suffix(""))
    return above + folders.without_class(path.removeprefix(above))


def _facts(result: Examined | Failure) -> Row:
    if isinstance(result, Failure):
        return dict.fromkeys(_EXAMINED) | {"status": result.status, "reason": result.reason}
    return {name: getattr(result.info, name) for name in _EXAMINED} | {"status": "ok", "reason": None}


_EXAMINED = ("frames", "fps", "width", "height", "duration", "codec")
