"""The part that each video may take: what its dataset, its label and `ingest.datasets` leave open. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from components.datasets.layouts.base import SPLITS, Split, some
from components.datasets.naming import normalised
from components.errors import ParamsError
from components.params import IngestParams
from components.splits.groups import Sample

Excluded = Literal["unlabelled", "dataset", "bridge", "leak"]
"""Why a sound video stands in no split: nobody tells its label; `ingest.datasets` leaves it out; it would
tie two splits; `ingest.leak: drop` took it out since it leaks into a later split."""

Role = Literal["train", "test", "ignore"]


@dataclass(frozen=True)
class Part:
    """What is open to a video.

    Attributes:
        fixed: the split it stands in whatever its neighbours do.
        allowed: the splits it may be assigned to; empty where it takes no part.
        excluded: why it takes no part, unless its status says so already.
        counted: whether the shares of the splits are held with it.
    """

    fixed: Split | None = None
    allowed: frozenset[Split] = frozenset()
    excluded: Excluded | None = None
    counted: bool = True

    @property
    def taken(self) -> bool:
        return bool(self.allowed)

    @property
    def free(self) -> bool:
        """Whether it is to be assigned."""
        return self.taken and self.fixed is None


def parts(samples: Sequence[Sample], params: IngestParams) -> list[Part]:
    """Returns the part of each sample.

    Raises:
        ParamsError: the shares leave nothing to train on, or `ingest.datasets` names what is not there.
    """
    roles = _roles({sample.dataset for sample in samples}, params)
    splits = frozenset(shares(params))
    testing = {sample.dataset for sample in samples if sample.prescribed == "test"}
    return [_part(sample, roles.get(sample.dataset), sample.dataset in testing, splits) for sample in samples]


def shares(params: IngestParams) -> dict[Split, float]:
    """Returns the share of the videos for each split that videos are assigned to.

    Raises:
        ParamsError: they leave nothing to train on.
    """
    val, test = params.val_share, params.test_share
    if val + test >= 1.0:
        raise ParamsError(
            f"params.yaml: ingest.val_share {val} + test_share {test} leave nothing to train on; lower them"
        )
    given: dict[Split, float] = {"train": 1.0 - val - test, "val": val, "test": test}
    return {split: share for split, share in given.items() if share > 0.0}


def _roles(there: set[str], params: IngestParams) -> dict[str, Role]:
    """The role of each dataset that is given one: of the one called so, or of all whose names are equal."""
    roles: dict[str, Role] = {}
    for name, role in params.datasets.items():
        meant = {name} & there or {dataset for dataset in there if normalised(dataset) == normalised(name)}
        if there and not meant:
            raise ParamsError(
                f"params.yaml: ingest.datasets names {some([name])}, and there are {some(sorted(there))}; "
                "correct or remove the name"
            )
        if any(roles.get(dataset, role) != role for dataset in meant):
            raise ParamsError(
                f"params.yaml: ingest.datasets gives {some(sorted(meant))} two roles; remove one"
            )
        roles |= dict.fromkeys(meant, role)
    return roles


def _part(sample: Sample, role: Role | None, testing: bool, splits: frozenset[Split]) -> Part:
    if not sample.usable:
        return Part()
    if sample.label is None:
        return Part(excluded="unlabelled")
    if role == "ignore" or (role == "train" and sample.prescribed == "test"):
        return Part(excluded="dataset")
    if role == "test":
        left_out = testing and sample.prescribed != "test"
        return Part(excluded="dataset") if left_out else _fixed("test", counted=False)
    if sample.prescribed in SPLITS:
        return _fixed(sample.prescribed)
    only_training = role == "train" or sample.prescribed == "trainval"
    return Part(allowed=splits - {"test"} if only_training else splits)


def _fixed(split: Split, counted: bool = True) -> Part:
    return Part(fixed=split, allowed=frozenset({split}), counted=counted)
