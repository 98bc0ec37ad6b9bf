"""The scorer of the registry's champion, or of a bundle folder that is named instead."""

from pathlib import Path

from components.bundle import open_bundle
from components.errors import BundleError
from components.project import Project
from components.providers import Asked
from serving.scorer import Scorer

ALIAS = "champion"
CHAMPION_REMEDY = (
    "`unmask run` trains a version that fits; docs/operations.md, Promoting by hand, tells how to give it "
    "the alias"
)


def open_scorer(
    bundle: Path | None = None,
    *,
    provider: Asked = "auto",
    workers: int = 0,
    alias: str = ALIAS,
    project: Project | None = None,
) -> Scorer:
    """Opens the scorer of a bundle folder if one is named, else of the model version behind the alias.

    The scorer of a folder names the first twelve digits of the bundle's digest as its model version.

    Raises:
        BundleError: the folder is no bundle that this code can use.
        RegistryError: there is no such model or alias, or MLflow cannot be reached.
        ProviderError: CUDA was asked for and cannot be used.
    """
    if bundle is None:
        return open_champion(provider, workers, alias, project)
    opened = open_bundle(bundle)
    return Scorer(opened, provider=provider, workers=workers, model_version=opened.digest[:12])


def open_champion(
    provider: Asked = "auto", workers: int = 0, alias: str = ALIAS, project: Project | None = None
) -> Scorer:
    """Opens the scorer of the model version behind an alias.

    Raises:
        BundleError: the version was made by an incompatible version of this code.
        RegistryError: there is no such model or alias, or MLflow cannot be reached.
        ProviderError: CUDA was asked for and cannot be used.
    """
    from components.tracking.registry import resolve_alias  # noqa: PLC0415 (mlflow takes seconds to import)

    registered = resolve_alias(alias=alias, project=project)
    try:
        bundle = open_bundle(registered.folder)
    except BundleError as error:
        name = (
            f"version {registered.version}"
            if alias == registered.version
            else f"{alias} (version {registered.version})"
        )
        raise BundleError(f"registry: {name}: {error} ({CHAMPION_REMEDY})") from error
    return Scorer(bundle, provider=provider, workers=workers, model_version=registered.version)
