"""`params.yaml` as frozen, validated values."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args, get_origin

import yaml
from pydantic import Field, NonNegativeFloat, ValidationError
from pydantic.fields import FieldInfo

from components.errors import ParamsError
from components.faces.limits import Frozen, Limits, Share
from components.faces.policy import CropPolicy

Pretrained = bool | Literal["if-available"]


LeakKind = Literal["identity", "source", "content", "near-duplicate"]
"""What may tie a video of one split to a video of another."""

Range = tuple[NonNegativeFloat, NonNegativeFloat]

Location = tuple[str | int, ...]
"""Of an error, as pydantic tells it."""


class IngestParams(Frozen):
    """How videos are dealt to the splits."""

    seed: int
    val_share: Share
    test_share: Share
    datasets: dict[str, Literal["train", "test", "ignore"]] = Field(default={})
    leak: Literal["keep", "drop"] = "keep"
    near_duplicates: Literal["tie", "off"] = "tie"
    max_group_share: Share = 0.4


class ValidateParams(Frozen):
    """Bounds of the Great Expectations suite."""

    allow_leaks: tuple[LeakKind, ...] = ()
    max_broken_share: Share
    warn_lost_share: Share = 0.25
    min_videos_per_class: int = Field(ge=0)
    max_class_share: Share
    warn_class_share: Share
    fps: Range
    side: Range
    seconds: Range


class AugmentationParams(Frozen):
    """Strengths of the augmentation, drawn once per clip."""

    flip: Share
    brightness: Share
    contrast: Share
    shift: Share


class TrainingParams(Frozen):
    """What all candidates share."""

    seed: int
    frames_per_clip: int = Field(ge=1)
    num_threads: int = Field(ge=0)
    gradient_clip: float = Field(gt=0)
    early_stopping: int = Field(ge=1)
    plateau_patience: int = Field(ge=1)
    warmup_epochs: int = Field(ge=0)
    augmentation: AugmentationParams


class CandidateParams(Frozen):
    """One candidate's own settings."""

    epochs: int = Field(ge=1)
    batch_size: int = Field(ge=1)
    optimizer: Literal["adam", "adamw"]
    lr: float = Field(gt=0)
    weight_decay: float = Field(ge=0)
    pretrained: Pretrained = False


class EvaluateParams(Frozen):
    """How candidates are compared."""

    select_by: Literal["auc", "f1", "log_loss"]
    bootstrap: int = Field(ge=0)
    confidence: float = Field(gt=0.5, lt=1.0)
    seed: int


class GateParams(Frozen):
    """Smallest values on test videos with which a detector may be registered."""

    auc: Share
    f1: Share
    coverage: Share


class ExportParams(Frozen):
    """ONNX settings."""

    opset: int = Field(ge=17)
    parity_tolerance: float = Field(gt=0)
    parity_clips: int = Field(ge=1)


class Params(Frozen):
    """The whole of `params.yaml`."""

    ingest: IngestParams
    limits: Limits
    validate_: ValidateParams = Field(alias="validate")
    faces: CropPolicy
    training: TrainingParams
    candidates: dict[str, CandidateParams] = Field(min_length=1)
    evaluate: EvaluateParams
    gate: GateParams
    export: ExportParams


def load_params(path: Path) -> Params:
    """Read and check a parameter file.

    Raises:
        ParamsError: the file is missing, is not YAML, or holds an unknown key or a value out of range.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ParamsError(
            f"{path}: not found; run this in a project folder (one with params.yaml)"
        ) from error
    except yaml.YAMLError as error:
        raise ParamsError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
    if outdated := _outdated(content):
        raise ParamsError(f"{path}: {'; '.join(outdated)}")
    try:
        return Params.model_validate(content)
    except ValidationError as error:
        raise ParamsError(f"{path}: {_first_line(error)}") from error


def _outdated(content: Any) -> list[str]:
    """What a file of an earlier version has to say in another way."""
    faces = content.get("faces") if isinstance(content, Mapping) else None
    if not isinstance(faces, Mapping):
        return []
    told = []
    if "frames" in faces and "sampling" not in faces:
        told.append(f"faces.frames is now faces.sampling: {{policy: even, frames: {faces['frames']}}}")
    if isinstance(faces.get("detector"), Mapping) and "name" not in faces["detector"]:
        told.append("faces.detector: add name: mtcnn")
    return told


def _first_line(error: ValidationError) -> str:
    # A misspelt key is unknown and missing at once: the unknown one is what was typed.
    first = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
    place = _place(first["loc"])
    key = ".".join(place.keys) or "the file"
    if first["type"] == "extra_forbidden":
        return _unknown(error, first["loc"])
    if first["type"] == "missing":
        return f"missing key {key!r}; add it"
    if first["type"] in ("union_tag_not_found", "union_tag_invalid"):
        return _choice(key, place.field, first["ctx"])
    return f"{key} = {first['input']!r}: {first['msg']}"


def _unknown(error: ValidationError, location: Location) -> str:
    """The unknown key at `location`, those beside it, and what may stand there if another key decides it."""
    unknown = [found["loc"] for found in error.errors() if found["type"] == "extra_forbidden"]
    beside = [".".join(_place(one).keys) for one in unknown if one[:-1] == location[:-1]]
    several = len(beside) > 1
    remedy = "remove them or correct their spelling" if several else "remove it or correct its spelling"
    named = f"unknown key{'s' if several else ''} {', '.join(map(repr, beside))}"
    return f"{named}; {_place(location).takes or remedy}"


class _Place(NamedTuple):
    keys: tuple[str, ...]  # as they stand in the file
    takes: str  # which keys may stand there, where one of them, such as `policy`, decides that
    field: FieldInfo | None  # what stands there, where a model says so


def _place(location: Location) -> _Place:
    """Where in the file an error is; pydantic's location also names the member of a union that it tried."""
    keys, takes = list[str](), ""
    inside: Any = Params
    field: FieldInfo | None = None
    for part in location:
        if field and isinstance(field.discriminator, str):
            inside, takes = _member(field, field.discriminator, part, keys[-1])
            field = None
        elif field and get_origin(field.annotation) is dict:
            keys.append(str(part))
            inside, field = get_args(field.annotation)[1], None
        elif isinstance(inside, type) and issubclass(inside, Frozen):
            keys.append(str(part))
            field = _fields(inside).get(str(part))
            inside = field.annotation if field else None
        elif isinstance(part, int):
            keys.append(str(part))
    return _Place(tuple(keys), takes, field)


def _member(field: FieldInfo, decisive: str, tag: str | int, key: str) -> tuple[type[Frozen], str]:
    """The model that a tag of the union `field` names, and which keys it takes."""
    members: tuple[type[Frozen], ...] = get_args(field.annotation)
    member = next(one for one in members if tag in get_args(one.model_fields[decisive].annotation))
    taken = ", ".join(name for name in _fields(member) if name != decisive)
    return member, f"{key if decisive == 'name' else decisive} {tag} takes {taken or 'no other key'}"


def _fields(model: type[Frozen]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _choice(key: str, field: FieldInfo | None, context: Mapping[str, Any]) -> str:
    """Of a value whose kind one of its keys decides: what that key may be."""
    decisive = context["discriminator"].strip("'")
    members = get_args(field.annotation) if field else ()
    *others, last = [get_args(one.model_fields[decisive].annotation)[0] for one in members]
    choices = f"use {', '.join(others)} or {last}"
    if "tag" in context:
        return f"{key}.{decisive} = {context['tag']!r}: {choices}"
    return f"missing key {f'{key}.{decisive}'!r}; {choices}"
