"""`params.yaml` as frozen, validated values."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, NonNegativeFloat, ValidationError

from components.errors import ParamsError
from components.faces.limits import Frozen, Limits, Share
from components.faces.policy import CropPolicy

Pretrained = bool | Literal["if-available"]


LeakKind = Literal["identity", "source", "content", "near-duplicate"]
"""What may tie a video of one split to a video of another."""

Range = tuple[NonNegativeFloat, NonNegativeFloat]


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
    key = ".".join(str(part) for part in first["loc"]) or "the file"
    if first["type"] == "extra_forbidden":
        return f"unknown key {key!r}; remove it or correct its spelling"
    if first["type"] == "missing":
        return f"missing key {key!r}; add it"
    if first["type"] in ("union_tag_not_found", "union_tag_invalid"):
        return _choice(key, first.get("ctx", {}))
    return f"{key} = {first['input']!r}: {first['msg']}"


def _choice(key: str, context: Mapping[str, Any]) -> str:
    """Of a value whose kind one of its keys decides: what that key may be."""
    decisive = f"{key}.{context['discriminator'].strip(chr(39))}"
    found = f"{decisive} = {context['tag']!r}" if "tag" in context else f"missing key {decisive!r}"
    return f"{found}; choose one of {context.get('expected_tags', '')}"
