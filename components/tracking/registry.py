"""Model versions and their aliases. The same bundle digest is the same version.

Aliases: `challenger` is the newest version that passed its gate, `champion` the one that serves.
"""

import fcntl
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote, urlsplit

import mlflow
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema

from components.bundle import Bundle, digest_of
from components.detectors.settings import DetectorSettings
from components.errors import RegistryError
from components.project import Project
from components.scores import model_columns
from components.tracking.store import connect

MODEL = "unmask"
CHAMPION = "champion"
CHALLENGER = "challenger"
DIGEST = "bundle_digest"

REQUIREMENTS = (
    *("mlflow", "pandas", "pyarrow", "numpy", "pydantic", "rich"),
    *("onnxruntime-gpu", "opencv-python-headless", "av"),
)
"""What scoring needs: neither torch nor facenet-pytorch."""


@dataclass(frozen=True)
class RegisteredBundle:
    """A model version, with its bundle in a local folder."""

    version: str
    digest: str
    folder: Path


def register_bundle(
    project: Project, bundle: Bundle, run_id: str, code: Path, packages: Sequence[Path]
) -> str:
    """Registers a bundle as a version of the model and returns the version's number.

    Args:
        project: the project folder.
        bundle: what to register.
        run_id: the MLflow run that trained it.
        code: the models-from-code file, which opens the bundle with the same scorer that serves it.
        packages: package folders that `code` imports; they travel with the model.

    Raises:
        RegistryError: MLflow cannot be reached or refuses.
    """
    with _registry(project):
        known = _version_of(bundle.digest)
        return known if known is not None else _create(bundle, run_id, code, packages)


def resolve_alias(
    name: str = MODEL, alias: str = CHAMPION, project: Project | None = None
) -> RegisteredBundle:
    """Finds the version behind an alias (or a version's number) and brings its bundle into a local folder.

    Raises:
        RegistryError: there is no such model, alias or version, MLflow cannot be reached, or what it holds
            is not what was registered.
    """
    project = project or Project()
    with _registry(project):
        version = _lookup(name, alias)
        return _fetch(version, project.root.resolve() / ".unmask" / "models")


def version_behind(alias: str, project: Project) -> str | None:
    """Returns the number of the version that an alias points to, or None."""
    with _registry(project):
        try:
            return str(MlflowClient().get_model_version_by_alias(MODEL, alias).version)
        except MlflowException as error:
            if not _is_absence(error):
                raise
            return None


def point(alias: str, version: str, project: Project) -> None:
    """Makes an alias point to a version."""
    with _registry(project):
        MlflowClient().set_registered_model_alias(MODEL, alias, version)


def tag(version: str, tags: Mapping[str, str], project: Project) -> None:
    """Sets tags on a version."""
    with _registry(project):
        for name, value in tags.items():
            MlflowClient().set_model_version_tag(MODEL, version, name, value)


@contextmanager
def _registry(project: Project) -> Iterator[None]:
    connect(project)
    try:
        yield
    except MlflowException as error:
        raise RegistryError(f"MLflow: {str(error).splitlines()[0]}") from error


def _version_of(digest: str) -> str | None:
    versions = MlflowClient().search_model_versions(f"name = '{MODEL}' and tags.{DIGEST} = '{digest}'")
    return str(versions[0].version) if versions else None


def _create(bundle: Bundle, run_id: str, code: Path, packages: Sequence[Path]) -> str:
    with mlflow.start_run(run_id=run_id, log_system_metrics=False):
        logged = mlflow.pyfunc.log_model(
            name=MODEL,
            python_model=str(code),
            artifacts={"bundle": str(bundle.folder)},
            code_paths=[str(package) for package in packages],
            pip_requirements=requirements(bundle.info.crop.detector),
            signature=_signature(),
            input_example=["clip.mp4"],
        )
    # Tags are given with the version, so that a kill in between never leaves a version without its digest.
    created = mlflow.register_model(logged.model_uri, MODEL, tags=_tags(bundle))
    card = (bundle.folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    MlflowClient().update_model_version(MODEL, created.version, description=card)
    return str(created.version)


def requirements(detector: DetectorSettings) -> list[str]:
    """What pip installs to score: the versions that are here; one that is not here is named without."""
    return [_pinned(package) for package in (*REQUIREMENTS, *detector.requirements)]


def _pinned(package: str) -> str:
    try:
        return f"{package}=={installed(package)}"
    except PackageNotFoundError:
        return package


def _signature() -> ModelSignature:
    kinds = {
        "text": DataType.string,
        "float": DataType.double,
        "integer": DataType.long,
        "boolean": DataType.boolean,
    }
    return ModelSignature(
        # Without a name: MLflow refuses a plain list of paths for a named column.
        inputs=Schema([ColSpec(DataType.string)]),
        outputs=Schema(
            [
                ColSpec(kinds[cell.kind], name, required=not cell.nullable)
                for name, cell in model_columns().items()
            ]
        ),
    )


def _tags(bundle: Bundle) -> dict[str, str]:
    info = bundle.info
    made_of = {f"{source}_digest": digest or "unknown" for source, digest in info.provenance}
    return {DIGEST: bundle.digest, "candidate": info.candidate, "crop_digest": info.crop.digest, **made_of}


def _lookup(name: str, alias: str) -> ModelVersion:
    client = MlflowClient()
    try:
        if alias.isdigit():
            return client.get_model_version(name, alias)
        return client.get_model_version_by_alias(name, alias)
    except MlflowException as error:
        if not _is_absence(error):
            raise
        kind = "version" if alias.isdigit() else "alias"
        raise RegistryError(
            f"registry: model {name!r} has no {kind} {alias!r}; run `unmask run` to train and promote one, "
            "or name a bundle with --bundle"
        ) from error


def _is_absence(error: MlflowException) -> bool:
    """Returns whether MLflow says that something is not there, and not that it could not look."""
    return error.error_code == "RESOURCE_DOES_NOT_EXIST" or (
        "alias" in str(error) and "not found" in str(error)
    )


def _fetch(version: ModelVersion, cache: Path) -> RegisteredBundle:
    digest = version.tags.get(DIGEST, "")
    if not digest:
        raise RegistryError(
            f"registry: version {version.version} of {version.name} was not registered by unmask"
        )
    folder = cache / digest[:16]
    if not _holds(folder, digest):
        _download(version, folder, digest)
    return RegisteredBundle(str(version.version), digest, folder)


def _holds(folder: Path, digest: str) -> bool:
    """Whether a folder has every byte of a bundle; whether this code can use it is for who opens it."""
    try:
        return digest_of(folder) == digest
    except OSError:
        return False


def _download(version: ModelVersion, folder: Path, digest: str) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder.parent) as fresh:
        uri = f"models:/{version.name}/{version.version}"
        mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=fresh)
        bundle = next(Path(fresh).rglob("bundle.json"), Path(fresh) / "none").parent
        if not _holds(bundle, digest):
            raise RegistryError(
                f"registry: version {version.version} of {version.name} does not hold the bundle it names; "
                f"{_address(version)} was changed or removed: bring it back, or train and promote another "
                "version with `unmask run`"
            )
        with (folder.parent / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not _holds(folder, digest):  # another process may have brought it meanwhile, and use it
                shutil.rmtree(folder, ignore_errors=True)
                bundle.replace(folder)


def _address(version: ModelVersion) -> str:
    """Returns where the files of a version should be: a path, or a remote store's address."""
    uri = str(MlflowClient().get_model_version_download_uri(version.name, version.version))
    return unquote(urlsplit(uri).path) if uri.startswith("file:") else uri
