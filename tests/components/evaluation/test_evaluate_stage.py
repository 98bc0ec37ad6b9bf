import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.documents import read_document
from components.errors import StageError
from components.evaluation.gate import GateReport
from components.evaluation.results import Evaluation
from components.evaluation.winner import Winner
from components.metric_names import METRICS, TEST_METRICS
from components.params import Bounds, Params, load_params
from components.project import Project
from components.stages.evaluate import run
from components.stages.gate import run as run_gate
from components.tables import FACES, PREDICTIONS, read_table, write_table

SHIPPED = Path(__file__).parents[3] / "params.yaml"

FIGURES = ("roc", "confusion", "scores", "reliability", "training_curves", "candidates", "slices")


def change(project: Project, name: str, alter: Callable[[list[dict[str, Any]]], object]) -> None:
    path = project.candidate(name) / "predictions.parquet"
    rows = read_table(path, PREDICTIONS)
    alter(rows)
    write_table(rows, PREDICTIONS, path)


def load_params_with_gate(project: Project, gate: dict[str, dict[str, float]]) -> Params:
    """The shipped params.yaml with another section `gate`: nothing else says what a rule may be."""
    content = yaml.safe_load(SHIPPED.read_text(encoding="utf-8")) | {"gate": gate}
    project.params.write_text(yaml.safe_dump(content), encoding="utf-8")
    return load_params(project.params)


def fall_back(project: Project, *videos: str) -> None:
    """Let these have been scored by the middle of the frame."""
    rows = [
        row | {"fallback": "center"} if row["video_id"] in videos else row
        for row in read_table(project.faces, FACES)
    ]
    write_table(rows, FACES, project.faces)


def outputs(root: Path) -> dict[str, bytes]:
    files = (*root.glob("reports/*.*"), *root.glob("reports/figures/*"), root / "artifacts" / "winner.json")
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_clips_of_another_crop_policy_are_refused(project: Project, params: Params) -> None:
    other = params.model_copy(update={"faces": params.faces.model_copy(update={"margin": 0.7})})
    with pytest.raises(StageError, match=f"params.yaml makes {other.faces.digest}; run dvc repro faces"):
        run(project, other)


