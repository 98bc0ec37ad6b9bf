import json
import shutil
from pathlib import Path

import pytest

from components.bundle import Bundle
from components.errors import BundleError
from components.project import Project
from components.tracking import registry
from serving.champion import open_scorer

ROOT = Path(__file__).parents[2]


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

    monkeypatch.setattr(registry, "resolve_alias", resolve)
    project = Project(Path("somewhere"))
    with open_scorer(provider="cpu", workers=1, alias="challenger", project=project) as scorer:
        assert scorer.model_version == "12"
    assert asked == [("challenger", project)]


@pytest.mark.parametrize(("alias", "named"), [("champion", r"champion \(version 12\)"), ("12", "version 12")])
def test_a_version_that_this_code_cannot_use_says_what_to_do(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alias: str, named: str
) -> None:
    folder = Path(shutil.copytree(bundle.folder, tmp_path / "bundle"))
    content = json.loads((folder / "bundle.json").read_text(encoding="utf-8"))
    (folder / "bundle.json").write_text(json.dumps(content | {"crop_version": 1, "crop": {"frames": 8}}))
    found = registry.RegisteredBundle("12", bundle.digest, folder)
    monkeypatch.setattr(registry, "resolve_alias", lambda alias, project: found)
    told = rf"^registry: {named}: .*crop version 1, .*unmask run.*docs/operations\.md, Promoting by hand"
    with pytest.raises(BundleError, match=told) as caught:
        open_scorer(alias=alias, project=Project(tmp_path))
    assert "\n" not in str(caught.value)
    assert "## Promoting by hand" in (ROOT / "docs/operations.md").read_text(encoding="utf-8")
