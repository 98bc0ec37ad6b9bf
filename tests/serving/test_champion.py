from pathlib import Path

import pytest

from components.bundle import Bundle
from components.errors import BundleError
from components.project import Project
from components.tracking import registry
from serving.champion import open_scorer


def test_a_folder_that_is_named_is_opened_under_its_digest(bundle: Bundle) -> None:
    with open_scorer(bundle.folder, provider="cpu", workers=1) as scorer:
        assert scorer.model_version == bundle.digest[:12]


def test_a_folder_that_is_no_bundle_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=f"^{tmp_path}: not a bundle"):
        open_scorer(tmp_path)


def test_otherwise_the_registry_is_asked(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def resolve(alias: str, project: Project | None) -> registry.RegisteredBundle:
        asked.append((alias, project))
        return registry.RegisteredBundle("12", bundle.digest, bundle.folder)

    monkeypatch.setattr(registry, "resolve", resolve)
    project = Project(Path("somewhere"))
    with open_scorer(provider="cpu", workers=1, alias="challenger", project=project) as scorer:
        assert scorer.model_version == "12"
    assert asked == [("challenger", project)]
