"""Small samples to assign, and what becomes of them."""

from collections.abc import Sequence
from typing import Any

from components.datasets.layouts.base import Split
from components.params import IngestParams
from components.splits.assignment import Assignment, Excluded, assign, assigned_identities
from components.splits.groups import Sample
from components.splits.lock import Lock

Outcome = Split | Excluded | None


def params(**changed: Any) -> IngestParams:
    return IngestParams(**{"seed": 0, "val_share": 0.2, "test_share": 0.25, **changed})


def sample(video_id: str, *identities: str, **facts: Any) -> Sample:
    """A video whose id starts with its label's letter, f, r, or u for untold."""
    label = {"f": "fake", "r": "real"}.get(video_id[0])
    known = {"dataset": "data", "label": label, "method": "swap" if label == "fake" else "none"}
    known |= {"sha256": f"hash of {video_id}", "sources": (video_id,)}
    return Sample(video_id, identities=identities, **{**known, **facts})


def pair(person: str, **facts: Any) -> list[Sample]:
    return [sample(f"r {person}", person, **facts), sample(f"f {person}", person, **facts)]


def outcomes(samples: Sequence[Sample], lock: Lock | None = None, **changed: Any) -> list[Outcome]:
    found = assign(samples, params(**changed), lock or Lock.empty())
    return [assignment.split or assignment.excluded for assignment in found]


def outcomes_of(found: Sequence[Assignment]) -> list[tuple[str, Outcome]]:
    return [(assignment.group, assignment.split or assignment.excluded) for assignment in found]


def locked(**people: Split) -> Lock:
    return Lock.empty().extended(people.items())


def remembered(samples: Sequence[Sample], assignments: Sequence[Assignment]) -> Lock:
    return Lock.empty().extended(assigned_identities(samples, assignments))


def rows(samples: Sequence[Sample], assignments: Sequence[Assignment]) -> list[dict[str, Any]]:
    return [
        {"video_id": s.video_id, "identities": s.identities, "sources": s.sources, "split": a.split}
        | {"sha256": s.sha256, "near_duplicate": s.near_duplicate}
        for s, a in zip(samples, assignments, strict=True)
    ]
