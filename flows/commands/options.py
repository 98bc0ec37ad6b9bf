"""What several commands take, and how they find their project."""

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from components.errors import UnmaskError
from components.project import Project
from flows.environment import find_project, prepare

if TYPE_CHECKING:
    from serving.scorer import Scorer


class Provider(StrEnum):
    """Where ONNX Runtime computes."""

    auto = "auto"
    cuda = "cuda"
    cpu = "cpu"


class Tracks(StrEnum):
    """Which of several faces are scored."""

    main = "main"
    all = "all"


Model = Annotated[str, typer.Option(help="Alias or version number in the MLflow registry.")]
BundleFolder = Annotated[
    Path | None, typer.Option(help="Score with this bundle instead of one from the registry.", metavar="DIR")
]
ProviderOption = Annotated[
    Provider, typer.Option(help="`cuda` fails rather than fall back; `auto` says which one it took.")
]
Workers = Annotated[int, typer.Option(help="Processes that decode and find faces; 0 is one per core.", min=0)]

Wait = Annotated[
    bool,
    typer.Option("--wait/--no-wait", help="Wait for another run of this project, or for DVC, or refuse."),
]


def candidates_like(typed: str) -> list[str]:
    """For the shell's completion of a candidate."""
    from components.params import load_params

    try:
        return [name for name in load_params(find_project().params).candidates if name.startswith(typed)]
    except UnmaskError:
        return []


def enter() -> Project:
    """Find the project and prepare the environment for what it imports."""
    project = find_project()
    prepare(project)
    return project


def open_for(bundle: Path | None, model: str, provider: Provider, workers: int) -> "Scorer":
    """The scorer that the options of a command ask for."""
    from serving.champion import open_scorer

    project = registry_project() if bundle is None else None
    return open_scorer(bundle, provider=provider.value, workers=workers, alias=model, project=project)


def registry_project() -> Project:
    """The project whose registry is asked; any folder will do where `MLFLOW_TRACKING_URI` names a server."""
    try:
        project = find_project()
    except UnmaskError:
        if "MLFLOW_TRACKING_URI" not in os.environ:
            raise
        project = Project(Path.home() / ".cache" / "unmask")
    prepare(project)
    return project
