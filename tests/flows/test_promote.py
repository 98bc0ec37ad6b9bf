import json
from pathlib import Path

import pytest

from components.project import Project
from components.tracking import runs
from flows.promote import ChampionComparison, auc, decide_promotion, training_run


@pytest.mark.parametrize(
    ("reigning", "found", "promoted", "told"),
    [
        (None, None, True, "first champion"),
        (
            "1",
            ChampionComparison(0.9, 0.8, 12),
            True,
            "replaces champion 1: AUC 0.900 against 0.800 on the same 12",
        ),
        ("1", ChampionComparison(0.8, 0.8, 12), False, "stays challenger"),
        ("1", ChampionComparison(0.7, 0.8, 12), False, "stays challenger"),
        ("1", ChampionComparison(None, None, 0), False, "cannot be compared"),
    ],
)
def test_decide(reigning: str | None, found: ChampionComparison | None, promoted: bool, told: str) -> None:
    outcome = decide_promotion("2", reigning, found)
    assert (outcome.version, outcome.promoted) == ("2", promoted)
    assert told in outcome.reason


def test_auc_needs_both_classes() -> None:
    assert auc([False, True, True], [0.1, 0.9, 0.8]) == 1.0
    assert auc([True, False], [0.1, 0.9]) == 0.0
    assert auc([True, True], [0.1, 0.9]) is None


def test_a_run_is_recorded_with_what_it_was_trained_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not with what params.yaml says by now, or whether it still names the candidate."""
    project, settings = Project(tmp_path), {"epochs": 3, "network": {"dropout": 0.1}}
    project.candidate("a").mkdir(parents=True)
    about = json.dumps({"training": "digest", "settings": settings})
    (project.candidate("a") / "candidate.json").write_text(about, encoding="utf-8")
    monkeypatch.setattr(runs, "ensure_run", lambda *told, key: (*told, key))
    assert training_run(project, "a") == (project, "a", settings, "digest")
