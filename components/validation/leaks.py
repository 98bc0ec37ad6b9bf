"""`leaks.csv`: who and what stands in two splits, a line for each video on either side."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from components.splits.audit import Leak

LEAK_COLUMNS = ("kind", "key", "split", "video_id", "path")


def write_leaks(path: Path, leaks: Sequence[Leak], rows: Iterable[Mapping[str, Any]]) -> None:
    """Writes the leaks found in rows of the manifest; a header alone where there are none."""
    paths = {row["video_id"]: row["path"] for row in rows}
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(LEAK_COLUMNS)
        for leak in leaks:
            for split, videos in leak.videos.items():
                writer.writerows((leak.kind, leak.key, split, video, paths[video]) for video in videos)
