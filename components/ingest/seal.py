"""Whether a run can change anything: a digest of all that ingest reads, and of what it wrote from that."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from components.datasets.found import Dataset
from components.fingerprint import fingerprint, sha256
from components.ingest.examination import File
from components.ingest.examined import examining_digest
from components.params import Params


def make_seal(
    datasets: Iterable[Dataset], files: Iterable[File], params: Params, outputs: Iterable[Path]
) -> str | None:
    """Seal a state of inputs and outputs; None where an output is missing.

    The files' contents are not read: sizes and times stand for them. The lock of the splits is an output.

    Args:
        datasets: as their layouts read them.
        files: of all entries.
        params: `ingest`, `limits` and `validate.min_videos_per_class` count.
        outputs: that a run writes.
    """
    digest = hashlib.sha256()
    try:
        written = [(path.name, sha256(path)) for path in outputs]
    except OSError:
        return None
    smallest = params.validate_.min_videos_per_class
    settings = [params.ingest.model_dump(), params.limits.model_dump(), smallest, written]
    code = [examining_digest(params.limits), fingerprint("components.stages.ingest")]
    digest.update(json.dumps([settings, code], sort_keys=True).encode())
    for dataset in datasets:
        digest.update(repr((dataset.name, dataset.layout, dataset.listing.notes)).encode())
        for entry in dataset.listing.entries:
            digest.update(repr(entry).encode())
    for file in files:
        digest.update(repr(file).encode())
    return digest.hexdigest()
