"""The whole of `params.yaml`, and how it is read."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, NonNegativeFloat, ValidationError, model_validator

from components.errors import ParamsError
from components.faces.policy import CropPolicy
from components.params.ensemble import EnsembleParams
from components.params.gate import GateRules
from components.params.merging import merged
from components.params.messages import first_line, outdated
from components.params.reading import read_yaml
from components.params.recipes import Recipe, read_recipe, with_recipe
from components.params.section import Section
from components.params.training import CandidateParams, TrainingParams
from components.params.tuning import TuneParams
from components.project import ENSEMBLE
from components.values import Share
from components.video.limits import Limits

LeakKind = Literal["identity", "source", "content", "near-duplicate"]
"""What may tie a video of one split to a video of another."""

Bounds = tuple[NonNegativeFloat, NonNegativeFloat]

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
"""Of a candidate: it becomes a folder, and part of a stage's name."""


def _written_off(value: Any) -> Any:
    """YAML 1.1, which PyYAML reads, takes an `off` without quotes for false."""
    return "off" if value is False else value


class IngestParams(Section):
    """How videos are assigned to the splits."""

    seed: int = Field(ge=0)
    val_share: Share
    test_share: Share
    datasets: dict[str, Literal["train", "test", "ignore"]] = Field(default={})
    leak: Literal["keep", "drop"] = "keep"
    near_duplicates: Annotated[Literal["tie", "off"], BeforeValidator(_written_off)] = "tie"
    max_group_share: Share = 0.4


class ValidateParams(Section):
    """Bounds of the Great Expectations suite."""

    allow_leaks: tuple[LeakKind, ...] = ()
    max_broken_share: Share
    warn_lost_share: Share = 0.25
    min_videos_per_class: int = Field(ge=0)
    max_class_share: Share
    warn_class_share: Share
    fps: Bounds
    side: Bounds
    seconds: Bounds


class EvaluateParams(Section):
    """How candidates are compared."""

    select_by: Literal["auc", "f1", "log_loss"]
    bootstrap: int = Field(ge=0)
    confidence: float = Field(gt=0.5, lt=1.0)
    seed: int = Field(ge=0)


class ExportParams(Section):
    """ONNX settings."""

    opset: int = Field(ge=17)
    parity_tolerance: float = Field(gt=0)
    parity_clips: int = Field(ge=1)


class Params(Section):
    """The whole of `params.yaml`."""

    ingest: IngestParams
    limits: Limits
    validate_: ValidateParams = Field(alias="validate")
    faces: CropPolicy
    training: TrainingParams
    candidates: dict[str, CandidateParams] = Field(min_length=1)
    ensemble: EnsembleParams = EnsembleParams()
    evaluate: EvaluateParams
    gate: GateRules
    export: ExportParams
    tune: TuneParams = TuneParams()
    recipe: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _with_shared_settings(cls, content: Any) -> Any:
        """Gives each candidate what holds for all, which stands once, under `training`."""
        match content:
            case {"training": Mapping() as shared, "candidates": Mapping() as own}:
                if odd := [name for name in own if not (isinstance(name, str) and NAME.fullmatch(name))]:
                    raise ValueError(
                        f"candidates: {odd[0]!r} is no name; use letters, digits, _ and - (numbers in quotes)"
                    )
                full = {name: _full(shared, candidate) for name, candidate in own.items()}
                return {**content, "candidates": full}
        return content

    @model_validator(mode="after")
    def _ensemble_of_candidates(self) -> Self:
        if ENSEMBLE in self.candidates:
            raise ValueError(f"candidates.{ENSEMBLE}: the name is taken; give the candidate another one")
        members = self.ensemble.members
        if unknown := set(members) - set(self.candidates):
            raise ValueError(f"ensemble.members: {self.unknown(min(unknown))}")
        if len(members) == 1 or len(set(members)) < len(members):
            raise ValueError(f"ensemble.members = {list(members)}: name at least two, each once, or none")
        return self

    @model_validator(mode="after")
    def _crops_suffice(self) -> Self:
        most = self.faces.sampling.lengths[1]
        for name, settings in self.candidates.items():
            crop, least = settings.augmentation.crop or 0, settings.frame_range[0]
            if crop > self.faces.size:
                raise ValueError(
                    f"candidates.{name}: augmentation.crop = {crop}: the stored crops have {self.faces.size} "
                    "px; lower it, or raise faces.size"
                )
            if least > most:
                raise ValueError(
                    f"candidates.{name}: frames = {least}: of each video {most} are stored; "
                    "lower it, or raise those of faces.sampling"
                )
        return self

    def candidate(self, name: str) -> CandidateParams:
        """Returns the settings of a candidate.

        Raises:
            ParamsError: there is none of this name.
        """
        if name not in self.candidates:
            raise ParamsError(f"params.yaml: {self.unknown(name)}")
        return self.candidates[name]

    def unknown(self, name: str) -> str:
        """Returns what to say of a candidate that is not there."""
        return f"no candidate {name!r}; candidates holds {', '.join(self.candidates)}"


def _full(shared: Mapping[str, Any], candidate: Any) -> Any:
    return merged(shared, candidate) if isinstance(candidate, Mapping) else candidate


def load_params(path: Path) -> Params:
    """Reads and checks a parameter file, and the recipe beside it that it names.

    Raises:
        ParamsError: the file or the recipe is missing, is not YAML, or holds an unknown key or a value out of
            range.
    """
    try:
        content = read_yaml(path)
    except FileNotFoundError as error:
        raise ParamsError(
            f"{path}: not found; run this in a project folder (one with params.yaml)"
        ) from error
    if isinstance(content, Mapping) and isinstance(content.get("recipe"), str):
        return apply_recipe(content, read_recipe(content["recipe"], path.with_name("recipes")), path)
    return checked(content, path)


def apply_recipe(content: Mapping[str, Any], recipe: Recipe, path: Path) -> Params:
    """Returns a parameter file with a recipe laid over it.

    Args:
        content: of the parameter file.
        recipe: to lay over it.
        path: of the parameter file.

    Raises:
        ParamsError: the file, or else the recipe, holds an unknown key or a value out of range.
    """
    try:
        return checked(with_recipe(content, recipe), recipe.path)
    except ParamsError:
        checked({**content, "recipe": None}, path)
        raise


def checked(content: Any, path: Path) -> Params:
    """Returns what a parameter file holds, as values.

    Args:
        content: as YAML has it.
        path: that a mistake is told of.

    Raises:
        ParamsError: an unknown key, or a value out of range.
    """
    if not isinstance(content, Mapping):
        raise ParamsError(f"{path}: holds no sections; start from the params.yaml that Unmask ships")
    if problems := outdated(content):
        raise ParamsError(f"{path}: {'; '.join(problems)}")
    try:
        return Params.model_validate(content)
    except ValidationError as error:
        raise ParamsError(f"{path}: {first_line(error, Params)}") from error