def test_writes_what_later_stages_and_people_read(
    drawn: None, project: Project, params: Params, capsys: pytest.CaptureFixture[str]
) -> None:
    run(project, params)

    winner = read_document(Winner, project.winner)
    assert winner.candidate == "simple_cnn"
    assert set(winner.metrics) == {*METRICS, "coverage"}
    assert winner.metrics["coverage"].value == pytest.approx(23 / 24)
    assert sum(winner.scores.counts) == 23

    evaluation = read_document(Evaluation, project.evaluation)
    assert next(iter(evaluation.candidates)) == evaluation.winner == "simple_cnn"
    assert evaluation.unusable == 1
    assert evaluation.data["test"].model_dump() == {
        "videos": 24,
        "real": 12,
        "fake": 12,
        "groups": 12,
        "unnamed": 0,
        "scored": 23,
        "fallback": (),
    }
    best = evaluation.candidates["simple_cnn"]
    assert (best.test["coverage"], best.test["fallback"]) == (pytest.approx(23 / 24, abs=1e-6), 0)
    for name in ("auc", "f1", "accuracy"):
        assert best.test[f"{name}_low"] <= best.test[name] <= best.test[f"{name}_high"]
    assert {method: found["videos"] for method, found in best.methods.items()} == dict.fromkeys(
        ("flicker", "selfblend", "swap"), 4
    )

    board = read_csv(project.reports / "leaderboard.csv")
    assert [row["candidate"] for row in board] == list(evaluation.candidates)
    verdicts = read_csv(project.reports / "confusion.csv")
    assert len(verdicts) == 23
    right = sum(row["actual"] == row["predicted"] for row in verdicts)
    assert right / 23 == pytest.approx(winner.metrics["accuracy"].value)
    assert {file.stem for file in (project.reports / "roc").iterdir()} == set(params.candidates)
    for name in FIGURES:
        assert (project.reports / "figures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    assert "simple_cnn" in capsys.readouterr().out


def test_what_was_scored_without_a_face_is_named_and_is_no_coverage(project: Project, params: Params) -> None:
    fall_back(project, "real/p028", "fake/p003")
    run(project, params)
    winner, evaluation = read_document(Winner, project.winner), read_document(Evaluation, project.evaluation)
    assert evaluation.fallbacks == {"val": ("fake/p003",), "test": ("real/p028",)}
    assert (evaluation.data["test"].scored, evaluation.data["test"].with_face) == (23, 22)
    assert winner.metrics["coverage"].value == pytest.approx(22 / 24)
    assert winner.metrics["fallback"].value == pytest.approx(1 / 24)
    assert evaluation.candidates["simple_cnn"].test["fallback"] == pytest.approx(1 / 24, abs=1e-6)
    assert sum(winner.scores.counts) == 23  # it has a score, and counts in every other figure
    assert float(read_csv(project.reports / "leaderboard.csv")[0]["test_fallback"]) > 0


def test_the_same_input_gives_the_same_bytes(drawn: None, project: Project, params: Params) -> None:
    run(project, params)
    first = outputs(project.root)
    run(project, params)
    assert outputs(project.root) == first


def test_test_labels_have_no_say_in_any_choice(project: Project, params: Params) -> None:
    run(project, params)
    before = read_document(Winner, project.winner)

    def turn(rows: list[dict[str, Any]]) -> None:
        for row in rows:
            if row["split"] == "test":
                row["label"] = 1 - row["label"]

    for name in params.candidates:
        change(project, name, turn)
    run(project, params)
    after = read_document(Winner, project.winner)
    assert after.metrics["auc"].value == pytest.approx(1 - before.metrics["auc"].value)
    same = {"candidate", "threshold", "calibration", "scores"}
    assert after.model_dump(include=same) == before.model_dump(include=same)


def test_gate_ends_well_and_tells_people_why(
    project: Project, params: Params, capsys: pytest.CaptureFixture[str]
) -> None:
    run(project, params)
    strict = params.model_copy(update={"gate": params.gate | {"coverage": Bounds(min=1.0)}})
    run_gate(project, strict)
    report = read_document(GateReport, project.gate)
    assert (report.passed, report.winner) == (False, "simple_cnn")
    assert [rule.name for rule in report.rules if not rule.passed] == ["coverage"]
    assert "Gate failed" in capsys.readouterr().out


def test_every_figure_of_the_winner_can_be_a_rule(project: Project, params: Params) -> None:
    run(project, params)
    rules = load_params_with_gate(project, {name: {"max": 0.5} for name in TEST_METRICS}).gate
    run_gate(project, params.model_copy(update={"gate": rules}))
    report = read_document(GateReport, project.gate)
    assert [rule.name for rule in report.rules if rule.value is None] == []
    passed = {rule.name for rule in report.rules if rule.passed}
    assert {"eer", "log_loss_high", "fallback"} <= passed
    assert not passed & {"auc", "auc_low", "coverage"}


@pytest.mark.parametrize(
    ("alter", "message"),
    [
        (lambda rows: rows.pop(), "not of the present test videos"),
        (lambda rows: rows[0].update(video_id="real/other"), "not of the present val videos"),
        (lambda rows: rows[0].update(logit=float("nan")), "not finite"),
        (lambda rows: rows[0].update(logit=None), "not finite"),
    ],
)
def test_predictions_of_other_videos_or_a_diverged_training_stop_the_stage(
    project: Project, params: Params, alter: Callable[[list[dict[str, Any]]], object], message: str
) -> None:
    change(project, "simple_cnn", alter)
    with pytest.raises(StageError, match=message):
        run(project, params)


def test_a_candidate_without_predictions_stops_the_stage(project: Project, params: Params) -> None:
    (project.candidate("simple_cnn") / "predictions.parquet").unlink()
    with pytest.raises(StageError, match=r"simple_cnn.predictions\.parquet: not there yet"):
        run(project, params)


def test_one_class_in_test_leaves_figures_undefined_and_the_gate_closed(
    project: Project, params: Params
) -> None:
    for name in params.candidates:
        change(project, name, lambda rows: [row.update(label=0) for row in rows if row["split"] == "test"])
    run(project, params)
    run_gate(project, params)
    assert json.loads(project.evaluation.read_text())["candidates"]["simple_cnn"]["test"]["auc"] is None
    assert "auc" not in read_document(Winner, project.winner).metrics
    assert not read_document(GateReport, project.gate).passed


def test_a_damaged_document_is_named(project: Project) -> None:
    project.winner.parent.mkdir(parents=True, exist_ok=True)
    project.winner.write_text("{}")
    with pytest.raises(StageError, match=r"winner\.json: candidate: Field required; delete it"):
        read_document(Winner, project.winner)
