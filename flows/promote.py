"""Registering the bundle, and deciding whether it becomes the champion."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from components.bundle import Bundle, open_bundle, seen_digest
from components.errors import BundleError, GateError
from components.project import Project
from components.tables import MANIFEST, read_table

INCOMPARABLE = (
    "this code cannot open both, or no test videos of both classes are left that neither has seen; "
    "move the alias by hand if you know better (docs/operations.md)"
)


@dataclass(frozen=True)
class Promotion:
    """What became of a registered version."""

    version: str
    promoted: bool
    reason: str


@dataclass(frozen=True)
class ChampionComparison:
    """AUCs of challenger and champion over the same videos; None where there is nothing to compare."""

    challenger: float | None
    champion: float | None
    videos: int


def register_winner(project: Project) -> str:
    """Registers the project's bundle and returns the version's number.

    Raises:
        BundleError: there is no bundle.
        GateError: the bundle did not pass its gate.
        RegistryError: MLflow cannot be reached.
    """
    from components.tracking import registry

    bundle = open_bundle(project.bundle)
    if not bundle.info.gate_passed:
        raise GateError(f"{project.bundle}: did not pass its gate; it is not registered")
    packages = Path(__file__).resolve().parent.parent
    version = registry.register_bundle(
        project,
        bundle,
        run_id=training_run(project, bundle.info.candidate),
        code=packages / "serving" / "registered_model.py",
        packages=[packages / "components", packages / "serving"],
    )
    registry.point(registry.CHALLENGER, version, project)
    return version


def training_run(project: Project, candidate: str) -> str:
    """The MLflow run of a candidate's training; rebuilt from the stage's files where it is missing."""
    from components.tracking.runs import ensure_run

    info = json.loads((project.candidate(candidate) / "candidate.json").read_text(encoding="utf-8"))
    return ensure_run(project, candidate, info["settings"], key=info["training"])


def record(project: Project) -> None:
    """Log every candidate's figures on the test videos to its training's MLflow run, for its list to compare.

    Raises:
        RegistryError: MLflow cannot be reached.
    """
    from components.tracking.runs import log_results

    evaluation = json.loads(project.evaluation.read_text(encoding="utf-8"))
    for name, figures in evaluation["candidates"].items():
        measured = {f"test_{metric}": value for metric, value in figures["test"].items() if value is not None}
        log_results(project, training_run(project, name), measured)


def promote(project: Project, version: str) -> Promotion:
    """Moves the `champion` alias to a version if it is better than the present one.

    Raises:
        RegistryError: MLflow cannot be reached, or holds no such version.
    """
    from components.tracking import registry

    reigning = registry.version_behind(registry.CHAMPION, project)
    if reigning == version:
        return Promotion(version, False, f"version {version} is the champion already")
    outcome = decide_promotion(
        version, reigning, compare_versions(project, version, reigning) if reigning else None
    )
    if outcome.promoted:
        registry.point(registry.CHAMPION, version, project)
    registry.tag(version, {"promotion": outcome.reason}, project)
    return outcome


def decide_promotion(version: str, reigning: str | None, comparison: ChampionComparison | None) -> Promotion:
    """Returns whether a challenger becomes the champion, from both AUCs on the same test videos."""
    if reigning is None or comparison is None:
        return Promotion(version, True, f"version {version} is the first champion")
    if comparison.challenger is None or comparison.champion is None:
        reason = f"version {version} cannot be compared with champion {reigning}: {INCOMPARABLE}"
        return Promotion(version, False, reason)
    challenger, champion = comparison.challenger, comparison.champion
    reason = f"AUC {challenger:.3f} against {champion:.3f} on the same {comparison.videos} test videos"
    if challenger > champion:
        return Promotion(version, True, f"version {version} replaces champion {reigning}: {reason}")
    return Promotion(version, False, f"version {version} stays challenger of {reigning}: {reason}")


def compare_versions(project: Project, challenger: str, champion: str) -> ChampionComparison:
    """Returns AUC of two versions on the present test videos, both through the scorer that serves.

    Splits change as data grow: a test video of today may be one that the champion was trained on. Only videos
    that neither has seen, and that both can score, count.
    """
    from components.tracking import registry

    rows = [row for row in read_table(project.manifest, MANIFEST) if row["split"] == "test"]
    try:
        bundles = [
            open_bundle(registry.resolve_alias(alias=version, project=project).folder)
            for version in (challenger, champion)
        ]
    except BundleError:
        return ChampionComparison(None, None, 0)
    known = frozenset().union(*(bundle.seen for bundle in bundles))
    labels = {
        str(project.root / row["path"]): row["label"] == "fake"
        for row in rows
        if seen_digest(row["sha256"]) not in known
    }
    scores = [probabilities(bundle, list(labels)) for bundle in bundles]
    common = [path for path in labels if all(path in by_path for by_path in scores)]
    truth = [labels[path] for path in common]
    first, second = (auc(truth, [by_path[path] for path in common]) for by_path in scores)
    return ChampionComparison(first, second, len(common))


def probabilities(bundle: Bundle, paths: Sequence[str]) -> Mapping[str, float]:
    """Returns the calibrated probability of fake for every video that got one."""
    from serving.scorer import Scorer

    with Scorer(bundle) as scorer:
        scores = scorer.score([Path(path) for path in paths])
        return {score.path: score.probability for score in scores if score.probability is not None}


def auc(labels: Sequence[bool], scores: Sequence[float]) -> float | None:
    """Returns the area under the ROC curve, or None where there is only one class."""
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(labels, scores)) if len(set(labels)) == 2 else None
