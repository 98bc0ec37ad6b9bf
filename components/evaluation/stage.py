"""Stage `evaluate`: compares the candidates, writes the reports and names the winner."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import track

from components.bundle import Calibration
from components.evaluation.calibration import calibrate
from components.evaluation.comparison import Contender, decide, judge, rank
from components.evaluation.dataset import count_splits, videos_with_clip
from components.evaluation.figures import (
    draw_confusion,
    draw_reliability,
    draw_roc,
    draw_scores,
    draw_training,
)
from components.evaluation.leaderboard import as_table, leaderboard, write_csv
from components.evaluation.metrics import roc
from components.evaluation.predictions import Predictions, read_predictions
from components.evaluation.results import write_document
from components.evaluation.summary import crown, summarise
from components.params import EvaluateParams, Params
from components.project import ENSEMBLE, Project
from components.tables import MANIFEST, read_faces, read_table


def run(project: Project, params: Params) -> None:
    """Evaluate every candidate of `params.yaml`.

    Reads the manifest, the faces table and each candidate's predictions. Writes `artifacts/winner.json`,
    `reports/evaluation.json`, `leaderboard.csv`, `roc/`, `confusion.csv` and `figures/`; prints the
    leaderboard.

    Raises:
        StageError: an input is missing, clips are of another crop digest, or predictions are not of the
            present videos.
    """
    manifest = read_table(project.manifest, MANIFEST)
    faces = read_faces(project.faces, params.faces.digest)
    expected = videos_with_clip(manifest, faces)
    predictions = {
        name: read_predictions(project.candidate(name) / "predictions.parquet", expected)
        for name in (*params.candidates, *([ENSEMBLE] if params.ensemble.members else []))
    }
    contenders = compare(predictions, params.evaluate)

    counts, confidence = count_splits(manifest, faces), params.evaluate.confidence
    unusable = sum(row["status"] != "ok" for row in manifest)
    board = leaderboard(contenders, counts["test"], confidence)
    write_document(summarise(contenders, counts, unusable, params.evaluate), project.evaluation)
    write_document(crown(contenders[0], counts["test"], confidence), project.winner)
    write_csv(board, project.reports / "leaderboard.csv")
    write_plots(project.reports, contenders)
    draw(project, contenders, confidence)
    Console().print(as_table(board, confidence))


def compare(predictions: dict[str, dict[str, Predictions]], params: EvaluateParams) -> list[Contender]:
    """Settle everything on validation videos, then measure on test videos; best candidate first."""
    decisions = {name: decide(splits["val"]) for name, splits in predictions.items()}
    order = rank(decisions, params.select_by)
    progress = track(order, "bootstrap", console=Console(stderr=True))
    return [judge(name, decisions[name], predictions[name]["test"], params) for name in progress]


def write_plots(reports: Path, contenders: Sequence[Contender]) -> None:
    """The tables behind DVC's plots: the ROC curves of all, the winner's verdicts."""
    for found in contenders:
        curve = zip(*roc(found.test.labels, found.probabilities), strict=True)
        points = [{"fpr": round(float(fpr), 6), "tpr": round(float(tpr), 6)} for fpr, tpr in curve]
        # A file each: DVC would join the curves of one file into one line.
        write_csv(points, reports / "roc" / f"{found.name}.csv")
    names, winner = ("real", "fake"), contenders[0]
    verdicts = zip(winner.test.labels, winner.called, strict=True)
    write_csv(
        [{"actual": names[label], "predicted": names[called]} for label, called in verdicts],
        reports / "confusion.csv",
    )


def draw(project: Project, contenders: Sequence[Contender], confidence: float) -> None:
    """All figures, into `reports/figures`."""
    folder, winner = project.reports / "figures", contenders[0]
    labels, scores = winner.test.labels, winner.probabilities
    histories = {found.name: project.history(found.name) for found in contenders}
    draw_roc(contenders, confidence, folder / "roc.png")
    draw_confusion(winner.name, labels, winner.called, folder / "confusion.png")
    draw_scores(winner.name, labels, scores, winner.decision.threshold, folder / "scores.png")
    draw_reliability(
        winner.name,
        labels,
        {"before calibration": calibrate(Calibration(), winner.test.logits), "calibrated": scores},
        folder / "reliability.png",
    )
    trained = {name: path for name, path in histories.items() if path.is_file()}
    draw_training(trained, chosen_epochs(project, trained), folder / "training_curves.png")


def chosen_epochs(project: Project, names: Iterable[str]) -> dict[str, int]:
    """The epoch that gave each candidate its weights, where its `candidate.json` is there to say so."""
    files = {name: project.candidate(name) / "candidate.json" for name in names}
    return {
        name: int(json.loads(file.read_text(encoding="utf-8"))["best_epoch"])
        for name, file in files.items()
        if file.is_file()
    }
