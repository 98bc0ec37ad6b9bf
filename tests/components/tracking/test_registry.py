import json
import shutil
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import TEMPORARILY_UNAVAILABLE

from components.bundle import Bundle, open_bundle
from components.detectors.settings import MediapipePolicy, MtcnnPolicy, NoDetector
from components.errors import BundleError, RegistryError
from components.project import Project
from components.tracking import registry
from components.tracking.runs import live_run

ROOT = Path(__file__).parent.parent.parent.parent
CODE = ROOT / "serving" / "registered_model.py"


def register(project: Project, bundle: Bundle) -> str:
    with live_run(bundle.info.candidate, {}, "key", project) as run:
        pass
    return registry.register_bundle(
        project, bundle, run.run_id, CODE, [ROOT / "components", ROOT / "serving"]
    )


def variant(bundle: Bundle, folder: Path) -> Bundle:
    shutil.copytree(bundle.folder, folder)
    (folder / "MODEL_CARD.md").write_text("# Another\n", encoding="utf-8")
    return open_bundle(folder)


def test_the_same_bundle_is_the_same_version(project: Project, bundle: Bundle, tmp_path: Path) -> None:
    assert register(project, bundle) == "1"
    assert register(project, bundle) == "1"
    assert register(project, variant(bundle, tmp_path / "other")) == "2"


def test_a_version_says_what_it_was_made_of(project: Project, bundle: Bundle) -> None:
    version = register(project, bundle)
    tags = MlflowClient().get_model_version(registry.MODEL, version).tags
    made_of = {name: tags[f"{name}_digest"] for name in ("data", "split", "code", "lock")}
    assert made_of == bundle.info.provenance.model_dump()
    assert tags[registry.DIGEST] == bundle.digest
    assert tags["candidate"] == bundle.info.candidate


def test_resolve_brings_the_bundle_back(project: Project, bundle: Bundle) -> None:
    version = register(project, bundle)
    registry.point(registry.CHAMPION, version, project)
    for alias in (registry.CHAMPION, version):
        found = registry.resolve_alias(alias=alias, project=project)
        assert (found.version, found.digest) == (version, bundle.digest)
        assert open_bundle(found.folder).digest == bundle.digest


def test_a_damaged_local_copy_is_brought_again(project: Project, bundle: Bundle) -> None:
    version = register(project, bundle)
    folder = registry.resolve_alias(alias=version, project=project).folder
    (folder / "model.onnx").write_bytes(b"damaged")
    assert open_bundle(registry.resolve_alias(alias=version, project=project).folder).digest == bundle.digest


def test_a_tampered_artifact_is_refused(project: Project, bundle: Bundle) -> None:
    version = register(project, bundle)
    for model in (project.root / "mlartifacts").rglob("model.onnx"):
        model.write_bytes(b"tampered")
    with pytest.raises(RegistryError, match="does not hold the bundle"):
        registry.resolve_alias(alias=version, project=project)


@pytest.mark.parametrize("alias", ["champion", "7"])
def test_what_is_not_there_is_said_in_one_line(project: Project, alias: str) -> None:
    with pytest.raises(RegistryError, match=f"'{alias}'.*unmask run") as caught:
        registry.resolve_alias(alias=alias, project=project)
    assert "\n" not in str(caught.value)


def test_aliases_move(project: Project, bundle: Bundle, tmp_path: Path) -> None:
    first, second = register(project, bundle), register(project, variant(bundle, tmp_path / "other"))
    assert registry.version_behind(registry.CHAMPION, project) is None
    for version in (first, second):
        registry.point(registry.CHAMPION, version, project)
        assert registry.version_behind(registry.CHAMPION, project) == version


def test_an_unreachable_server_is_one_line(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(RegistryError, match="MLFLOW_TRACKING_URI") as caught:
        registry.resolve_alias(project=project)
    assert "\n" not in str(caught.value)


def test_a_server_fault_is_not_the_absence_of_a_champion(
    project: Project, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise MlflowException("503: try again", error_code=TEMPORARILY_UNAVAILABLE)

    register(project, bundle)
    monkeypatch.setattr(MlflowClient, "get_model_version_by_alias", fail)
    for ask in (
        registry.version_behind,
        lambda alias, home: registry.resolve_alias(alias=alias, project=home),
    ):
        with pytest.raises(RegistryError, match="503"):
            ask(registry.CHAMPION, project)


def test_a_bundle_of_another_version_is_brought_and_left_to_its_reader(
    project: Project, bundle: Bundle, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    shutil.copytree(bundle.folder, other)
    text = (other / "bundle.json").read_text(encoding="utf-8")
    changed = json.loads(text) | {"crop_version": 1, "crop": {"frames": 8, "detector": {"min_face": 24}}}
    (other / "bundle.json").write_text(json.dumps(changed), encoding="utf-8")
    version = register(project, Bundle(other, bundle.info))
    found = registry.resolve_alias(alias=version, project=project)
    with pytest.raises(BundleError, match="crop version 1"):
        open_bundle(found.folder)


def test_scoring_needs_what_the_detector_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    def installed(package: str) -> str:
        if package == "mediapipe":
            raise PackageNotFoundError(package)
        return "1.0"

    monkeypatch.setattr(registry, "installed", installed)
    plain = registry.requirements(MtcnnPolicy())
    assert "onnxruntime-gpu==1.0" in plain
    assert registry.requirements(MediapipePolicy(name="mediapipe", model="a.task")) == [*plain, "mediapipe"]
    assert registry.requirements(NoDetector(name="none")) == plain
